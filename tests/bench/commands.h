// What a client of the comparisons can be told: commands, "NAME COUNT" a line, each answered with a line of JSON.
#pragma once

#include <chrono>
#include <functional>
#include <iostream>
#include <map>
#include <string>

#include "tests/bench/sides.h"

namespace socketeer::bench {

using Clock = std::chrono::steady_clock;

inline double Microseconds(Clock::time_point since) {
  return std::chrono::duration<double, std::micro>(Clock::now() - since).count();
}

inline std::string Json(const std::map<std::string, double>& values) {
  std::string out;
  for (const auto& [key, value] : values) {
    out += (out.empty() ? "{\"" : ", \"") + key + "\": " + std::to_string(value);
  }
  return out + "}";
}

using Commands = std::map<std::string, std::function<std::string(size_t count)>>;

inline void Serve(const Commands& commands) {
  std::string name;
  size_t count = 0;
  while (std::cin >> name >> count) {
    const auto found = commands.find(name);
    Expect(found != commands.end() && count > 0, name.c_str());
    std::cout << found->second(count) << std::endl;
  }
}

}  // namespace socketeer::bench
