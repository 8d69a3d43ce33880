// Every cell of the state table, on the real kernel.
#include "server/net/state_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <optional>
#include <sstream>
#include <vector>

#include "server/net/errno_table.h"
#include "tests/net/attach_clients.h"
#include "tests/net/situations.h"

namespace socketeer::net {
namespace {

using testing::Flavour;
using testing::kFlavours;
using testing::Rig;
using testing::Scene;
using testing::TestSocket;
using Verdict = Outcome::Verdict;

// What a call came to.
struct Seen {
  std::string word;  // as Outcome::word
  std::optional<base::Error> error;
};

Seen Failed(base::Error error) {
  std::string reason = error.reason;
  return {.word = std::move(reason), .error = std::move(error)};
}
template <typename T>
Seen Ended(base::Result<T> result) {
  if (!result.ok()) return Failed(std::move(result).error());
  if constexpr (requires { result->end_of_stream; }) {
    if (result->end_of_stream) return {.word = "eof", .error = {}};
  }
  if constexpr (requires { result->timed_out; }) {
    EXPECT_FALSE(result->timed_out);
  }
  return {.word = "ok", .error = {}};
}

Seen Send(TestSocket& socket, bool stream, const SocketAddress& destination) {
  if (stream) return Ended(socket.Send("hello", Mode::kExact).Get());
  return Ended(socket.SendDatagrams({{.payload = "hello", .destination = destination}}, Mode::kExact).Get());
}

Seen Receive(TestSocket& socket, bool stream, bool peek) {
  if (stream) return Ended(socket.Receive(64, Mode::kExact, {}, peek).Get());
  return Ended(socket.ReceiveDatagrams(1, Mode::kExact, peek).Get());
}

Seen Attach(Rig& rig, Socket& socket) {
  const auto leave = [](auto attached) {
    if (attached.ok()) (*attached)->Leave();
    return Ended(std::move(attached));
  };
  switch (const AttachTerms terms{.receive_window = 1, .send_window = 1}; AttachKindOf(socket.info())) {
    case AttachKind::kStream:
      return leave(socket.Attach(terms, std::make_shared<testing::BytesKeeper>()));
    case AttachKind::kDatagrams:
      return leave(socket.AttachDatagrams(terms, std::make_shared<testing::DatagramKeeper>()));
    case AttachKind::kListener:
      return leave(socket.AttachListener(terms, std::make_shared<testing::ListenerKeeper>(rig)));
  }
  return {};
}

Seen Await(TestSocket& socket) {
  socket.Run([](Socket& on_loop) {
    for (const Condition condition : {Condition::kReadable, Condition::kPeerClosed, Condition::kClosed}) {
      const WaiterId id = Shard::NextId();
      on_loop.AddWaiter({.id = id, .condition = condition, .done = [](const base::Result<const SocketInfo*>&) {}});
      on_loop.RemoveWaiter(id);
    }
  });
  return {.word = "ok", .error = {}};
}

Seen Make(Call call, Rig& rig, Scene& scene) {
  TestSocket& socket = scene.socket();
  const bool stream = scene.flavour().type == SOCK_STREAM;
  const bool tcp = scene.flavour().kind().IsTcp();
  switch (call) {
    case Call::kBind:
      return Ended(socket.Run([&](Socket& s) { return s.Bind(scene.FreshAddress()); }));
    case Call::kConnect:
      return Ended(socket.Connect(tcp ? scene.SilentTarget() : scene.FreshTarget(), Mode::kExact).Get());
    case Call::kDisconnect:
      return Ended(socket.Run([](Socket& s) { return s.Disconnect(); }));
    case Call::kListen:
      return Ended(socket.Run([](Socket& s) { return s.Listen(16); }));
    case Call::kAccept:
      return Ended(socket.Accept(Mode::kExact).Get());
    case Call::kSend:
      return Send(socket, stream, {});
    case Call::kSendTo:
      return Send(socket, stream, scene.FreshTarget());
    case Call::kReceive:
      return Receive(socket, stream, false);
    case Call::kPeek:
      return Receive(socket, stream, true);
    case Call::kShutdownRead:
      return Ended(socket.Run([](Socket& s) { return s.Shutdown(SHUT_RD); }));
    case Call::kShutdownWrite:
      return Ended(socket.Shutdown(SHUT_WR).Get());
    case Call::kShutdownBoth:
      return Ended(socket.Shutdown(SHUT_RDWR).Get());
    case Call::kAttach:
      return socket.Run([&](Socket& s) { return Attach(rig, s); });
    case Call::kGetOptions:
      return Ended(socket.Run([](Socket& s) { return s.GetOptions(); }));
    case Call::kSetOptions:
      return Ended(socket.Run([](Socket& s) { return s.SetOptions({{FindOption("keepalive"), true}}); }));
    case Call::kAwait:
      return Await(socket);
    case Call::kClose:
      socket.Close();
      EXPECT_TRUE(socket.observer().closed());
      return {.word = "ok", .error = {}};
  }
  return {};
}

// Everything about a socket that a call without effect must leave alone.
std::string Snapshot(TestSocket& socket) {
  constexpr std::pair<int, int> kOptions[] = {
      {SOL_SOCKET, SO_REUSEADDR},     {SOL_SOCKET, SO_REUSEPORT},     {SOL_SOCKET, SO_BROADCAST},
      {SOL_SOCKET, SO_KEEPALIVE},     {SOL_SOCKET, SO_LINGER},        {SOL_SOCKET, SO_RCVLOWAT},
      {SOL_SOCKET, SO_RCVBUF},        {SOL_SOCKET, SO_SNDBUF},        {SOL_SOCKET, SO_PRIORITY},
      {SOL_SOCKET, SO_ACCEPTCONN},    {SOL_SOCKET, SO_BINDTOIFINDEX}, {SOL_SOCKET, SO_PASSCRED},
      {SOL_SOCKET, SO_TIMESTAMP},     {SOL_SOCKET, SO_OOBINLINE},     {SOL_SOCKET, SO_MARK},
      {SOL_SOCKET, SO_PEERCRED},      {IPPROTO_IP, IP_TOS},           {IPPROTO_IP, IP_TTL},
      {IPPROTO_IP, IP_PKTINFO},       {IPPROTO_IP, IP_MTU_DISCOVER},  {IPPROTO_IPV6, IPV6_V6ONLY},
      {IPPROTO_IPV6, IPV6_TCLASS},    {IPPROTO_TCP, TCP_NODELAY},     {IPPROTO_TCP, TCP_DEFER_ACCEPT},
      {IPPROTO_TCP, TCP_KEEPIDLE},    {IPPROTO_TCP, TCP_SYNCNT},      {IPPROTO_TCP, TCP_WINDOW_CLAMP},
      {IPPROTO_TCP, TCP_USER_TIMEOUT}};
  const SocketInfo info = socket.info();
  std::ostringstream text;
  text << "state " << static_cast<int>(info.state) << ", read shut " << info.read_shutdown << ", write shut "
       << info.write_shutdown << ", local " << info.local.ToString() << ", peer " << info.peer.ToString() << "\n";
  const int fd = socket.fd();
  const auto name = [&](auto call, const char* label) {
    sockaddr_storage storage{};
    socklen_t size = sizeof(storage);
    text << label << " ";
    if (call(fd, reinterpret_cast<sockaddr*>(&storage), &size) < 0) {
      text << ErrnoName(errno) << "\n";
    } else {
      text << SocketAddress::FromKernel(&storage, size).ToString() << "\n";
    }
  };
  name(::getsockname, "getsockname");
  name(::getpeername, "getpeername");
  pollfd item{.fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP | POLLPRI, .revents = 0};
  ::poll(&item, 1, 0);
  text << "poll " << item.revents << "\n";
  for (const auto& [level, option] : kOptions) {
    char value[16] = {};
    socklen_t size = sizeof(value);
    if (::getsockopt(fd, level, option, value, &size) < 0) size = 0;
    text << level << "/" << option << ":";
    for (socklen_t i = 0; i < size; ++i) text << " " << static_cast<int>(value[i]);
    text << "\n";
  }
  return text.str();
}

void ExpectError(const Outcome& stated, const Seen& seen, Call call, State state) {
  ASSERT_TRUE(seen.error);
  const base::Error& error = *seen.error;
  const bool forbidden = stated.verdict == Verdict::kForbidden;
  EXPECT_EQ(error.code, forbidden ? base::Code::kFailedPrecondition : ErrnoCode(stated.number));
  EXPECT_EQ(error.origin, stated.number != 0 ? base::Origin::kKernel : base::Origin::kDaemon);
  EXPECT_EQ(error.errno_number, stated.number);
  EXPECT_EQ(error.operation, OperationName(call));
  EXPECT_EQ(error.socket, "sockets/test");
  EXPECT_EQ(error.state, static_cast<int>(stated.next != State::kUnspecified ? stated.next : state));
}

void CheckCell(const Flavour& flavour, const Row& row, Call call, bool named) {
  const Outcome& stated = named ? row.of(call).named : row.of(call).unnamed;
  if (stated.verdict == Verdict::kMissing) return;  // StateTable.IsComplete says where that may be
  SCOPED_TRACE(std::string(NameOf(call)) + (named ? ", named" : ", unnamed"));
  Rig rig;
  Scene scene(rig, flavour);
  scene.Bring(row.situation, named);
  const State state = scene.socket().info().state;
  const std::string before = Snapshot(scene.socket());
  const Seen seen = Make(call, rig, scene);
  EXPECT_EQ(seen.word, stated.word);
  if (stated.verdict != Verdict::kOk && stated.verdict != Verdict::kEnd) ExpectError(stated, seen, call, state);
  if (call == Call::kClose) return;
  EXPECT_EQ(scene.socket().info().state, stated.next != State::kUnspecified ? stated.next : state);
  if (stated.verdict != Verdict::kForbidden && stated.verdict != Verdict::kUnknown) return;
  EXPECT_EQ(Snapshot(scene.socket()), before);
  scene.ProveItWorks();
}

struct Case {
  Flavour flavour;
  Situation situation;
};

void PrintTo(const Case& each, std::ostream* out) { *out << each.flavour.name << ", " << NameOf(each.situation); }

std::vector<Case> EveryCase() {
  std::vector<Case> cases;
  for (const Flavour& flavour : kFlavours) {
    for (const Row& row : StateTable()) {
      if (row.kind == ClassOf(flavour.kind())) cases.push_back({flavour, row.situation});
    }
  }
  return cases;
}

std::string NameOfCase(const ::testing::TestParamInfo<Case>& info) {
  std::string name = std::string(info.param.flavour.name) + "_" + NameOf(info.param.situation);
  std::erase(name, ',');
  std::ranges::replace(name, ' ', '_');
  return name;
}

class StateTableTest : public ::testing::TestWithParam<Case> {};

TEST_P(StateTableTest, Holds) {
  const auto& [flavour, situation] = GetParam();
  const Row& row = *FindRow(ClassOf(flavour.kind()), situation);
  for (int i = 0; i < kCalls; ++i) {
    const Call call = static_cast<Call>(i);
    if (situation != Situation::kCreated) CheckCell(flavour, row, call, true);
    // To be bound, or to listen, a UNIX socket needs a name.
    const bool needs_name = situation == Situation::kBound || situation == Situation::kListening;
    if (!needs_name || !flavour.IsUnix()) CheckCell(flavour, row, call, false);
  }
}

INSTANTIATE_TEST_SUITE_P(All, StateTableTest, ::testing::ValuesIn(EveryCase()), NameOfCase);

bool CanCome(KindClass kind, Situation situation) {
  const bool connections = kind != KindClass::kUdp && kind != KindClass::kUnixDgram;
  switch (situation) {
    case Situation::kConnecting:
    case Situation::kFailed:
      return kind == KindClass::kTcp;
    case Situation::kListening:
    case Situation::kFinished:
    case Situation::kDisconnected:
      return connections;
    case Situation::kPeerClosed:
      return kind != KindClass::kUdp;
    default:
      return true;
  }
}

TEST(StateTable, IsComplete) {
  for (int k = 0; k <= static_cast<int>(KindClass::kUnixSeqpacket); ++k) {
    const auto kind = static_cast<KindClass>(k);
    for (int s = 0; s <= static_cast<int>(Situation::kDisconnected); ++s) {
      const auto situation = static_cast<Situation>(s);
      SCOPED_TRACE(std::string(NameOf(kind)) + " " + NameOf(situation));
      const Row* row = FindRow(kind, situation);
      ASSERT_EQ(row != nullptr, CanCome(kind, situation));
      if (row == nullptr) continue;
      for (int i = 0; i < kCalls; ++i) {
        const bool datagrams = kind == KindClass::kUdp || kind == KindClass::kUnixDgram;
        const bool may_miss = static_cast<Call>(i) == Call::kSendTo && !datagrams;
        EXPECT_EQ(row->cells[i].unnamed.verdict == Verdict::kMissing, may_miss) << NameOf(static_cast<Call>(i));
      }
    }
  }
}

}  // namespace
}  // namespace socketeer::net
