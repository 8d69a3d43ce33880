// A few threads for calls that block: getaddrinfo(3), and close(2) of a socket that lingers. Threads are started when
// there is work and none is idle, up to a limit; they end with the pool. Thread-safe.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "absl/functional/any_invocable.h"

namespace socketeer::base {

class WorkerPool {
 public:
  explicit WorkerPool(size_t max_threads) : max_threads_(max_threads) {}
  // Waits for the work that has begun and drops none.
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // The caller bounds how much it gives us.
  void Run(absl::AnyInvocable<void()> work);

 private:
  void Loop();

  const size_t max_threads_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<absl::AnyInvocable<void()>> queue_;  // guarded by mutex_, like all below
  std::vector<std::thread> threads_;
  size_t idle_ = 0;
  bool stopping_ = false;
};

}  // namespace socketeer::base
