// What is wrong in a scenario's file, and where.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "client/scenario/value.h"

namespace socketeer::scenario {

struct Mistake {
  Place at{};
  std::string what{};
};

// Keeps the first one: those that follow may come of it.
class Mistakes {
 public:
  void Note(Place at, std::string what) {
    if (!first_.has_value()) first_ = Mistake{at, std::move(what)};
  }
  const std::optional<Mistake>& first() const { return first_; }

 private:
  std::optional<Mistake> first_;
};

// "a word", "a list", ...: what stands there.
inline const char* KindOf(const Value& value) {
  switch (value.type) {
    case Value::Type::kNothing:
      return "nothing";
    case Value::Type::kWord:
      return "a word";
    case Value::Type::kList:
      return "a list";
    case Value::Type::kMap:
      return "a map";
  }
  return "";
}

}  // namespace socketeer::scenario
