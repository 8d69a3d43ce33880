// Through the whole daemon: a system call fails, and the caller is told which and how, nothing is left of what was not
// made, and the socket can still be closed. (tests/faults does the same to every operation, without RPCs.)
#include <cstdio>
#include <functional>
#include <optional>

#include "server/net/errno_table.h"
#include "server/net/target.h"
#include "tests/contract/rig.h"
#include "tests/support/counted.h"
#include "tests/support/nth_call_fails.h"

namespace socketeer::contract::faults {
namespace {

using testing::CallMade;
using testing::NthCallFails;

using Sockets = std::vector<v1::Socket>;

// With the kernel whose calls fail.
struct FaultRig : Rig {
  FaultRig(const Kind& kind, TestServer& server, NthCallFails& made_to_fail)
      : Rig(kind, server), kernel(made_to_fail) {}
  NthCallFails& kernel;
};

struct FaultCase {
  const char* name;
  bool (*applies)(const Kind&);
  const char* told;  // the system call whose failure must be told
  Sockets (*prepare)(FaultRig&);
  // The call under test; sockets that it makes are added.
  grpc::Status (*run)(FaultRig&, Sockets&);
};

// A wait that nothing ends, because the kernel did not mean the EAGAIN.
constexpr char kShortWait[] = " timeout { nanos: 5000000 } ";

template <typename Method>
grpc::Status Told(FaultRig& rig, Method method, const std::string& text) {
  return rig.caller().Ask(method, text).status;
}

grpc::Status OpenNamed(FaultRig& rig, Sockets& sockets, const std::string& more) {
  auto request = testing::Text<v1::OpenSocketRequest>(rig.Make());
  request.MergeFrom(testing::Text<v1::OpenSocketRequest>("socket_id: 'faulty' " + more));
  auto reply = rig.caller().Ask(&Stub::OpenSocket, request);
  if (reply.ok()) sockets.push_back(reply->socket());
  return reply.status;
}

Sockets None(FaultRig&) { return {}; }
Sockets OneNew(FaultRig& rig) { return {rig.Open()}; }
Sockets OneBound(FaultRig& rig) { return {rig.Bound()}; }
Sockets TargetAndNew(FaultRig& rig) {
  const v1::Socket target = rig.kind().HasConnections() ? rig.Listener() : rig.Bound();
  return {rig.Open(), target};
}
Sockets OnePair(FaultRig& rig) {
  const Pair pair = rig.Connected();
  return {pair.client, pair.server};
}
Sockets PairWithData(FaultRig& rig) {
  const Sockets pair = OnePair(rig);
  rig.Send(pair[1], "data");
  return pair;
}
Sockets ListenerWithClient(FaultRig& rig) {
  const v1::Socket listener = rig.Listener();
  return {listener, rig.ClientOf(listener)};
}

grpc::Status StatusOf(const google::rpc::Status& status) {
  return {static_cast<grpc::StatusCode>(status.code()), status.message(), status.SerializeAsString()};
}

// What is told in place of the first datagram or connection, or of the end of either direction; or OK, once
// `over(stream)`. Behind a pretended EAGAIN the kernel has nothing to announce: `stir` makes it.
grpc::Status Watch(FaultRig& rig, const v1::Socket& socket, const std::string& frame,
                   const std::function<grpc::Status()>& stir, const std::function<bool(testing::Counted&)>& over) {
  testing::Counted counted(rig.caller(), socket);
  if (counted.refused()) return counted.Finish();
  if (!frame.empty()) counted.Write(frame);
  grpc::Status told = stir();
  for (bool detached = false;;) {
    if (!detached && (!told.ok() || over(counted))) {
      detached = true;
      counted.Write("detach {}");
    }
    const auto next = counted.Next();  // to the end: what comes with the last of them may fail, too
    if (!next) {
      const grpc::Status end = counted.Finish();
      return told.ok() ? end : told;
    }
    if (next->has_receive_failure()) told = StatusOf(next->receive_failure().error());
    if (next->has_send_failure()) told = StatusOf(next->send_failure().error());
    if (next->has_receive_error()) told = StatusOf(next->receive_error());
    if (next->has_send_error()) told = StatusOf(next->send_error());
  }
}

grpc::Status AttachAndReceive(FaultRig& rig, Sockets& s) {
  return Watch(
      rig, s[0], "", [&] { return rig.TrySend(s[1], kShortWait); },
      [](testing::Counted& counted) { return counted.received() > 0; });
}
grpc::Status AttachAndSend(FaultRig& rig, Sockets& s) {
  return Watch(
      rig, s[0], "datagrams { datagrams { payload: 'x' } }",
      [&] {
        rig.kernel.AwaitCall("sendmmsg");  // what the kernel announces before that is of no use to it
        return rig.TrySend(s[1], kShortWait);
      },
      [](testing::Counted& counted) { return counted.done() > 0; });
}
grpc::Status AttachAndAccept(FaultRig& rig, Sockets& s) {
  auto request = testing::Text<v1::OpenSocketRequest>(rig.Make() + "connect { " + rig.Reach(s[0]) + " }" + kShortWait);
  const grpc::Status told = Watch(
      rig, s[0], "", [&] { return rig.caller().Ask(&Stub::OpenSocket, request).status; },
      [](testing::Counted& counted) { return counted.received() > 0; });
  const auto all = rig.caller().Ask(&Stub::ListSockets, "");
  s.assign(all->sockets().begin(), all->sockets().end());
  return told;
}

std::vector<FaultCase> FaultCases() {
  const auto always = [](const Kind&) { return true; };
  const auto connections = [](const Kind& kind) { return kind.HasConnections(); };
  const auto datagrams = [](const Kind& kind) { return kind.HasRecords(); };
  const auto udp = [](const Kind& kind) { return kind.IsUdp(); };
  const auto records = [](const Kind& kind) { return kind.HasRecords() && !kind.IsUdp(); };
  return {
      {"open", always, "socket", None, [](FaultRig& rig, Sockets& s) { return OpenNamed(rig, s, ""); }},
      {"open, bind", always, "bind", None,
       [](FaultRig& rig, Sockets& s) { return OpenNamed(rig, s, "bind { " + rig.Fresh() + " }"); }},
      {"open, bind, listen", connections, "listen", None,
       [](FaultRig& rig, Sockets& s) { return OpenNamed(rig, s, "listen {} bind { " + rig.Fresh() + " }"); }},
      {"open, connect", always, "setsockopt", TargetAndNew,
       [](FaultRig& rig, Sockets& s) {
         return OpenNamed(rig, s, "options { keepalive: true } connect { " + rig.Reach(s[1]) + " }" + kShortWait);
       }},
      {"bind", always, "bind", OneNew,
       [](FaultRig& rig, Sockets& s) {
         return Told(rig, &Stub::BindSocket, Rig::At(s[0]) + "local { " + rig.Fresh() + " }");
       }},
      {"listen", connections, "listen", OneBound,
       [](FaultRig& rig, Sockets& s) { return Told(rig, &Stub::ListenSocket, Rig::At(s[0])); }},
      {"connect", always, "", TargetAndNew,
       [](FaultRig& rig, Sockets& s) {
         return Told(rig, &Stub::ConnectSocket, Rig::At(s[0]) + "peer { " + rig.Reach(s[1]) + " }" + kShortWait);
       }},
      {"accept", connections, "accept4", ListenerWithClient,
       [](FaultRig& rig, Sockets& s) {
         auto reply = rig.caller().Ask(&Stub::AcceptSocket, Rig::At(s[0]) + kShortWait);
         if (reply.ok() && reply->has_socket()) s.push_back(reply->socket());
         return reply.status;
       }},
      {"send", always, "sendmsg", OnePair, [](FaultRig& rig, Sockets& s) { return rig.TrySend(s[0], kShortWait); }},
      {"receive", always, "recvmsg", PairWithData,
       [](FaultRig& rig, Sockets& s) { return rig.TryReceive(s[0], kShortWait); }},
      {"attach, receive", udp, "recvmmsg", PairWithData, AttachAndReceive},
      {"attach, receive", records, "recvmsg", PairWithData, AttachAndReceive},
      {"attach, send", datagrams, "sendmmsg", OnePair, AttachAndSend},
      {"attach, accept", connections, "accept4", ListenerWithClient, AttachAndAccept},
      {"shutdown", always, "shutdown", OnePair,
       [](FaultRig& rig, Sockets& s) {
         return Told(rig, &Stub::ShutdownSocket, Rig::At(s[0]) + "direction: DIRECTION_WRITE");
       }},
      {"setsockopt", always, "setsockopt", OneNew,
       [](FaultRig& rig, Sockets& s) {
         return Told(rig, &Stub::SetSocketOptions, Rig::At(s[0]) + "options { keepalive: true sndbuf: 65536 }");
       }},
      {"getsockopt", always, "", OneNew,
       [](FaultRig& rig, Sockets& s) { return Told(rig, &Stub::GetSocketOptions, Rig::At(s[0])); }},
      {"await", always, "", PairWithData,
       [](FaultRig& rig, Sockets& s) {
         return Told(rig, &Stub::AwaitSockets, "items { " + Rig::At(s[0]) + " condition: CONDITION_READABLE }");
       }},
      {"close", always, "", OneBound,
       [](FaultRig& rig, Sockets& s) {
         const v1::Socket closed = s.back();
         s.clear();
         return Told(rig, &Stub::CloseSocket, Rig::At(closed));
       }},
  };
}

class FaultsByRpc : public ::testing::TestWithParam<Kind> {
 protected:
  FaultsByRpc() : server_({.syscalls = &kernel_}), rig_(GetParam(), server_, kernel_) {
    rig_.Close({rig_.Open()});  // whose thread the seam watches from now on
  }

