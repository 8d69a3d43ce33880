// Calls that wait for something other than a socket (a resolver, a close that lingers), and how to end each when the
// daemon stops. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <utility>

namespace socketeer::rpc {

class DrainHooks {
 public:
  using Hook = std::function<void()>;

  // `hook` may run on another thread, also when it is just being removed: it must find out by itself whether its call
  // has ended.
  void Add(uint64_t id, Hook hook) {
    std::lock_guard lock(mutex_);
    hooks_.insert_or_assign(id, std::move(hook));
  }

  void Remove(uint64_t id) {
    std::lock_guard lock(mutex_);
    hooks_.erase(id);
  }

  void RunAll() {
    std::map<uint64_t, Hook> hooks;
    {
      std::lock_guard lock(mutex_);
      hooks.swap(hooks_);
    }
    for (const auto& [id, hook] : hooks) hook();
  }

 private:
  std::mutex mutex_;
  std::map<uint64_t, Hook> hooks_;  // guarded by mutex_
};

}  // namespace socketeer::rpc
