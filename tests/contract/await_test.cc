// AwaitSockets over many sockets and loops, over names that come and go, and how it ends.
#include <barrier>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/test_server.h"

namespace socketeer {
namespace {

using grpc::StatusCode;
using testing::AsyncStub;
using testing::Eventually;
using testing::Fails;
using testing::Ok;
using testing::Stub;
using testing::TestServer;

using Pending = testing::Pending<v1::AwaitSocketsResponse>;

class Await : public ::testing::TestWithParam<int> {
 protected:
  // UDP sockets "s-0", "s-1", ... each sends to itself.
  std::vector<v1::Socket> Open(int count) {
    std::vector<v1::Socket> sockets;
    for (int i = 0; i < count; ++i) {
      auto reply = server_->Ask(&Stub::OpenSocket, "socket_id: 's-" + std::to_string(i) +
                                                       "' type: SOCKET_TYPE_DGRAM bind { inet { ip: '127.0.0.1' } }");
      EXPECT_TRUE(Ok(reply));
      sockets.push_back(reply->socket());
    }
    return sockets;
  }
  void Touch(const v1::Socket& socket, const std::string& payload = "x") {
    EXPECT_TRUE(
        Ok(server_->Ask(&Stub::SendDatagrams, "name: '" + socket.name() + "' datagrams { payload: '" + payload +
                                                  "' destination { " + socket.local().ShortDebugString() + " } }")));
  }
  static std::string Item(const std::string& name, const std::string& condition, const std::string& more = "") {
    return "items { name: '" + name + "' condition: CONDITION_" + condition + " " + more + " } ";
  }
  // The indexes that hold, joined.
  static std::string Held(const v1::AwaitSocketsResponse& response) {
    std::string indexes;
    for (const auto& result : response.results()) indexes += std::to_string(result.index()) + " ";
    return indexes;
  }
  void TearDown() override { server_.CloseAll(); }