  // Returns how many failures it injected.
  size_t Sweep(const FaultCase& fault_case) {
    size_t injected = 0;
    for (size_t n = 1;; ++n) {
      size_t which = 0;
      while (RunOnce(fault_case, n, which)) ++which;
      server_.ExpectClean();
      injected += which;
      if (which == 0 || HasFailure()) return injected;
    }
  }

 private:
  // False: nothing failed.
  bool RunOnce(const FaultCase& fault_case, size_t n, size_t which) {
    Sockets sockets = fault_case.prepare(rig_);
    kernel_.Arm(n, which);
    const grpc::Status status = fault_case.run(rig_, sockets);
    const auto failed = kernel_.Disarm();
    if (!failed) {
      EXPECT_TRUE(status.ok()) << fault_case.name << ": " << status.error_message();
    } else {
      SCOPED_TRACE(std::string(fault_case.name) + ": call " + std::to_string(n) + ", " + failed->call + " fails with " +
                   net::ErrnoName(failed->number));
      Judge(fault_case, status, *failed);
    }
    rig_.Close(sockets);
    return failed.has_value();
  }

  static void Judge(const FaultCase& fault_case, const grpc::Status& status, const CallMade& failed) {
    if (status.ok()) {
      // Of a seqpacket connection, for itself: tests/faults/judge.cc says why.
      const bool tolerated = failed.number == EAGAIN || failed.detail == SO_TIMESTAMP;
      EXPECT_TRUE(fault_case.told != failed.call || tolerated) << "the failure was not told";
      return;
    }
    const testing::Problem problem = testing::ProblemOf(status);
    EXPECT_TRUE(problem.rich);
    EXPECT_EQ(problem.reason, net::ErrnoName(failed.number)) << problem.message;
    EXPECT_EQ(problem.error.errno_number(), failed.number);
    EXPECT_EQ(problem.error.errno_name(), net::ErrnoName(failed.number));
    // Where a path does not lead connect(2) itself would have said.
    const bool path = net::NoWay{failed.call.c_str(), failed.number}.IsOfThePath();
    EXPECT_EQ(problem.error.system_call(), path ? "connect" : failed.call);
    EXPECT_EQ(problem.error.origin(), v1::ORIGIN_KERNEL);
    const auto by_errno = static_cast<grpc::StatusCode>(net::ErrnoCode(failed.number));
    EXPECT_TRUE(problem.code == by_errno || problem.code == grpc::StatusCode::FAILED_PRECONDITION) << problem.code;
  }

  NthCallFails kernel_;
  TestServer server_;
  FaultRig rig_;
};

TEST_P(FaultsByRpc, AreTold) {
  size_t injected = 0;
  for (const FaultCase& fault_case : FaultCases()) {
    if (fault_case.applies(GetParam())) injected += Sweep(fault_case);
  }
  std::printf("%zu failures injected\n", injected);
  EXPECT_GT(injected, 200u) << "it hardly tests anything";
}

std::string KindName(const ::testing::TestParamInfo<Kind>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(Kinds, FaultsByRpc,
                         ::testing::Values(AllKinds()[0], AllKinds()[4], AllKinds()[6], AllKinds()[8]), KindName);

}  // namespace
}  // namespace socketeer::contract::faults
