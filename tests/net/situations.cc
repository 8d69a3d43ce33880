#include "tests/net/situations.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>

#include <atomic>
#include <cerrno>

#include "tests/support/eventually.h"

namespace socketeer::net::testing {

base::Fd Plain(const Flavour& flavour) {
  base::Fd fd(::socket(flavour.family, flavour.type | SOCK_CLOEXEC, 0));
  EXPECT_TRUE(fd);
  return fd;
}

base::Fd PlainTarget(const Flavour& flavour, const SocketAddress& address, int backlog) {
  base::Fd fd = Plain(flavour);
  EXPECT_EQ(::bind(fd.get(), address.data(), address.size()), 0) << address.ToString();
  if (!flavour.HasConnections()) return fd;
  EXPECT_EQ(::listen(fd.get(), backlog), 0);
  return fd;
}

SocketAddress AddressOf(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof(storage);
  EXPECT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size), 0);
  return SocketAddress::FromKernel(&storage, size);
}

void WaitFor(int fd, short events) {
  pollfd item{.fd = fd, .events = events, .revents = 0};
  constexpr int kDeadlineMs = 30'000;
  EXPECT_EQ(::poll(&item, 1, kDeadlineMs), 1) << "the event did not come";
}

int TcpStateOf(int fd) {
  tcp_info info{};
  socklen_t size = sizeof(info);
  EXPECT_EQ(::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size), 0);
  return info.tcpi_state;
}

SocketAddress Scene::FreshAddress() {
  static std::atomic<int> count{0};
  const std::string name = dir_.File("s" + std::to_string(count++));
  if (flavour_.abstract_name) return *SocketAddress::UnixAbstract(name);
  if (flavour_.IsUnix()) return *SocketAddress::UnixPath(name);
  return *SocketAddress::Inet(flavour_.family == AF_INET ? "127.0.0.1" : "::1", 0, "");
}

SocketAddress Scene::FreshTarget() {
  more_targets_.push_back(PlainTarget(flavour_, FreshAddress()));
  return AddressOf(more_targets_.back().get());
}

SocketAddress Scene::SilentTarget() {
  more_targets_.push_back(PlainTarget(flavour_, FreshAddress(), 0));  // room for one
  const int target = more_targets_.back().get();
  const SocketAddress address = AddressOf(target);
  more_targets_.push_back(Plain(flavour_));
  EXPECT_EQ(::connect(more_targets_.back().get(), address.data(), address.size()), 0);
  WaitFor(target, POLLIN);
  return address;
}

void Scene::BindNamed() {
  const auto bind = [this](const SocketAddress& address) {
    return socket_.Run([&](Socket& socket) { return socket.Bind(address); });
  };
  if (flavour_.IsUnix()) {
    EXPECT_TRUE(bind(FreshAddress()).ok());
    return;
  }
  while (true) {  // until nobody takes the port between our looking for it and taking it
    SocketAddress free;
    {
      const base::Fd finder = Plain(flavour_);
      const SocketAddress any = FreshAddress();
      ASSERT_EQ(::bind(finder.get(), any.data(), any.size()), 0);
      free = AddressOf(finder.get());
    }
    const base::Status bound = bind(free);
    if (bound.ok()) return;
    ASSERT_EQ(bound.error().errno_number, EADDRINUSE);
  }
}

void Scene::Connect() {
  target_ = PlainTarget(flavour_, FreshAddress());
  const auto result = socket_.Connect(AddressOf(target_.get())).Get();
  ASSERT_TRUE(result.ok()) << result.error().message;
  if (flavour_.HasConnections()) peer_.reset(::accept4(target_.get(), nullptr, nullptr, SOCK_CLOEXEC));
}

void Scene::Reset() {
  const auto sent = flavour_.type == SOCK_STREAM
                        ? socket_.Send("unread").Get().ok()
                        : socket_.SendDatagrams({{.payload = "unread", .destination = {}}}).Get().ok();
  ASSERT_TRUE(sent);
  WaitFor(peer_.get(), POLLIN);
  peer_.reset();  // with data unread: that resets
  WaitFor(socket_.fd(), POLLERR | POLLHUP);
  const auto told = flavour_.type == SOCK_STREAM ? socket_.Receive(1, Mode::kExact).Get().error().reason
                                                 : socket_.ReceiveDatagrams(1, Mode::kExact).Get().error().reason;
  EXPECT_EQ(told, "ECONNRESET");
}

