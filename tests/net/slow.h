// A loop whose time the test makes, and the account of who owns the sockets on it.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "tests/net/rig.h"
#include "tests/support/manual_clock.h"

namespace socketeer::net::testing {

inline constexpr uint64_t kRate = 1'000'000, kBurst = 250'000;

struct Slow {
  explicit Slow(quota::WhenExceeded when = quota::WhenExceeded::kDelay, quota::Rate rate = quota::Rate::kBytes,
                uint64_t per_second = kRate, uint64_t burst = kBurst) {
    quota::Allowance allowance;
    allowance.of(rate) = {.per_second = per_second, .burst = burst};
    allowance.when_exceeded = when;
    account->own().Set(allowance, clock.Now());
  }
  // What is due by then has run when it returns.
  void Pass(std::chrono::nanoseconds time) {
    clock.Advance(time);
    for (int i = 0; i < 3; ++i) rig.Run([] {});
  }
  // What `step` moves in all, when it is called every few milliseconds for 10 s.
  uint64_t TenSeconds(const std::function<uint64_t()>& step) {
    uint64_t moved = 0;
    for (int i = 0; i < 2'000; ++i) {
      moved += step();
      Pass(std::chrono::milliseconds(5));
    }
    return moved;
  }
  void Overdraw() { account->CountBytes(kBurst + kRate / 10); }  // for 100 ms

  ::socketeer::testing::ManualClock clock;
  quota::AccountPtr account = std::make_shared<quota::Account>("uid:1", std::make_shared<quota::Pool>("total"), clock);
  Rig rig{1'024, clock};
};

template <typename T>
void ExpectReached(const base::Result<T>& result, const char* operation, const char* limit = "quota.bytes_per_second") {
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().reason, "LIMIT_REACHED");
  EXPECT_EQ(result.error().metadata.at("limit"), limit);
  EXPECT_EQ(result.error().metadata.at("identity"), "uid:1");
  EXPECT_EQ(result.error().operation, operation);
  EXPECT_EQ(result.error().socket, "sockets/test");
}

}  // namespace socketeer::net::testing