  TestServer server_{{.loops = GetParam()}};
};

INSTANTIATE_TEST_SUITE_P(Loops, Await, ::testing::Values(1, 4));

TEST_P(Await, AnyAnswersWithAllThatHold) {
  const auto sockets = Open(40);
  std::string items;
  for (const auto& socket : sockets) items += Item(socket.name(), "READABLE");
  for (const int i : {7, 8, 31}) Touch(sockets[i]);
  auto reply = server_->Ask(&Stub::AwaitSockets, items);
  ASSERT_TRUE(Ok(reply));
  EXPECT_EQ(Held(*reply), "7 8 31 ");
  EXPECT_FALSE(reply->timed_out());
  EXPECT_EQ(reply->results(1).socket().name(), sockets[8].name());
}

TEST_P(Await, AllAnswersWhenEachHasHeld) {
  const auto sockets = Open(40);
  std::string items = "all: true ";
  for (const auto& socket : sockets) items += Item(socket.name(), "READABLE");
  auto all = server_->Start(&AsyncStub::AwaitSockets, items);
  for (size_t i = 0; i + 1 < sockets.size(); ++i) Touch(sockets[i]);
  EXPECT_FALSE(all.Ended());
  auto so_far = server_->Ask(&Stub::AwaitSockets, items + " timeout {}");
  ASSERT_TRUE(Ok(so_far));
  EXPECT_TRUE(so_far->timed_out());
  EXPECT_EQ(so_far->results_size(), 39) << "the result tells those that did hold";
  Touch(sockets.back());
  auto reply = all.Wait();
  ASSERT_TRUE(Ok(reply));
  EXPECT_EQ(reply->results_size(), 40);
  EXPECT_FALSE(reply->timed_out());
}

// "At some moment since the call": what was read meanwhile counts.
TEST_P(Await, AllRemembersWhatHeldBefore) {
  const auto sockets = Open(2);
  auto all = server_->Start(&AsyncStub::AwaitSockets,
                            "all: true " + Item("sockets/s-0", "READABLE") + Item("sockets/s-1", "READABLE"));
  ASSERT_TRUE(
      Eventually([&] { return server_->GetHost()->usage().calls() == 2; }, "no event for a call that began to wait"));
  for (const auto& socket : sockets) {
    Touch(socket);
    auto read = server_->Ask(&Stub::ReceiveDatagrams, "name: '" + socket.name() + "'");
    EXPECT_EQ(read->datagrams_size(), 1);
  }
  EXPECT_EQ(Held(*all.Wait()), "0 1 ");
}

TEST_P(Await, SeveralConditionsOfOneSocket) {
  const auto sockets = Open(1);
  auto reply = server_->Ask(&Stub::AwaitSockets, Item("sockets/s-0", "READABLE") + Item("sockets/s-0", "WRITABLE") +
                                                     Item("sockets/s-0", "CLOSED") + Item("sockets/s-0", "WRITABLE"));
  EXPECT_EQ(Held(*reply), "1 3 ");
  EXPECT_EQ(Held(*server_->Ask(&Stub::AwaitSockets, "timeout {} " + Item("sockets/s-0", "READABLE"))), "");
}

TEST_P(Await, MissingIsAnErrorUnlessAllowed) {
  Open(1);
  auto missing = server_->Ask(&Stub::AwaitSockets, Item("sockets/s-0", "READABLE") + Item("sockets/none", "READABLE"));
  EXPECT_TRUE(Fails(missing, StatusCode::NOT_FOUND, "SOCKET_NOT_FOUND"));
  EXPECT_EQ(missing.problem().error.socket(), "sockets/none");
  EXPECT_EQ(missing.problem().error.operation(), "await");
  auto allowed = server_->Ask(
      &Stub::AwaitSockets, Item("sockets/s-0", "WRITABLE") + Item("sockets/none", "READABLE", "allow_missing: true"));
  EXPECT_EQ(Held(*allowed), "0 ");
}

// A name appears, goes, and comes again as another socket, in another state.
TEST_P(Await, NamesThatComeAndGo) {
  auto await = server_->Start(&AsyncStub::AwaitSockets, Item("sockets/flaky", "LISTENING", "allow_missing: true"));
  const std::string bind = "socket_id: 'flaky' type: SOCKET_TYPE_STREAM bind { inet { ip: '127.0.0.1' } } ";
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(Ok(server_->Ask(&Stub::OpenSocket, bind)));
    ASSERT_TRUE(Ok(server_->Ask(&Stub::CloseSocket, "name: 'sockets/flaky'")));
  }
  EXPECT_FALSE(await.Ended());
  auto last = server_->Ask(&Stub::OpenSocket, bind);
  ASSERT_TRUE(Ok(server_->Ask(&Stub::ListenSocket, "name: 'sockets/flaky'")));
  auto reply = await.Wait();
  ASSERT_TRUE(Ok(reply));
  ASSERT_EQ(reply->results_size(), 1);
  EXPECT_EQ(reply->results(0).socket().uid(), last->socket().uid());
  EXPECT_EQ(reply->results(0).socket().local().ShortDebugString(), last->socket().local().ShortDebugString());
}

TEST_P(Await, WithoutAllowMissingACloseEndsIt) {
  Open(2);
  auto await =
      server_->Start(&AsyncStub::AwaitSockets, Item("sockets/s-0", "READABLE") + Item("sockets/s-1", "READABLE"));
  ASSERT_TRUE(
      Eventually([&] { return server_->GetHost()->usage().calls() == 2; }, "no event for a call that began to wait"));
  ASSERT_TRUE(Ok(server_->Ask(&Stub::CloseSocket, "name: 'sockets/s-1'")));
  auto reply = await.Wait();
  // It may have been closed before the await got there; either way it is told.
  const bool aborted = reply.status.error_code() == StatusCode::ABORTED;
  EXPECT_TRUE(Fails(reply, aborted ? StatusCode::ABORTED : StatusCode::NOT_FOUND, "SOCKET_CLOSED"));
  EXPECT_EQ(reply.problem().error.socket(), "sockets/s-1");
}

TEST_P(Await, ClosedHoldsAlsoAfterwards) {
  const auto sockets = Open(3);
  auto any = server_->Start(&AsyncStub::AwaitSockets, Item("sockets/s-0", "CLOSED") + Item("sockets/s-1", "CLOSED"));
  ASSERT_TRUE(Ok(server_->Ask(&Stub::CloseSocket, "name: 'sockets/s-1'")));
  auto reply = any.Wait();
  EXPECT_EQ(Held(*reply), "1 ");
  EXPECT_EQ(reply->results(0).socket().state(), v1::STATE_CLOSED);
  // "A name that was closed before the call fulfils it too."
  EXPECT_EQ(Held(*server_->Ask(&Stub::AwaitSockets, Item("sockets/s-1", "CLOSED"))), "0 ");
  EXPECT_EQ(Held(*server_->Ask(&Stub::AwaitSockets, Item("sockets/s-1", "CLOSED", "uid: '" + sockets[1].uid() + "'"))),
            "0 ");
  EXPECT_EQ(Held(*server_->Ask(&Stub::AwaitSockets,
                               Item("sockets/s-1", "CLOSED", "allow_missing: true") + "timeout { seconds: 5 }")),
            "0 ");
  EXPECT_TRUE(Fails(server_->Ask(&Stub::AwaitSockets, Item("sockets/s-1", "CLOSED", "uid: 'another'")),
                    StatusCode::NOT_FOUND, "SOCKET_NOT_FOUND"));
  EXPECT_TRUE(Fails(server_->Ask(&Stub::AwaitSockets, Item("sockets/s-1", "READABLE")), StatusCode::NOT_FOUND,
                    "SOCKET_CLOSED"));
}

// With a uid it is that socket alone.
TEST_P(Await, UidTellsNamesakesApart) {
  const auto first = Open(1);
  const std::string uid = "uid: '" + first[0].uid() + "' ";
  ASSERT_TRUE(Ok(server_->Ask(&Stub::CloseSocket, "name: 'sockets/s-0'")));
  Open(1);
  EXPECT_TRUE(Fails(server_->Ask(&Stub::AwaitSockets, Item("sockets/s-0", "WRITABLE", uid)),
                    StatusCode::FAILED_PRECONDITION, "UID_MISMATCH"));
  auto patient =
      server_->Ask(&Stub::AwaitSockets, Item("sockets/s-0", "WRITABLE", uid + "allow_missing: true") + "timeout {}");
  EXPECT_TRUE(patient->timed_out());
}

TEST_P(Await, ReadableBytes) {
  auto listener = server_->Ask(&Stub::OpenSocket,
                               "socket_id: 'l' type: SOCKET_TYPE_STREAM bind { inet { ip: '127.0.0.1' } } listen {}");
  server_->Ask(&Stub::OpenSocket, "socket_id: 'c' type: SOCKET_TYPE_STREAM connect { " +
                                      listener->socket().local().ShortDebugString() + " }");
  server_->Ask(&Stub::AcceptSocket, "name: 'sockets/l' socket_id: 's'");
  auto await = server_->Start(&AsyncStub::AwaitSockets, Item("sockets/s", "READABLE", "readable_bytes: 100"));
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(!await.Ended());
    ASSERT_TRUE(Ok(server_->Ask(&Stub::SendData, "name: 'sockets/c' data: 'x'")));
  }
  EXPECT_EQ(Held(*await.Wait()), "0 ");
  // What a cancelled receive put back counts.
  auto whole = server_->Start(&AsyncStub::ReceiveData, "name: 'sockets/s' mode: MODE_WHOLE max_bytes: 101");
  ASSERT_TRUE(Eventually(
      [&] { return server_->Ask(&Stub::GetSocket, "name: 'sockets/s'")->counters().bytes_received() == 100; },
      "no event for bytes taken"));
  EXPECT_TRUE(server_->Ask(&Stub::AwaitSockets, Item("sockets/s", "READABLE", "readable_bytes: 100") + "timeout {}")
                  ->timed_out());
  auto again = server_->Start(&AsyncStub::AwaitSockets, Item("sockets/s", "READABLE", "readable_bytes: 100"));
  whole.Cancel();
  EXPECT_EQ(Held(*again.Wait()), "0 ");
  whole.Wait();
}

