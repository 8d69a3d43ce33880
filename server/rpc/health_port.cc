#include "server/rpc/health_port.h"

#include <fcntl.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/server_builder_option.h>
#include <grpcpp/server_posix.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <utility>
#include <vector>

namespace socketeer::rpc {
namespace {

constexpr std::chrono::milliseconds kRetryHealthAccept{50};
constexpr int kMaxHealthRequestBytes = 1'024;  // a service's name
constexpr int kMaxHealthStreams = 16;          // of a connection: watches

// gRPC's library of reflection puts it into every server, unless its plugin is taken out.
class NoPlugins : public grpc::ServerBuilderOption {
 public:
  void UpdateArguments(grpc::ChannelArguments*) override {}
  void UpdatePlugins(std::vector<std::unique_ptr<grpc::ServerBuilderPlugin>>* plugins) override { plugins->clear(); }
};

std::unique_ptr<grpc::Server> BuildHealthServer(grpc::CallbackGenericService* others) {
  grpc::ServerBuilder builder;
  builder.RegisterCallbackGenericService(others);  // without any service of its builder's gRPC does not start
  builder.SetOption(std::make_unique<NoPlugins>());
  builder.SetMaxReceiveMessageSize(kMaxHealthRequestBytes);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxHealthStreams);
  return builder.BuildAndStart();
}

}  // namespace

// A connection, by a descriptor of our own beside gRPC's: so that cutting it off never meets another one.
class HealthPort::Guest : public net::EventHandler {
 public:
  Guest(HealthPort& port, base::Fd fd) : port_(port), fd_(std::move(fd)) {}
  ~Guest() override {
    if (watch_ != 0) port_.loop_.Unwatch(watch_, fd_.get());
    shutdown(fd_.get(), SHUT_RDWR);  // gRPC closes its own when it sees that
  }

  bool Start() {
    auto watch = port_.loop_.Watch(fd_.get(), EPOLLRDHUP, this);
    if (watch.ok()) watch_ = *watch;
    return watch.ok();
  }

  // The peer has gone, or gRPC cut it off.
  void OnEvents(uint32_t events) override {
    if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) == 0) return;
    port_.guests_.remove_if([this](const auto& each) { return each.get() == this; });  // ends this
  }

 private:
  HealthPort& port_;
  const base::Fd fd_;
  net::WatchId watch_ = 0;
};

HealthPort::HealthPort(Listener listener, net::EventLoop& loop)
    : loop_(loop), listener_(std::move(listener)), address_(listener_.ToString()) {}

HealthPort::~HealthPort() { Shutdown(); }

base::Result<std::unique_ptr<HealthPort>> HealthPort::Start(Listener listener, net::EventLoop& loop) {
  std::unique_ptr<HealthPort> port(new HealthPort(std::move(listener), loop));
  port->server_ = BuildHealthServer(&port->others_);
  if (!port->server_) {
    base::Error error;
    error.message = "gRPC did not start for the health port";
    return error;
  }
  auto watch = loop.Watch(port->listener_.fd.get(), EPOLLIN, port.get());
  if (!watch.ok()) return std::move(watch).error();
  port->watch_ = *watch;
  return port;
}

void HealthPort::SayDraining() {
  if (auto* const health = server_->GetHealthCheckService()) health->SetServingStatus(false);
}

void HealthPort::StopListening() {
  if (retry_ != 0) loop_.CancelTimer(std::exchange(retry_, 0));
  if (listener_.fd) loop_.Unwatch(watch_, listener_.fd.get());
  listener_.fd.reset();
}

void HealthPort::Shutdown() {
  if (server_) server_->Shutdown(std::chrono::system_clock::now());
}

void HealthPort::OnEvents(uint32_t) { AcceptAll(); }

void HealthPort::AcceptAll() {
  if (retry_ != 0) loop_.CancelTimer(std::exchange(retry_, 0));
  while (listener_.fd) {
    base::Fd accepted(accept4(listener_.fd.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (accepted) {
      Admit(std::move(accepted));
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
      // No new edge will come for those that wait already.
      retry_ = loop_.RunAt(loop_.Now() + kRetryHealthAccept, [this] { AcceptAll(); });
      return;
    } else if (errno == EAGAIN || errno == EBADF || errno == EINVAL) {
      return;
    }
  }
}

void HealthPort::Admit(base::Fd accepted) {
  base::Fd handed(fcntl(accepted.get(), F_DUPFD_CLOEXEC, 0));
  if (!handed) return;  // closes it
  while (guests_.size() >= kMaxHealthConnections) guests_.pop_front();
  guests_.push_back(std::make_unique<Guest>(*this, std::move(accepted)));
  if (!guests_.back()->Start()) return guests_.pop_back();
  grpc::AddInsecureChannelFromFd(server_.get(), handed.release());
}

}  // namespace socketeer::rpc
