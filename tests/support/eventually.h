// For what no event announces.
#pragma once

#include <chrono>
#include <functional>
#include <thread>

namespace socketeer::testing {

inline constexpr std::chrono::seconds kTestDeadline{30};

// Looks again and again until `holds`, at most for kTestDeadline; false: it never did. Only where nothing could be
// waited for: `because` says why, for the reader.
inline bool Eventually(const std::function<bool()>& holds, [[maybe_unused]] const char* because) {
  const auto deadline = std::chrono::steady_clock::now() + kTestDeadline;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

}  // namespace socketeer::testing