TEST_P(Await, TimeoutIsAnAnswer) {
  Open(2);
  auto reply = server_->Ask(&Stub::AwaitSockets, "all: true timeout { nanos: 10000000 } " +
                                                     Item("sockets/s-0", "WRITABLE") + Item("sockets/s-1", "READABLE"));
  ASSERT_TRUE(Ok(reply));
  EXPECT_TRUE(reply->timed_out());
  EXPECT_EQ(Held(*reply), "0 ");
  auto held = server_->Ask(&Stub::AwaitSockets, "timeout {} " + Item("sockets/s-0", "WRITABLE"));
  EXPECT_FALSE(held->timed_out()) << "with no time at all it is one look";
}

TEST_P(Await, CancelAndDeadlineLeaveNothing) {
  Open(8);
  std::string items;
  for (int i = 0; i < 8; ++i)
    items += Item("sockets/s-" + std::to_string(i), "READABLE") +
             Item("sockets/n-" + std::to_string(i), "CLOSED", "allow_missing: true");
  std::vector<Pending> waiting;
  for (int i = 0; i < 20; ++i) waiting.push_back(server_->Start(&AsyncStub::AwaitSockets, items));
  ASSERT_TRUE(Eventually([&] { return server_->GetHost()->usage().calls() == 41; },
                         "no event for calls that began to wait, each of which counts twice"));
  for (const auto& each : waiting) each.Cancel();
  for (const auto& each : waiting) EXPECT_EQ(each.Wait().status.error_code(), StatusCode::CANCELLED);
  auto late = server_->Start(&AsyncStub::AwaitSockets, items, std::chrono::milliseconds(20));
  EXPECT_EQ(late.Wait().status.error_code(), StatusCode::DEADLINE_EXCEEDED);
  EXPECT_TRUE(Eventually([&] { return server_->GetHost()->usage().calls() == 1; },
                         "a cancelled call ends at the daemon after it ended here"));
}

