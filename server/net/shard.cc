#include "server/net/shard.h"

#include <netinet/in.h>
#include <pthread.h>

#include <atomic>
#include <cerrno>
#include <utility>

#include "server/net/errno_table.h"

namespace socketeer::net {

base::Result<std::unique_ptr<Shard>> Shard::Create(Syscalls& syscalls, const base::Clock& clock,
                                                   base::WorkerPool& closers, uint32_t max_waiting_per_side,
                                                   RetainedBudget& budget) {
  auto loop = EventLoop::Create(syscalls, clock);
  if (!loop.ok()) return std::move(loop).error();
  std::unique_ptr<Shard> shard(new Shard(*std::move(loop), closers, max_waiting_per_side, budget));
  shard->thread_ = std::thread([loop = shard->loop_.get()] {
    pthread_setname_np(pthread_self(), "socket-loop");  // for top(1) and its like
    loop->Run();
  });
  return shard;
}

Shard::Shard(std::unique_ptr<EventLoop> loop, base::WorkerPool& closers, uint32_t max_waiting, RetainedBudget& budget)
    : loop_(std::move(loop)), closers_(closers), max_waiting_(max_waiting), budget_(budget) {}

Shard::~Shard() {
  if (!thread_.joinable()) return;
  Post([this] { CloseAll(base::Draining()); });
  loop_->Stop();
  thread_.join();
}

uint64_t Shard::NextId() {
  static std::atomic<uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

Socket* Shard::Find(SocketHandle handle) {
  const auto found = sockets_.find(handle);
  return found == sockets_.end() ? nullptr : found->second.get();
}

void Shard::Open(SocketHandle handle, OpenPlan plan, OperationBase base, std::shared_ptr<SocketObserver> observer,
                 OpenDone done) {
  if (stopped_) return std::move(done)(*stopped_);
  auto made = Make(plan, std::move(observer));
  if (!made.ok()) return std::move(done)(std::move(made).error());
  Socket& socket = **made;
  sockets_.emplace(handle, *std::move(made));
  if (auto status = Prepare(socket, plan); !status.ok()) {
    DoNotLinger(socket);
    return Close(
        handle, base::SocketClosedWhileWaiting(),
        [done = std::move(done), error = std::move(status).error()]() mutable { std::move(done)(std::move(error)); });
  }
  if (plan.connect.empty()) return std::move(done)(OpenResult{.info = socket.info()});

  auto connected = [this, handle, done = std::move(done)](base::Result<ConnectResult> r) mutable {
    if (r.ok() && !r->timed_out) {
      return std::move(done)(OpenResult{.info = Find(handle)->info()});
    }
    base::Result<OpenResult> answer = OpenResult{.timed_out = true};
    if (!r.ok()) answer = std::move(r).error();
    Discard(handle,
            [done = std::move(done), answer = std::move(answer)]() mutable { std::move(done)(std::move(answer)); });
  };
  socket.Start(std::make_unique<ConnectOperation>(base, plan.connect, std::move(connected)));
}

base::Result<std::shared_ptr<Socket>> Shard::Make(const OpenPlan& plan, std::shared_ptr<SocketObserver> observer) {
  const SocketKind& kind = plan.kind;
  if (auto permitted = observer->Permit({.act = Act::kOpen, .kind = kind}); !permitted.ok()) {
    base::Error error = std::move(permitted).error();
    error.operation = "open";
    return error;
  }
  const int fd = loop_->syscalls().Socket(kind.family, kind.type | SOCK_NONBLOCK | SOCK_CLOEXEC, kind.protocol);
  if (fd < 0) return KernelError("open", "socket", errno);
  return std::make_shared<Socket>(*loop_, fd, SocketInfo{.kind = kind}, std::move(observer), max_waiting_, budget_);
}

base::Status Shard::Prepare(Socket& socket, const OpenPlan& plan) {
  if (auto status = socket.InitializeFamily(plan.both_families); !status.ok()) return status;
  if (auto status = socket.SetOptions(plan.options); !status.ok()) return status;
  if (!plan.bind.empty()) {
    if (auto status = socket.Bind(plan.bind); !status.ok()) return status;
  }
  if (plan.listen_backlog) return socket.Listen(*plan.listen_backlog);
  return base::Ok();
}

SocketInfo Shard::Adopt(SocketHandle handle, AcceptResult accepted, std::shared_ptr<SocketObserver> observer) {
  const SocketAddress peer = accepted.info.peer;
  auto socket = std::make_shared<Socket>(*loop_, accepted.fd, std::move(accepted.info), std::move(observer),
                                         max_waiting_, budget_);
  sockets_.emplace(handle, socket);
  socket->EnterAccepted(peer, std::move(accepted.bound));
  return socket->info();
}

void Shard::Close(SocketHandle handle, base::Error why, Task done) {
  const auto found = sockets_.find(handle);
  if (found == sockets_.end()) return done();
  const std::shared_ptr<Socket> socket = std::move(found->second);
  sockets_.erase(found);
  const auto elsewhere = [this](int fd, Task finish) {
    closers_.Run([this, fd, finish = std::move(finish)]() mutable {
      loop_->syscalls().Close(fd);
      Post(std::move(finish));
    });
  };
  socket->Close(std::move(why), elsewhere, std::move(done));
}

void Shard::EndWaiting(const base::Error& why) {
  stopped_ = why;
  for (const auto& [handle, socket] : sockets_) socket->EndWaiting(why);
}

void Shard::Discard(SocketHandle handle, Task done) {
  Post([this, handle, done = std::move(done)]() mutable {
    if (Socket* const unused = Find(handle)) DoNotLinger(*unused);
    Close(handle, base::SocketClosedWhileWaiting(), std::move(done));
  });
}

void Shard::DoNotLinger(SocketHandle handle) {
  if (Socket* const socket = Find(handle)) DoNotLinger(*socket);
}

void Shard::DoNotLinger(Socket& socket) {
  if (!socket.info().kind.IsTcp()) return;
  const linger no_wait{.l_onoff = 0, .l_linger = 0};
  loop_->syscalls().SetSockOpt(socket.fd(), SOL_SOCKET, SO_LINGER, &no_wait, sizeof(no_wait));
}

void Shard::CloseAll(const base::Error& why) {
  stopped_ = why;
  while (!sockets_.empty()) {
    const auto first = sockets_.begin();
    DoNotLinger(*first->second);
    Close(first->first, why, [] {});
  }
}

}  // namespace socketeer::net