void Scene::Bring(Situation situation, bool named) {
  situation_ = situation;
  const bool wants_any_name = situation == Situation::kBound || situation == Situation::kListening;
  if (named || (wants_any_name && flavour_.IsUnix())) {
    BindNamed();
  } else if (wants_any_name) {
    EXPECT_TRUE(socket_.Run([this](Socket& socket) { return socket.Bind(FreshAddress()); }).ok());
  }
  switch (situation) {
    case Situation::kCreated:
    case Situation::kBound:
      return;
    case Situation::kListening:
      EXPECT_TRUE(socket_.Run([](Socket& socket) { return socket.Listen(16); }).ok());
      return;
    case Situation::kConnecting:
      EXPECT_EQ(socket_.Connect(SilentTarget(), Mode::kExact).Get().error().reason, "EINPROGRESS");
      return;
    case Situation::kFailed: {
      target_ = Plain(flavour_);  // bound, but it does not listen
      const SocketAddress any = FreshAddress();
      ASSERT_EQ(::bind(target_.get(), any.data(), any.size()), 0);
      EXPECT_EQ(socket_.Connect(AddressOf(target_.get()), Mode::kExact).Get().error().reason, "EINPROGRESS");
      socket_.observer().WaitUntilNot(State::kConnecting);
      return;
    }
    default:
      break;
  }
  Connect();
  const auto shut = [this](int how) { EXPECT_TRUE(socket_.Shutdown(how).Get().ok()); };
  if (situation == Situation::kReadShut) shut(SHUT_RD);
  if (situation == Situation::kWriteShut || situation == Situation::kFinished) shut(SHUT_WR);
  if (situation == Situation::kBothShut) shut(SHUT_RDWR);
  if (situation == Situation::kDisconnected) Reset();
  if (situation == Situation::kPeerClosed || situation == Situation::kFinished) {
    if (!flavour_.HasConnections()) return target_.reset();
    if (situation == Situation::kFinished) {
      EXPECT_EQ(Read(peer_.get()), "");
    }
    peer_.reset();
    WaitFor(socket_.fd(), POLLRDHUP);
    if (situation != Situation::kFinished || flavour_.IsUnix()) return;
    const int fd = socket_.fd();
    EXPECT_TRUE(::socketeer::testing::Eventually([fd] { return TcpStateOf(fd) == TCP_CLOSE; },
                                                 "poll(2) sees the end a moment before the connection is taken down"));
  }
}

std::string Scene::Read(int fd) {
  char buffer[64];
  const ssize_t count = ::recv(fd, buffer, sizeof(buffer), 0);
  EXPECT_GE(count, 0) << strerrordesc_np(errno);
  return std::string(buffer, static_cast<size_t>(std::max<ssize_t>(count, 0)));
}

void Scene::ExpectReceived(const std::string& data) {
  if (flavour_.type == SOCK_STREAM) {
    const auto got = socket_.Receive(64).Get();
    ASSERT_TRUE(got.ok()) << got.error().message;
    EXPECT_EQ(got->data, data);
    EXPECT_EQ(got->end_of_stream, data.empty());
    return;
  }
  const auto got = socket_.ReceiveDatagrams(1).Get();
  ASSERT_TRUE(got.ok()) << got.error().message;
  EXPECT_EQ(got->end_of_stream, data.empty());
  if (data.empty()) return;
  EXPECT_EQ(got->datagrams.at(0).payload, data);
}

// `target` is empty: to its peer.
void Scene::ProveItSends(const SocketAddress& target, int receiver) {
  if (flavour_.type == SOCK_STREAM) {
    const auto sent = socket_.Send("out").Get();
    ASSERT_TRUE(sent.ok()) << sent.error().message;
  } else {
    const auto sent = socket_.SendDatagrams({{.payload = "out", .destination = target}}).Get();
    ASSERT_TRUE(sent.ok()) << sent.error().message;
  }
  EXPECT_EQ(Read(receiver), "out");
}

void Scene::PeerSends() {
  const SocketAddress local = socket_.info().local;
  if (!flavour_.HasConnections() && local.empty()) return;  // it has no name that one could send to
  const int from = flavour_.HasConnections() ? peer_.get() : target_.get();
  const sockaddr* const to = flavour_.HasConnections() ? nullptr : local.data();
  const socklen_t size = flavour_.HasConnections() ? 0 : local.size();
  ASSERT_EQ(::sendto(from, "in", 2, MSG_NOSIGNAL, to, size), 2) << strerrordesc_np(errno);
  ExpectReceived("in");
}

void Scene::ProveItConnects() {
  if (!flavour_.HasConnections()) {
    target_ = PlainTarget(flavour_, FreshAddress());
    ProveItSends(AddressOf(target_.get()), target_.get());
    return PeerSends();
  }
  Connect();
  ProveItSends({}, peer_.get());
  PeerSends();
}

void Scene::ProveItWorks() {
  const bool dgram = !flavour_.HasConnections();
  const int receiver = dgram ? target_.get() : peer_.get();
  switch (situation_) {
    case Situation::kCreated:
    case Situation::kBound:
      return ProveItConnects();
    case Situation::kListening: {
      const base::Fd client = Plain(flavour_);
      const SocketAddress local = socket_.info().local;
      EXPECT_EQ(::connect(client.get(), local.data(), local.size()), 0);
      auto accepted = socket_.Accept().Get();
      ASSERT_TRUE(accepted.ok()) << accepted.error().message;
      ::close(accepted->fd);
      return;
    }
    case Situation::kConnecting:
      EXPECT_EQ(TcpStateOf(socket_.fd()), TCP_SYN_SENT);
      return;
    case Situation::kFailed:
      EXPECT_EQ(socket_.Connect(FreshTarget(), Mode::kExact).Get().error().reason, "ECONNREFUSED");
      return ProveItConnects();
    case Situation::kConnected:
      ProveItSends({}, receiver);
      return PeerSends();
    case Situation::kReadShut:
      return ProveItSends({}, receiver);
    case Situation::kWriteShut:
      return PeerSends();
    case Situation::kBothShut:
      if (!dgram) ExpectReceived("");
      return;
    case Situation::kPeerClosed:
      if (dgram) {
        target_ = PlainTarget(flavour_, FreshAddress());
        return ProveItSends(AddressOf(target_.get()), target_.get());
      }
      [[fallthrough]];
    case Situation::kFinished:
      return ExpectReceived("");
    case Situation::kDisconnected:
      ExpectReceived("");
      if (flavour_.IsUnix()) return;
      EXPECT_TRUE(socket_.Run([](Socket& socket) { return socket.Disconnect(); }).ok());
      return ProveItConnects();
  }
}

}  // namespace socketeer::net::testing
