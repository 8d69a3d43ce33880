#include "server/quota/account.h"

#include <algorithm>

namespace socketeer::quota {
namespace {

// Of a second, what is moved at once by who is delayed: small against any time that is measured.
constexpr uint64_t kGoesPerSecond = 50;
// Less in one system call costs more than it smoothes.
constexpr uint64_t kLeastAtOnce = 4 << 10;

base::Error Reached(const char* name, uint64_t allowed, const std::string& whose) {
  return base::QuotaReached(std::string("quota.") + name, allowed, whose);
}

}  // namespace

const char* NameOf(Count count) {
  constexpr const char* kNames[] = {"sockets", "sessions", "waiting_calls", "buffered_bytes", "watchers"};
  return kNames[static_cast<size_t>(count)];
}

const char* NameOf(Rate rate) { return rate == Rate::kOpens ? "opens_per_second" : "bytes_per_second"; }

void Pool::Set(const Allowance& allowance, base::MonotonicTime now) {
  for (size_t i = 0; i < kCounts; ++i) counts_[i].allowed.store(allowance.counts[i], std::memory_order_relaxed);
  for (size_t i = 0; i < kRates; ++i) {
    buckets_[i].Set(allowance.rates[i], now);
    limited_[i].store(allowance.rates[i].limited(), std::memory_order_relaxed);
  }
  when_exceeded_.store(allowance.when_exceeded, std::memory_order_relaxed);
}

base::Result<uint64_t> Pool::Take(Count count, uint64_t least, uint64_t most) {
  Counted& counted = of(count);
  const uint64_t allowed = counted.allowed.load(std::memory_order_relaxed);
  uint64_t used = counted.used.load(std::memory_order_relaxed);
  uint64_t granted = 0;
  do {
    granted = std::min(most, allowed - std::min(used, allowed));
    if (granted < least) return quota::Reached(NameOf(count), allowed, name_);
  } while (!counted.used.compare_exchange_weak(used, used + granted, std::memory_order_relaxed));
  return granted;
}

base::Error Pool::Reached(Rate rate) const {
  return quota::Reached(NameOf(rate), buckets_[static_cast<size_t>(rate)].terms().per_second, name_);
}

void Hold::GiveBack() {
  if (!account_) return;
  std::exchange(account_, nullptr)->GiveBack(count_, amount_);
}

base::Result<Hold> Account::Take(Count count, uint64_t amount) {
  auto taken = TakeSome(count, amount, amount);
  if (!taken.ok()) return std::move(taken).error();
  return Hold(shared_from_this(), count, amount);
}

base::Result<uint64_t> Account::TakeSome(Count count, uint64_t least, uint64_t most) {
  auto own = own_.Take(count, least, most);
  if (!own.ok()) return own;
  auto total = total_->Take(count, least, *own);
  if (!total.ok()) {
    own_.GiveBack(count, *own);
    return total;
  }
  own_.GiveBack(count, *own - *total);
  return total;
}

void Account::GiveBack(Count count, uint64_t amount) {
  own_.GiveBack(count, amount);
  total_->GiveBack(count, amount);
}

base::Result<std::chrono::nanoseconds> Account::Ask(Rate rate, uint64_t charge, Patience patience) {
  const base::MonotonicTime now = clock_.Now();
  bool charged = false;
  for (Pool* const pool : {&own_, total_.get()}) {
    if (!pool->limits(rate)) continue;
    const auto wait = pool->bucket(rate).Ask(now, charge);
    if (wait.count() == 0) {
      charged = true;
      continue;
    }
    // So far only the identity's own was charged.
    if (charged && charge > 0) own_.bucket(rate).Refund(charge, now);
    const bool refuses = patience == Patience::kAsConfigured && pool->when_exceeded() == WhenExceeded::kRefuse;
    if (refuses || patience == Patience::kNone) return pool->Reached(rate);
    return wait;
  }
  return std::chrono::nanoseconds(0);
}

void Account::Charge(Rate rate, uint64_t count) {
  if (count == 0) return;
  const base::MonotonicTime now = clock_.Now();
  if (own_.limits(rate)) own_.bucket(rate).Charge(count, now);
  if (total_->limits(rate)) total_->bucket(rate).Charge(count, now);
}

bool Account::refuses_bytes() const {
  const auto refuses = [](const Pool& pool) {
    return pool.limits(Rate::kBytes) && pool.when_exceeded() == WhenExceeded::kRefuse;
  };
  return refuses(own_) || refuses(*total_);
}

uint64_t Account::BytesAtOnce() {
  const uint64_t rate =
      std::min(own_.bucket(Rate::kBytes).terms().per_second, total_->bucket(Rate::kBytes).terms().per_second);
  return std::max(rate / kGoesPerSecond, kLeastAtOnce);
}

bool Account::idle() {
  const base::MonotonicTime now = clock_.Now();
  for (size_t i = 0; i < kCounts; ++i) {
    if (own_.used(static_cast<Count>(i)) != 0) return false;
  }
  return own_.bucket(Rate::kOpens).Full(now) && own_.bucket(Rate::kBytes).Full(now);
}

}  // namespace socketeer::quota
