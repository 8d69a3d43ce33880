#include "server/quota/bucket.h"

#include <algorithm>
#include <cmath>

namespace socketeer::quota {
namespace {

// Between two who ask again: what an asking costs, many times over.
constexpr std::chrono::microseconds kBetweenLooks{10};

std::chrono::nanoseconds TimeFor(double tokens, uint64_t per_second) {
  // Whole microseconds, so that what is asked for is there by then.
  const double micros = std::ceil(tokens * 1e6 / static_cast<double>(per_second));
  const double longest = static_cast<double>(std::chrono::microseconds(kLongestWait).count());
  return std::chrono::microseconds(static_cast<int64_t>(std::clamp(micros, 1.0, longest)));
}

}  // namespace

void Bucket::Set(const RateTerms& terms, base::MonotonicTime now) {
  std::lock_guard lock(mutex_);
  if (terms == terms_) return;
  Refill(now);
  const bool begins = !terms_.limited();
  terms_ = terms;
  const auto burst = static_cast<double>(terms.burst);
  tokens_ = begins ? burst : std::min(tokens_, burst);
  filled_ = now;
}

RateTerms Bucket::terms() const {
  std::lock_guard lock(mutex_);
  return terms_;
}

void Bucket::Refill(base::MonotonicTime now) {
  if (!terms_.limited() || now <= filled_) return;
  const double seconds = std::chrono::duration<double>(now - filled_).count();
  tokens_ = std::min(tokens_ + seconds * static_cast<double>(terms_.per_second), static_cast<double>(terms_.burst));
  filled_ = now;
}

std::chrono::nanoseconds Bucket::Ask(base::MonotonicTime now, uint64_t charge) {
  std::lock_guard lock(mutex_);
  if (!terms_.limited()) return {};
  Refill(now);
  if (tokens_ >= 1) {
    tokens_ -= static_cast<double>(charge);
    return {};
  }
  next_look_ = std::max(now + TimeFor(1 - tokens_, terms_.per_second), next_look_ + kBetweenLooks);
  next_look_ = std::min(next_look_, now + kLongestWait);
  return next_look_ - now;
}

void Bucket::Charge(uint64_t count, base::MonotonicTime now) {
  std::lock_guard lock(mutex_);
  if (!terms_.limited()) return;
  Refill(now);
  tokens_ -= static_cast<double>(count);
}

void Bucket::Refund(uint64_t count, base::MonotonicTime now) {
  std::lock_guard lock(mutex_);
  if (!terms_.limited()) return;
  Refill(now);
  tokens_ = std::min(tokens_ + static_cast<double>(count), static_cast<double>(terms_.burst));
}

uint64_t Bucket::Available(base::MonotonicTime now) {
  std::lock_guard lock(mutex_);
  if (!terms_.limited()) return kUnlimited;
  Refill(now);
  return tokens_ < 1 ? 0 : static_cast<uint64_t>(tokens_);
}

bool Bucket::Full(base::MonotonicTime now) {
  std::lock_guard lock(mutex_);
  if (!terms_.limited()) return true;
  Refill(now);
  return tokens_ >= static_cast<double>(terms_.burst);
}

}  // namespace socketeer::quota
