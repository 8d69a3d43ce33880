// The registry's mutex for one change; and, once it is free again, word to those who wait for changes.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>

#include "server/registry/registry.h"

namespace socketeer::registry {

class Registry::Transaction {
 public:
  explicit Transaction(Registry& registry)
      : registry_(registry), lock_(registry.mutex_), before_(registry.log_.last()) {}
  ~Transaction() {
    std::map<uint64_t, std::function<void()>> told;
    if (registry_.log_.last() != before_) told.swap(registry_.change_waiters_);
    lock_.unlock();
    for (const auto& [waiter, changed] : told) changed();
  }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

 private:
  Registry& registry_;
  std::unique_lock<std::mutex> lock_;
  const uint64_t before_;
};

}  // namespace socketeer::registry
