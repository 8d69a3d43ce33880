// A shard with its real thread on the real kernel, and sockets on it that a test drives from its own thread.
#pragma once

#include <gtest/gtest.h>

#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "server/base/clock.h"
#include "server/base/worker_pool.h"
#include "server/net/connection_operations.h"
#include "server/net/datagram_operations.h"
#include "server/net/shard.h"
#include "server/net/stream_operations.h"

namespace socketeer::net::testing {

// Remembers what it is told of a socket.
class Observer final : public SocketObserver {
 public:
  explicit Observer(quota::AccountPtr account = nullptr) : account_(std::move(account)) {}

  void OnChanged(const SocketInfo& info) override {
    std::lock_guard lock(mutex_);
    info_ = info;
    changed_.notify_all();
  }
  void OnClosed() override {
    std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }
  Gauges& gauges() override { return gauges_; }
  const std::string& name() const override { return name_; }
  quota::Account* account() const override { return account_.get(); }

  SocketInfo info() {
    std::lock_guard lock(mutex_);
    return info_;
  }
  bool closed() {
    std::lock_guard lock(mutex_);
    return closed_;
  }
  void WaitUntilNot(State state) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return info_.state != state; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  SocketInfo info_;      // guarded by mutex_
  bool closed_ = false;  // guarded by mutex_
  Gauges gauges_;
  const std::string name_ = "sockets/test";
  const quota::AccountPtr account_;
};

// An operation under way.
template <typename T>
struct Pending {
  OperationId id = 0;
  std::future<base::Result<T>> result;

  bool done() const { return result.wait_for(std::chrono::seconds(0)) == std::future_status::ready; }
  base::Result<T> Get() { return result.get(); }
};

class Rig {
 public:
  explicit Rig(size_t max_waiting = 1'024, const base::Clock& clock = base::SystemClock(),
               Syscalls& syscalls = KernelSyscalls(), uint64_t max_retained_per_socket = 4 << 20,
               uint64_t max_retained = 256 << 20)
      : retained_(max_retained_per_socket, max_retained),
        shard_(*Shard::Create(syscalls, clock, closers_, max_waiting, retained_)) {}

  Shard& shard() { return *shard_; }
  const RetainedBudget& retained() const { return retained_; }

  // Runs `f()` on the loop's thread and returns what it returns.
  template <typename F>
  auto Run(F f) {
    using T = decltype(f());
    // Shared: the loop may still be inside set_value() when the test goes on.
    auto promise = std::make_shared<std::promise<T>>();
    auto future = promise->get_future();
    shard_->Post([&f, promise] {
      if constexpr (std::is_void_v<T>) {
        f();
        promise->set_value();
      } else {
        promise->set_value(f());
      }
    });
    return future.get();
  }

 private:
  base::WorkerPool closers_{2};
  RetainedBudget retained_;
  std::unique_ptr<Shard> shard_;
};

// A socket on the rig's shard; closed at its end. All functions are for the test's thread.
class TestSocket {
 public:
  TestSocket(Rig& rig, SocketHandle handle, std::shared_ptr<Observer> observer)
      : rig_(&rig), handle_(handle), observer_(std::move(observer)) {}
  TestSocket(TestSocket&& other) noexcept
      : rig_(other.rig_), handle_(std::exchange(other.handle_, 0)), observer_(std::move(other.observer_)) {}
  ~TestSocket() {
    if (handle_ != 0) Close();
  }

  Observer& observer() { return *observer_; }
  SocketInfo info() { return observer_->info(); }
  // Runs `f(Socket&)` on the loop's thread and returns what it returns.
  template <typename F>
  auto Run(F f) {
    return rig_->Run([this, &f] { return f(*rig_->shard().Find(handle_)); });
  }
  int fd() {
    return Run([](Socket& socket) { return socket.fd(); });
  }

  // Starts `Op(base, arguments..., done)`.
  template <typename Op, typename T, typename... Arguments>
  Pending<T> Start(Mode mode, std::optional<std::chrono::nanoseconds> timeout, Arguments... arguments) {
    auto promise = std::make_shared<std::promise<base::Result<T>>>();
    Pending<T> pending{.id = Shard::NextId(), .result = promise->get_future()};
    Run([&](Socket& socket) {
      socket.Start(std::make_unique<Op>(OperationBase{.id = pending.id, .mode = mode, .timeout = timeout},
                                        std::move(arguments)...,
                                        [promise](base::Result<T> result) { promise->set_value(std::move(result)); }));
    });
    return pending;
  }

