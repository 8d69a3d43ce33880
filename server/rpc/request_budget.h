// What all requests may become in memory together, from before they are made of their bytes until their calls are over.
#pragma once

#include <atomic>
#include <cstddef>
#include <optional>
#include <utility>

#include "server/base/limits.h"

namespace socketeer::rpc {

// Thread-safe. Outlives its holds.
class RequestBudget {
 public:
  class Hold {
   public:
    Hold() = default;
    Hold(Hold&& other) noexcept : budget_(std::exchange(other.budget_, nullptr)), bytes_(other.bytes_) {}
    Hold& operator=(Hold&& other) noexcept {
      std::swap(budget_, other.budget_);
      std::swap(bytes_, other.bytes_);
      return *this;
    }
    ~Hold() {
      if (budget_ != nullptr) budget_->used_.fetch_sub(bytes_, std::memory_order_relaxed);
    }

   private:
    friend class RequestBudget;
    Hold(RequestBudget* budget, size_t bytes) : budget_(budget), bytes_(bytes) {}

    RequestBudget* budget_ = nullptr;
    size_t bytes_ = 0;
  };

  // Nullopt: there is no room.
  std::optional<Hold> Take(size_t bytes) {
    Hold hold(this, bytes);
    if (used_.fetch_add(bytes, std::memory_order_relaxed) + bytes > base::kMaxRequestBytes) return std::nullopt;
    return hold;
  }

 private:
  std::atomic<size_t> used_{0};
};

}  // namespace socketeer::rpc
