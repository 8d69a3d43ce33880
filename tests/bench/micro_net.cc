// What a small call costs inside a shard, without gRPC.
#include <benchmark/benchmark.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <string>

#include "server/base/fd.h"
#include "server/base/worker_pool.h"
#include "server/net/shard.h"
#include "server/net/stream_operations.h"

namespace socketeer::net {
namespace {

constexpr size_t kPayload = 64;

class Observer final : public SocketObserver {
 public:
  void OnChanged(const SocketInfo&) override {}
  void OnClosed() override {}
  Gauges& gauges() override { return gauges_; }
  const std::string& name() const override { return name_; }

 private:
  Gauges gauges_;
  const std::string name_ = "sockets/bench";
};

void Must(bool holds, const char* what) {
  if (holds) return;
  std::perror(what);
  std::exit(1);
}

// Two ends of a TCP connection over loopback, on which nothing waits for an acknowledgement.
std::pair<int, int> ConnectedPair() {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* const where = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof(address);
  Must(bind(listener, where, size) == 0 && listen(listener, 1) == 0 && getsockname(listener, where, &size) == 0,
       "listen");
  const int one = socket(AF_INET, SOCK_STREAM, 0);
  Must(connect(one, where, size) == 0, "connect");
  const int other = accept(listener, nullptr, nullptr);
  const int on = 1;
  for (const int fd : {one, other}) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  const base::Fd closed(listener);
  return {one, other};
}

// A shard with its thread, and two sockets on it that are connected to each other.
class Rig {
 public:
  Rig() : shard_(*Shard::Create(KernelSyscalls(), base::SystemClock(), closers_, 1'024, retained_)) {
    const auto [one, other] = ConnectedPair();
    Run([&, one = one, other = other] {
      Adopt(from_, one);
      Adopt(to_, other);
    });
  }

  // On the loop's thread; returns when it has run. Posts as a call of a gRPC thread does, and waits as its caller does.
  template <typename F>
  void Run(F f) {
    shard_->Post([&] {
      f();
      Done();
    });
    Await();
  }
  void Done() {
    done_.store(true);
    done_.notify_one();
  }
  void Await() {
    done_.wait(false);
    done_.store(false);
  }

  Shard& shard() { return *shard_; }

  // On the loop's thread.
  void Send() {
    shard_->Find(from_)->Start(std::make_unique<SendOperation>(
        OperationBase{.id = Shard::NextId(), .timeout = {}}, data_, std::nullopt,
        [](base::Result<SendResult> result) { Must(result.ok() && result->bytes_sent == kPayload, "send"); }));
  }
  template <typename Then>
  void Receive(Then then) {
    shard_->Find(to_)->Start(std::make_unique<ReceiveOperation>(
        OperationBase{.id = Shard::NextId(), .timeout = {}}, ReceiveOperation::Want{.max_bytes = 65'536},
        [then](base::Result<ReceiveResult> result) {
          Must(result.ok() && result->data.size() == kPayload, "receive");
          then();
        }));
  }

 private:
  void Adopt(SocketHandle handle, int fd) {
    AcceptResult accepted;
    accepted.fd = fd;
    accepted.info.kind = {.family = AF_INET, .type = SOCK_STREAM};
    shard_->Adopt(handle, std::move(accepted), std::make_shared<Observer>());
  }

  std::atomic<bool> done_{false};
  base::WorkerPool closers_{1};
  RetainedBudget retained_{4 << 20, 256 << 20};
  const std::unique_ptr<Shard> shard_;
  const SocketHandle from_ = Shard::NextId();
  const SocketHandle to_ = Shard::NextId();
  const std::string data_ = std::string(kPayload, 'x');
};

// To the loop's thread and back: the two wake-ups that a call through a shard costs beside its work.
void PostAndBack(benchmark::State& state) {
  Rig rig;
  for (auto _ : state) rig.Run([] {});
}
BENCHMARK(PostAndBack)->UseRealTime();

// A task among many: what posting costs when the loop is awake.
void PostMany(benchmark::State& state) {
  Rig rig;
  constexpr int kBatch = 1'000;
  while (state.KeepRunningBatch(kBatch)) {
    for (int i = 1; i < kBatch; ++i) rig.shard().Post([] {});
    rig.Run([] {});
  }
}
BENCHMARK(PostMany)->UseRealTime();

// Both operations, their system calls included, with the thread's wake-ups left out.
void SendThenReceiveOnLoop(benchmark::State& state) {
  Rig rig;
  constexpr int kBatch = 1'000;
  while (state.KeepRunningBatch(kBatch)) {
    rig.Run([&] {
      for (int i = 0; i < kBatch; ++i) {
        rig.Send();
        rig.Receive([] {});
      }
    });
  }
}
BENCHMARK(SendThenReceiveOnLoop)->UseRealTime();

// As two calls one after the other.
void SendThenReceive(benchmark::State& state) {
  Rig rig;
  for (auto _ : state) {
    rig.Run([&] { rig.Send(); });
    rig.Run([&] { rig.Receive([] {}); });
  }
}
BENCHMARK(SendThenReceive)->UseRealTime();

// As two calls of which the receive waits: it goes through the queue and epoll.
void ReceiveFirst(benchmark::State& state) {
  Rig rig;
  for (auto _ : state) {
    rig.shard().Post([&] { rig.Receive([&] { rig.Done(); }); });
    rig.shard().Post([&] { rig.Send(); });
    rig.Await();
  }
}
BENCHMARK(ReceiveFirst)->UseRealTime();

}  // namespace
}  // namespace socketeer::net

BENCHMARK_MAIN();