  Pending<ConnectResult> Connect(const SocketAddress& peer, Mode mode = Mode::kWait) {
    return Start<ConnectOperation, ConnectResult>(mode, {}, peer);
  }
  Pending<AcceptResult> Accept(Mode mode = Mode::kWait, AcceptOperation::Want want = {}) {
    return Start<AcceptOperation, AcceptResult>(mode, {}, std::move(want));
  }
  Pending<ShutdownResult> Shutdown(int how) { return Start<ShutdownOperation, ShutdownResult>(Mode::kWait, {}, how); }
  // `data` must outlive the operation.
  Pending<SendResult> Send(std::string_view data, Mode mode = Mode::kWait,
                           std::optional<std::chrono::nanoseconds> timeout = {}, std::optional<uint64_t> offset = {}) {
    return Start<SendOperation, SendResult>(mode, timeout, data, offset);
  }
  Pending<ReceiveResult> Receive(uint32_t max, Mode mode = Mode::kWait,
                                 std::optional<std::chrono::nanoseconds> timeout = {}, bool peek = false,
                                 std::optional<uint64_t> offset = {}) {
    return Start<ReceiveOperation, ReceiveResult>(
        mode, timeout,
        ReceiveOperation::Want{
            .max_bytes = max, .min_bytes = mode == Mode::kWhole ? max : 0, .peek = peek, .offset = offset});
  }
  Pending<SendDatagramsResult> SendDatagrams(std::vector<OutgoingDatagram> datagrams, Mode mode = Mode::kWait,
                                             std::optional<uint64_t> sequence = {}) {
    return Start<SendDatagramsOperation, SendDatagramsResult>(mode, {}, std::move(datagrams), sequence);
  }
  Pending<ReceiveDatagramsResult> ReceiveDatagrams(uint32_t count, Mode mode = Mode::kWait, bool peek = false,
                                                   uint32_t max_bytes = 65'536, std::optional<uint64_t> sequence = {}) {
    return Start<ReceiveDatagramsOperation, ReceiveDatagramsResult>(
        mode, {},
        ReceiveDatagramsOperation::Want{.max_datagrams = count,
                                        .min_datagrams = mode == Mode::kWhole ? count : 1,
                                        .max_bytes = max_bytes,
                                        .peek = peek,
                                        .sequence = sequence});
  }
  void Cancel(OperationId id) {
    Run([id](Socket& socket) { socket.Cancel(id); });
  }
  void Close(base::Error why = base::SocketClosedWhileWaiting()) {
    auto closed = std::make_shared<std::promise<void>>();
    auto future = closed->get_future();
    rig_->shard().Post([&why, closed, handle = std::exchange(handle_, 0), rig = rig_] {
      rig->shard().Close(handle, std::move(why), [closed] { closed->set_value(); });
    });
    future.get();
  }

 private:
  Rig* rig_;
  SocketHandle handle_;
  std::shared_ptr<Observer> observer_;
};

// Makes a socket by Shard::Open.
inline base::Result<TestSocket> TryOpen(Rig& rig, OpenPlan plan, quota::AccountPtr account = nullptr) {
  const SocketHandle handle = Shard::NextId();
  auto observer = std::make_shared<Observer>(std::move(account));
  auto promise = std::make_shared<std::promise<base::Result<OpenResult>>>();
  auto future = promise->get_future();
  rig.Run([&] {
    rig.shard().Open(handle, std::move(plan), {.id = Shard::NextId(), .timeout = {}}, observer,
                     [promise](base::Result<OpenResult> result) { promise->set_value(std::move(result)); });
  });
  auto result = future.get();
  if (!result.ok()) return std::move(result).error();
  return TestSocket(rig, handle, observer);
}

// The same, when it must succeed, of a bare socket.
inline TestSocket Open(Rig& rig, const SocketKind& kind, quota::AccountPtr account = nullptr) {
  OpenPlan plan;
  plan.kind = kind;
  auto made = TryOpen(rig, std::move(plan), std::move(account));
  if (!made.ok()) ADD_FAILURE() << made.error().message;
  return *std::move(made);
}

// Takes in what an AcceptOperation brought.
inline TestSocket Adopt(Rig& rig, AcceptResult accepted) {
  const SocketHandle handle = Shard::NextId();
  auto observer = std::make_shared<Observer>();
  rig.Run([&] { rig.shard().Adopt(handle, std::move(accepted), observer); });
  return TestSocket(rig, handle, observer);
}

}  // namespace socketeer::net::testing