// Everything that can end it happens at once, again and again.
TEST_P(Await, RacesOfAllItsEnds) {
  for (int round = 0; round < 50; ++round) {
    const auto sockets = Open(3);
    auto await = server_->Start(&AsyncStub::AwaitSockets,
                                Item("sockets/s-0", "READABLE") + Item("sockets/s-1", "CLOSED") +
                                    Item("sockets/s-2", "READABLE", "allow_missing: true"),
                                std::chrono::milliseconds(round % 3 == 0 ? 2 : 0));
    std::barrier start(4);
    std::thread touch([&] {
      start.arrive_and_wait();
      Touch(sockets[0]);
    });
    std::thread close([&] {
      start.arrive_and_wait();
      server_->Ask(&Stub::CloseSocket, "name: 'sockets/s-1'");
    });
    std::thread close_other([&] {
      start.arrive_and_wait();
      server_->Ask(&Stub::CloseSocket, "name: 'sockets/s-2'");
    });
    start.arrive_and_wait();
    if (round % 2 == 0) await.Cancel();
    auto reply = await.Wait();
    const StatusCode code = reply.status.error_code();
    if (code == StatusCode::OK) {
      EXPECT_GT(reply->results_size(), 0);
    } else {
      EXPECT_TRUE(code == StatusCode::CANCELLED || code == StatusCode::DEADLINE_EXCEEDED) << reply;
    }
    touch.join();
    close.join();
    close_other.join();
    server_.CloseAll();
  }
}

TEST_P(Await, DrainEndsIt) {
  Open(8);
  std::vector<Pending> waiting;
  for (int i = 0; i < 8; ++i) {
    const std::string name = std::to_string(i);
    waiting.push_back(server_->Start(&AsyncStub::AwaitSockets, Item("sockets/s-" + name, "READABLE")));
    waiting.push_back(
        server_->Start(&AsyncStub::AwaitSockets, Item("sockets/s-" + name, "READABLE", "allow_missing: true")));
    waiting.push_back(
        server_->Start(&AsyncStub::AwaitSockets, Item("sockets/n-" + name, "READABLE", "allow_missing: true")));
  }
  ASSERT_TRUE(
      Eventually([&] { return server_->GetHost()->usage().calls() == 25; }, "no event for a call that began to wait"));
  server_.Drain(std::chrono::seconds(20));
  for (const auto& each : waiting) EXPECT_TRUE(Fails(each.Wait(), StatusCode::UNAVAILABLE, "DRAINING"));
}

// Calls that arrive while it drains: each ends, and none waits for the end of the drain's limit. Those that arrive
// after all is over are gRPC's to answer, and have no details.
TEST(AwaitDrain, Races) {
  constexpr char kAwait[] = "items { allow_missing: true condition: CONDITION_LISTENING name: 'sockets/none' }";
  const auto expect_end = [](const auto& reply) {
    const StatusCode code = reply.status.error_code();
    const bool by_grpc =
        reply.problem().reason.empty() && (code == StatusCode::CANCELLED || code == StatusCode::UNAVAILABLE);
    EXPECT_TRUE(by_grpc || Fails(reply, StatusCode::UNAVAILABLE, "DRAINING")) << reply;
  };
  for (int round = 0; round < 12; ++round) {
    TestServer server({.loops = 1 + round % 4});
    server->Ask(&Stub::OpenSocket, "socket_id: 's' type: SOCKET_TYPE_DGRAM bind { inet { ip: '127.0.0.1' } }");
    std::barrier start(2);
    std::vector<Pending> waiting;
    std::vector<testing::Pending<v1::ReceiveDatagramsResponse>> receives;
    std::vector<testing::Pending<v1::OpenSocketResponse>> opens;
    std::thread calls([&] {
      start.arrive_and_wait();
      for (int i = 0; i < 20; ++i) {
        waiting.push_back(server->Start(&AsyncStub::AwaitSockets, kAwait));
        receives.push_back(server->Start(&AsyncStub::ReceiveDatagrams, "name: 'sockets/s'"));
        opens.push_back(server->Start(&AsyncStub::OpenSocket, "type: SOCKET_TYPE_DGRAM family: FAMILY_INET"));
      }
    });
    start.arrive_and_wait();
    const auto begun = std::chrono::steady_clock::now();
    server.Drain(std::chrono::seconds(10));
    EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(9)) << "a call waited for gRPC's own end";
    calls.join();
    for (const auto& each : waiting) expect_end(each.Wait());
    for (const auto& each : receives) expect_end(each.Wait());
    for (const auto& each : opens) {
      const auto reply = each.Wait();
      if (!reply.ok()) expect_end(reply);
    }
  }
}

}  // namespace
}  // namespace socketeer
