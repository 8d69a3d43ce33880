// How many refusals of each identity are told, so that a caller who is refused again and again cannot fill the audit:
// kRefusalBurst at once, then kRefusalsPerSecond; the others are counted.
//
// Thread-safe. The table is bounded, too: identities for which it has no room are taken for one, which is nobody's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "server/base/clock.h"

namespace socketeer::audit {

// A test run that fails as a whole is told as a whole.
inline constexpr uint32_t kRefusalBurst = 1'000;
inline constexpr uint32_t kRefusalsPerSecond = 20;
// A few for each session that there may be. Those who were not refused for a while leave.
inline constexpr size_t kMaxRefusedIdentities = 4'096;

class RefusalRate {
 public:
  explicit RefusalRate(size_t max_identities = kMaxRefusedIdentities) : max_identities_(max_identities) {}

  // Of `identity`, which is not empty, one more was refused. So many before it were left out, and are told by this one;
  // absent: it is to be left out, and is counted.
  std::optional<uint64_t> Ask(const std::string& identity, base::MonotonicTime now);

  // What was left out and is told by no line so far, which becomes the caller's to tell. Empty identity: those for
  // which there was no room.
  struct LeftOut {
    std::string identity;
    uint64_t count = 0;
  };
  std::vector<LeftOut> TakeLeftOut();

  size_t size() const;

 private:
  struct Entry {
    double tokens = kRefusalBurst;
    base::MonotonicTime filled{};
    uint64_t left_out = 0;
  };
  Entry& EntryOf(const std::string& identity, base::MonotonicTime now);
  void ForgetQuiet(base::MonotonicTime now);

  const size_t max_identities_;
  mutable std::mutex mutex_;  // guards all below
  std::unordered_map<std::string, Entry> entries_;
  std::optional<base::MonotonicTime> looked_;  // for those who may leave
};

}  // namespace socketeer::audit
