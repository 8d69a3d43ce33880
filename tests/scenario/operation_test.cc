// Operations as a scenario has them, at a real daemon: requests, answers, expectations, captures.
#include "client/scenario/operation.h"

#include <gtest/gtest.h>

#include <string>
#include <variant>

#include "socketeer/error.h"
#include "socketeer/host.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_server.h"

namespace socketeer::scenario {
namespace {

class OperationTest : public ::testing::Test {
 protected:
  // Runs the steps, which are calls, one behind another; the first that is not as expected ends it.
  absl::Status Run(const std::string& steps) {
    const auto scenario = ReadScenario("name: x\nhosts: [a]\nsteps:\n" + steps, folder_.path() + "/test.yaml");
    if (!scenario.ok()) return scenario.status();
    for (const Step& step : scenario->steps) {
      last_ = Perform(std::get<Call>(step.action), host_, variables_, names_, {.timeout = absl::Seconds(20)});
      absl::Status status = CheckExpectations(step.expectations, last_, variables_);
      if (status.ok()) status = TakeCaptures(step.captures, last_, &variables_);
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  std::string Failure(const std::string& steps) { return std::string(Run(steps).message()); }

  // Two connected sockets, client and peer.
  absl::Status Connect() {
    return Run(R"(
  - open: {socket: server, kind: tcp, bind: "127.0.0.1:0", listen: true}
    capture: {address: local, port: local.port}
  - open: {socket: client, kind: tcp, connect: "${address}", labels: {app: test}}
    expect: {state: connected, peer.port: "${port}", labels.app: test, peer.ip: 127.0.0.1, kind: tcp4}
  - accept: {socket: server, as: peer}
)");
  }

  testing::TempDir folder_;
  testing::TestServer server_;
  Host host_ = *Host::Connect(server_.server().addresses()[0]);
  Variables variables_;
  SocketNames names_{"abc123"};
  Outcome last_;
};

TEST_F(OperationTest, AConversation) {
  ASSERT_EQ(Connect(), absl::OkStatus());
  EXPECT_EQ(Run(R"(
  - send: {socket: client, text: "hello\n"}
    expect: {bytes_sent: 6, timed_out: false}
  - recv: {socket: peer, bytes: 6}
    expect:
      text: "hello\n"
      hex: 68656c6c6f0a
      data: {contains: ell, length: 6, matches: "h.*", not: bye, one-of: [a, "hello\n"]}
      took: {at-most: 20s}
  - recv: {socket: peer, timeout: 0s}
    expect: {timed_out: true}
  - shutdown: {socket: client, direction: write}
  - recv: {socket: peer}
    expect: {end_of_stream: true, data: {length: 0}}
  - wait: {socket: client, for: connected}
  - label: {socket: client, set: {app: other}, remove: [nothing]}
    expect: {labels: {contains: other}}
  - set-options: {socket: client, options: {nodelay: on, linger: 3}}
    expect: {nodelay: true, linger.seconds: 3}
  - inspect: {socket: client}
    expect: {write_shutdown: true, counters.bytes_sent: {at-least: 6}, name: client, close_time: {absent: true}}
  - ls: {}
    expect: {sockets: {length: 3}}
  - call: {method: SocketService/GetSocket, request: {name: client}}
    expect: {state: connected}
  - close: {socket: peer}
  - close: {socket: client}
  - close: {socket: server}
)"),
            absl::OkStatus());
}

TEST_F(OperationTest, MoreBytesThanOneMessageHas) {
  ASSERT_EQ(Connect(), absl::OkStatus());
  ASSERT_EQ(Run("  - set-options: {socket: client, options: {sndbuf: 8388608}}\n"), absl::OkStatus());
  std::thread sender([this] {
    Variables none;
    const auto scenario =
        ReadScenario("name: x\nhosts: [a]\nsteps:\n  - send: {socket: client, zeros: 5000000}\n", "x.yaml");
    const Outcome sent = Perform(std::get<Call>(scenario->steps[0].action), host_, none, names_, {});
    EXPECT_EQ(sent.bytes_sent, 5'000'000u) << sent.status;
  });
  EXPECT_EQ(Run(R"(
  - recv: {socket: peer, bytes: 5000000}
    expect: {data: {length: 5000000, sha256: b39781589c4403fb82174c9647a010464cff38bad976547d339899b00053a545}}
)"),
            absl::OkStatus());
  EXPECT_EQ(last_.bytes_received, 5'000'000u);
  sender.join();
  EXPECT_EQ(Run(R"(
  - close: {socket: client}
  - recv: {socket: peer, until_eof: true}
    expect: {end_of_stream: true}
  - close: {socket: peer}
  - close: {socket: server}
)"),
            absl::OkStatus());
}

TEST_F(OperationTest, Datagrams) {
  EXPECT_EQ(Run(R"(
  - open: {socket: one, kind: udp, bind: "127.0.0.1:0"}
    capture: {one: local}
  - open: {socket: two, kind: udp, connect: "${one}"}
    capture: {two: local}
  - send: {socket: two, text: first}
  - recv: {socket: one}
    expect: {text: first, datagrams.0.source: "${two}", datagrams: {length: 1}}
  - send: {socket: one, hex: "00 ff", to: "${two}"}
    expect: {datagrams_sent: 1}
  - recv: {socket: two, max_datagrams: 4}
    expect: {hex: 00ff, datagrams.0.true_size: 2}
  - send: {socket: one, datagrams: [{payload: a, destination: "${two}"}, {payload: {zeros: 3}, destination: "${two}"}]}
  - recv: {socket: two, max_datagrams: 4, min_datagrams: 2, mode: whole}
    expect: {datagrams.1.payload: {length: 3}}
  - close: {socket: one}
  - close: {socket: two}
)"),
            absl::OkStatus());
  EXPECT_EQ(last_.socket, "two");
}

TEST_F(OperationTest, ErrorsThatAreExpectedAndNot) {
  ASSERT_EQ(Run(R"(
  - open: {socket: server, kind: tcp, bind: "127.0.0.1:0", listen: true}
    capture: {address: local}
  - close: {socket: server}
  - open: {socket: client, kind: tcp, connect: "${address}"}
    expect: {error: ECONNREFUSED, error.operation: connect, error.errno_number: 111, error.peer: "${address}"}
)"),
            absl::OkStatus());
  EXPECT_EQ(ErrnoOf(last_.status), ECONNREFUSED);
  EXPECT_FALSE(IsUnexpected(Run("  - inspect: {socket: nobody}\n")));
  EXPECT_EQ(ReasonOf(Run("  - inspect: {socket: nobody}\n")), "SOCKET_NOT_FOUND");
  const absl::Status other = Run("  - inspect: {socket: nobody}\n    expect: {error: ECONNREFUSED}\n");
  EXPECT_TRUE(IsUnexpected(other)) << other;
  const absl::Status none = Run("  - whoami: {}\n    expect: {error: ECONNREFUSED}\n");
  EXPECT_EQ(none.message(), "error was expected to be \"ECONNREFUSED\", and is absent");
  EXPECT_TRUE(IsUnexpected(none));
}

TEST_F(OperationTest, WhatWasSeenIsTold) {
  EXPECT_EQ(Failure("  - whoami: {}\n    expect: {session: sessions/other}\n"),
            "session was expected to be \"sessions/other\", and is \"sessions/standing\"");
  EXPECT_EQ(Failure("  - host: {}\n    expect: {version: {matches: x}}\n").substr(0, 40),
            "version was expected to be matches \"x\", ");
  EXPECT_EQ(Failure("  - whoami: {}\n    capture: {x: certificate_expire_time}\n"),
            "capture x: the answer has no field certificate_expire_time");
}

TEST_F(OperationTest, TheTimeIsBounded) {
  ASSERT_EQ(Connect(), absl::OkStatus());
  const absl::Status status = Run("  - recv: {socket: peer, timeout: 1ms}\n");
  EXPECT_EQ(Classify(status), ErrorKind::kTimedOut) << status;
  EXPECT_EQ(Run("  - close: {socket: peer}\n  - close: {socket: client}\n  - close: {socket: server}\n"),
            absl::OkStatus());
}

TEST_F(OperationTest, NamesThatAreTheRunsAndThoseThatAreNot) {
  ASSERT_EQ(Run("  - open: {socket: mine, kind: udp}\n  - open: {socket: sockets/theirs, kind: udp}\n"),
            absl::OkStatus());
  EXPECT_TRUE(host_.Find("sockets/mine-abc123").ok());
  EXPECT_TRUE(host_.Find("sockets/theirs").ok());
  EXPECT_EQ(Run("  - close: {socket: sockets/mine-abc123}\n  - close: {socket: sockets/theirs}\n"), absl::OkStatus());
}

TEST_F(OperationTest, Rendezvous) {
  EXPECT_EQ(Run(R"(
  - barrier: {barrier: start, parties: 1}
    expect: {index: 0, arrived: 1}
  - publish: {value: word, text: hello}
  - wait-value: {value: word}
    expect: {text: hello, hex: 68656c6c6f, value.size: 5}
    capture: {word: value.data}
  - publish: {value: values/of-all, text: "${word}!"}
  - wait-value: {value: values/of-all}
    expect: {text: hello!}
  - wait-value: {value: other, timeout: 0s}
    expect: {timed_out: true}
  - values: {}
    expect: {values: {length: 2}, values.0.name: values/of-all, values.1.name: values/word}
  - withdraw: {value: word}
  - withdraw: {value: values/of-all}
)"),
            absl::OkStatus());
}

}  // namespace
}  // namespace socketeer::scenario
