// Counts of what was done, for who looks at the daemon from outside: written where it is done, read by whoever
// collects. Any thread; one atomic addition each, and nothing is ordered by it. They only grow.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace socketeer::base {

class Counter {
 public:
  void Add(uint64_t count = 1) { value_.fetch_add(count, std::memory_order_relaxed); }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

// How long things took, in classes.
class Durations {
 public:
  // What each class holds at most; one more class holds what took longer. From a call on this host to one that waited.
  static constexpr std::array<std::chrono::microseconds, 19> kBounds = {std::chrono::microseconds(50),
                                                                        std::chrono::microseconds(100),
                                                                        std::chrono::microseconds(250),
                                                                        std::chrono::microseconds(500),
                                                                        std::chrono::microseconds(1'000),
                                                                        std::chrono::microseconds(2'500),
                                                                        std::chrono::microseconds(5'000),
                                                                        std::chrono::microseconds(10'000),
                                                                        std::chrono::microseconds(25'000),
                                                                        std::chrono::microseconds(50'000),
                                                                        std::chrono::microseconds(100'000),
                                                                        std::chrono::microseconds(250'000),
                                                                        std::chrono::microseconds(500'000),
                                                                        std::chrono::seconds(1),
                                                                        std::chrono::microseconds(2'500'000),
                                                                        std::chrono::seconds(5),
                                                                        std::chrono::seconds(10),
                                                                        std::chrono::seconds(30),
                                                                        std::chrono::seconds(60)};

  void Observe(std::chrono::nanoseconds took) {
    const auto in = std::lower_bound(kBounds.begin(), kBounds.end(), took);
    counts_[static_cast<size_t>(in - kBounds.begin())].Add();
    sum_.Add(static_cast<uint64_t>(std::max<int64_t>(took.count(), 0)));
  }

  // A value; several can be added up.
  struct Reading {
    std::array<uint64_t, kBounds.size() + 1> counts{};  // of each class by itself
    std::chrono::nanoseconds sum{0};

    uint64_t count() const {
      uint64_t all = 0;
      for (const uint64_t each : counts) all += each;
      return all;
    }
  };
  // Adds to `*reading`. What is observed meanwhile may be in one part of it, and not yet in another.
  void ReadInto(Reading* reading) const {
    for (size_t i = 0; i < counts_.size(); ++i) reading->counts[i] += counts_[i].value();
    reading->sum += std::chrono::nanoseconds(sum_.value());
  }

 private:
  std::array<Counter, kBounds.size() + 1> counts_;
  Counter sum_;  // nanoseconds
};

}  // namespace socketeer::base
