// The verbs that make, end and describe a connection.
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "tests/faults/sweep.h"

namespace socketeer::net::faults {
namespace {

void AddFreshAddress(Stage& stage) { stage.addresses.push_back(stage.scene.FreshAddress()); }
void AddTarget(Stage& stage) { stage.addresses.push_back(stage.scene.FreshTarget()); }

// fe80::77 or ff02::77, of the loopback interface.
void AddScoped(Stage& stage, bool multicast) {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr.s6_addr[0] = multicast ? 0xff : 0xfe;
  address.sin6_addr.s6_addr[1] = multicast ? 0x02 : 0x80;
  address.sin6_addr.s6_addr[15] = 0x77;
  address.sin6_scope_id = 1;
  stage.addresses.push_back(SocketAddress::FromKernel(&address, sizeof(address)));
}

Outcome RunBind(Stage& stage) {
  auto status = stage.socket().Run([&](Socket& socket) { return socket.Bind(stage.addresses[0]); });
  return OutcomeOf(std::move(status), InState(stage.socket()));
}

void NoInterfaceIsLeft(Stage& stage, const Outcome& outcome, const CallMade* failed) {
  if (!outcome.error || (failed != nullptr && failed->detail == SO_BINDTOIFINDEX)) return;  // see kTolerated
  int index = -1;
  socklen_t size = sizeof(index);
  EXPECT_EQ(::getsockopt(stage.socket().fd(), SOL_SOCKET, SO_BINDTOIFINDEX, &index, &size), 0);
  EXPECT_EQ(index, 0) << "the interface of a bind that failed";
}

Outcome RunListen(Stage& stage) {
  auto status = stage.socket().Run([](Socket& socket) { return socket.Listen(4); });
  return OutcomeOf(std::move(status), InState(stage.socket()));
}

Outcome Connect(Stage& stage, const SocketAddress& to, Mode mode) {
  auto result = stage.socket().Start<ConnectOperation, ConnectResult>(mode, stage.patience, to).Get();
  if (result.ok() && result->timed_out) return {.timed_out = true};
  return OutcomeOf(std::move(result), InState(stage.socket()));
}

Outcome RunConnect(Stage& stage) { return Connect(stage, stage.addresses[0], Mode::kWait); }
Outcome RunDisconnect(Stage& stage) {
  auto status = stage.socket().Run([](Socket& socket) { return socket.Disconnect(); });
  return OutcomeOf(std::move(status), InState(stage.socket()));
}

void AddClient(Stage& stage) {
  stage.held.push_back(testing::Plain(stage.flavour()));
  const SocketAddress local = testing::AddressOf(stage.socket().fd());
  EXPECT_EQ(::connect(stage.held.back().get(), local.data(), local.size()), 0);
}

// Ends an accept.
Outcome TakeIn(Stage& stage, base::Result<AcceptResult> result) {
  if (!result.ok()) return {.error = std::move(result).error()};
  if (result->timed_out) return {.timed_out = true};
  stage.made.push_back(Adopt(stage.rig, *std::move(result)));
  return {.value = InState(stage.made.back())};
}

Outcome RunAccept(Stage& stage) {
  return TakeIn(
      stage,
      stage.socket().Start<AcceptOperation, AcceptResult>(Mode::kWait, stage.patience, AcceptOperation::Want()).Get());
}
Outcome RunAcceptBeforeTheClient(Stage& stage) {
  auto accept =
      stage.socket().Start<AcceptOperation, AcceptResult>(Mode::kWait, stage.patience, AcceptOperation::Want());
  AddClient(stage);
  return TakeIn(stage, accept.Get());
}

template <int kHow>
Outcome RunShutdown(Stage& stage) {
  auto result = stage.socket().Shutdown(kHow).Get();
  const SocketInfo info = stage.socket().info();
  const std::string shut = std::string(info.read_shutdown ? "read " : "") + (info.write_shutdown ? "write" : "");
  return OutcomeOf(std::move(result), InState(stage.socket()) + ", shut: " + shut);
}

Outcome RunSetOptions(Stage& stage) {
  OptionList options = {{FindOption("reuseaddr"), true}};
  if (IsInet6(stage.flavour())) options.emplace_back(FindOption("v6only"), true);
  if (IsTcp(stage.flavour())) options.emplace_back(FindOption("nodelay"), true);
  options.emplace_back(FindOption("linger"), Linger{});
  options.emplace_back(FindOption("sndbuf"), 65'536);
  auto status = stage.socket().Run([&](Socket& socket) { return socket.SetOptions(options); });
  return OutcomeOf(std::move(status));
}

Outcome RunGetOptions(Stage& stage) {
  auto options = stage.socket().Run([](Socket& socket) { return socket.GetOptions(); });
  EXPECT_TRUE(!options.ok() || options->size() >= 6);
  return OutcomeOf(std::move(options));
}

Outcome RunClose(Stage& stage) {
  stage.socket().Close();
  EXPECT_TRUE(stage.socket().observer().closed());
  for (const auto& end : stage.pending) {
    const Outcome outcome = end();
    EXPECT_TRUE(outcome.error && outcome.error->reason == "SOCKET_CLOSED") << outcome.ToString();
  }
  return {};
}

void Linger1s(Stage& stage) {
  const linger value{.l_onoff = 1, .l_linger = 1};
  EXPECT_EQ(::setsockopt(stage.socket().fd(), SOL_SOCKET, SO_LINGER, &value, sizeof(value)), 0);
}

// Nothing on the loop waits for a close that may block, and when nobody knows, it may.
void AWorkerClosed(Stage& stage, const Outcome&, const CallMade*) {
  const std::thread::id loop = stage.rig.Run([] { return std::this_thread::get_id(); });
  EXPECT_NE(stage.kernel.last_closer(), loop);
}

void AddWaitingAccept(Stage& stage) {
  auto pending = std::make_shared<testing::Pending<AcceptResult>>(stage.socket().Accept());
  stage.pending.emplace_back([pending] { return OutcomeOf(pending->Get()); });
}

}  // namespace

std::vector<Scenario> ConnectionScenarios() {
  using enum Situation;
  return {
      {.operation = "bind", .how = "fresh", .applies = Every, .prepare = AddFreshAddress, .run = RunBind},
      {.operation = "bind",
       .how = "to an interface's address that is not there",
       .applies = IsInet6,
       .prepare = [](Stage& stage) { AddScoped(stage, false); },
       .run = RunBind,
       .verify = NoInterfaceIsLeft},
      {.operation = "bind",
       .how = "to an interface's multicast group",
       .applies = [](const Flavour& flavour) { return IsInet6(flavour) && IsDgram(flavour); },
       .prepare = [](Stage& stage) { AddScoped(stage, true); },
       .run = RunBind,
       .verify = NoInterfaceIsLeft},
      {.operation = "listen", .how = "bound", .applies = HasConnections, .situation = kBound, .run = RunListen},
      {.operation = "listen", .how = "not bound", .applies = IsTcp, .run = RunListen},
      {.operation = "listen", .how = "again", .applies = HasConnections, .situation = kListening, .run = RunListen},
      {.operation = "connect", .how = "WAIT", .applies = Every, .prepare = AddTarget, .run = RunConnect, .waits = true},
      {.operation = "connect",
       .how = "WAIT, with a name",
       .applies = Every,
       .situation = kBound,
       .named = true,
       .prepare = AddTarget,
       .run = RunConnect,
       .waits = true},
      {.operation = "connect",
       .how = "EXACT",
       .applies = Every,
       .prepare = AddTarget,
       .run = [](Stage& stage) { return Connect(stage, stage.addresses[0], Mode::kExact); },
       .repeatable = false},
      {.operation = "connect",
       .how = "to another peer",
       .applies = IsDgram,
       .situation = kConnected,
       .prepare = AddTarget,
       .run = RunConnect,
       .waits = true},
      {.operation = "connect",
       .how = "to an interface's address that is not there",
       .applies = IsInet6,
       .prepare = [](Stage& stage) { AddScoped(stage, false); },
       .run = RunConnect,
       .verify = NoInterfaceIsLeft,
       .waits = true,
       .repeatable = false},
      {.operation = "connect",
       .how = "disconnect",
       .applies = CanDisconnect,
       .situation = kConnected,
       .run = RunDisconnect},
      {.operation = "connect",
       .how = "disconnect, with a name",
       .applies = CanDisconnect,
       .situation = kConnected,
       .named = true,
       .run = RunDisconnect},
      {.operation = "connect",
       .how = "disconnect a listener",
       .applies = IsTcp,
       .situation = kListening,
       .run = RunDisconnect},
      {.operation = "connect",
       .how = "disconnect, as an operation",
       .applies = CanDisconnect,
       .situation = kConnected,
       .run = [](Stage& stage) { return Connect(stage, SocketAddress::Unspecified(), Mode::kExact); }},
      {.operation = "accept",
       .how = "EXACT",
       .applies = HasConnections,
       .situation = kListening,
       .prepare = AddClient,
       .run = [](Stage& stage) { return TakeIn(stage, stage.socket().Accept(Mode::kExact).Get()); }},
      {.operation = "accept",
       .how = "WAIT",
       .applies = HasConnections,
       .situation = kListening,
       .prepare = AddClient,
       .run = RunAccept,
       .waits = true},
      {.operation = "accept",
       .how = "WAIT, before there is a client",
       .applies = HasConnections,
       .situation = kListening,
       .run = RunAcceptBeforeTheClient,
       .waits = true},
      {.operation = "shutdown", .how = "read", .applies = Every, .situation = kConnected, .run = RunShutdown<SHUT_RD>},
      {.operation = "shutdown", .how = "write", .applies = Every, .situation = kConnected, .run = RunShutdown<SHUT_WR>},
      {.operation = "shutdown",
       .how = "both",
       .applies = Every,
       .situation = kConnected,
       .run = RunShutdown<SHUT_RDWR>},
      {.operation = "shutdown",
       .how = "a listener",
       .applies = IsTcp,
       .situation = kListening,
       .run = RunShutdown<SHUT_RD>},
      {.operation = "shutdown",
       .how = "a connect",
       .applies = IsTcp,
       .situation = kConnecting,
       .run = RunShutdown<SHUT_RDWR>},
      {.operation = "setsockopt", .how = "several", .applies = Every, .run = RunSetOptions},
      {.operation = "getsockopt", .how = "all", .applies = Every, .run = RunGetOptions},
      {.operation = "close", .how = "new", .applies = Every, .run = RunClose, .repeatable = false},
      {.operation = "close",
       .how = "bound",
       .applies = Every,
       .situation = kBound,
       .run = RunClose,
       .repeatable = false},
      {.operation = "close",
       .how = "connected",
       .applies = Every,
       .situation = kConnected,
       .run = RunClose,
       .repeatable = false},
      {.operation = "close",
       .how = "lingering",
       .applies = IsTcp,
       .situation = kConnected,
       .prepare = Linger1s,
       .run = RunClose,
       .verify = AWorkerClosed,
       .repeatable = false},
      {.operation = "close",
       .how = "while an accept waits",
       .applies = HasConnections,
       .situation = kListening,
       .prepare = AddWaitingAccept,
       .run = RunClose,
       .repeatable = false},
  };
}

}  // namespace socketeer::net::faults
