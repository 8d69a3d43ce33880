// Fifty calls wait; two causes end them at the same moment, in every pair. Each call gets one answer, of one of the
// two; nothing is left behind. Guards: pending calls without a bound or an end (apiserver-network-proxy #789, #855).
#include <barrier>
#include <set>
#include <string>
#include <thread>
#include <tuple>
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

constexpr int kCalls = 50;

enum class Wait { kReceive, kAccept, kConnectTcp, kConnectUnix };
enum class Cause { kClose, kCancel, kDeadline, kDrain };

const char* Word(Wait wait) {
  constexpr const char* kWords[] = {"Receive", "Accept", "ConnectTcp", "ConnectUnix"};
  return kWords[static_cast<int>(wait)];
}
const char* Word(Cause cause) {
  constexpr const char* kWords[] = {"Close", "Cancel", "Deadline", "Drain"};
  return kWords[static_cast<int>(cause)];
}

// "CODE REASON" of an answer; a cancelled or late call is answered by the client's own gRPC, which has no reason.
std::string AnswerOf(const grpc::Status& status) {
  const auto problem = testing::ProblemOf(status);
  const std::string code = std::to_string(problem.code);
  return problem.code == StatusCode::CANCELLED || problem.code == StatusCode::DEADLINE_EXCEEDED ? code
                                                                                                : code + problem.reason;
}

std::set<std::string> AnswersOf(Cause cause) {
  switch (cause) {
    case Cause::kClose:
      return {std::to_string(StatusCode::ABORTED) + "SOCKET_CLOSED"};
    case Cause::kCancel:
      return {std::to_string(StatusCode::CANCELLED)};
    case Cause::kDeadline:
      return {std::to_string(StatusCode::DEADLINE_EXCEEDED)};
    case Cause::kDrain:
      return {std::to_string(StatusCode::UNAVAILABLE) + "DRAINING"};
  }
  return {};
}

// Calls of one kind that wait, of which each can be cancelled and waited for.
class Crowd {
 public:
  Crowd(TestServer& server, Wait wait, std::chrono::milliseconds deadline) : server_(server), deadline_(deadline) {
    if (wait == Wait::kReceive) Receives();
    if (wait == Wait::kAccept) Accepts();
    if (wait == Wait::kConnectTcp) Connects("inet { ip: '127.0.0.1' }", "family: FAMILY_INET");
    if (wait == Wait::kConnectUnix) {
      Connects("unix_domain { path: '" + server.dir().File("full") + "' }", "family: FAMILY_UNIX");
    }
  }

  bool AllWait() const {
    return Eventually(
        [this] {
          uint32_t waiting = 0;
          auto list = server_->Ask(&Stub::ListSockets, "page_size: 1000");
          for (const v1::Socket& socket : list->sockets()) waiting += socket.waiting_reads() + socket.waiting_writes();
          return waiting == kCalls;
        },
        "the API has no event for a call that began to wait");
  }
  void CancelAll() const {
    for (const auto& cancel : cancels_) cancel();
  }
  void CloseAll() const {
    for (const std::string& name : names_) server_->Ask(&Stub::CloseSocket, "name: '" + name + "'");
  }
  grpc::Status WaitForFirst() const { return waits_[0](); }
  void WaitForAll(const std::set<std::string>& allowed) const {
    for (const auto& wait : waits_) {
      const grpc::Status status = wait();
      EXPECT_TRUE(allowed.contains(AnswerOf(status))) << AnswerOf(status) << ": " << status.error_message();
    }
  }

 private:
  template <typename Response>
  void Add(const testing::Pending<Response>& pending) {
    cancels_.push_back([pending] { pending.Cancel(); });
    waits_.push_back([pending] { return pending.Wait().status; });
  }
  void Receives() {
    auto listener =
        server_->Ask(&Stub::OpenSocket, "type: SOCKET_TYPE_STREAM bind { inet { ip: '127.0.0.1' } } listen {}");
    auto client = server_->Ask(&Stub::OpenSocket, "type: SOCKET_TYPE_STREAM connect { " +
                                                      listener->socket().local().ShortDebugString() + " }");
    names_.push_back(client->socket().name());
    for (int i = 0; i < kCalls; ++i)
      Add(server_->Start(&AsyncStub::ReceiveData, "name: '" + names_[0] + "'", deadline_));
  }
  void Accepts() {
    auto listener =
        server_->Ask(&Stub::OpenSocket, "type: SOCKET_TYPE_STREAM bind { inet { ip: '127.0.0.1' } } listen {}");
    names_.push_back(listener->socket().name());
    for (int i = 0; i < kCalls; ++i)
      Add(server_->Start(&AsyncStub::AcceptSocket, "name: '" + names_[0] + "'", deadline_));
  }
  // To a listener whose backlog is full.
  void Connects(const std::string& bind, const std::string& family) {
    auto listener =
        server_->Ask(&Stub::OpenSocket, "type: SOCKET_TYPE_STREAM bind { " + bind + " } listen { backlog: 0 }");
    ASSERT_TRUE(Ok(listener));
    const std::string peer = listener->socket().local().ShortDebugString();
    ASSERT_TRUE(Ok(server_->Ask(&Stub::OpenSocket, "type: SOCKET_TYPE_STREAM connect { " + peer + " }")));
    for (int i = 0; i < kCalls; ++i) {
      auto socket = server_->Ask(&Stub::OpenSocket, "type: SOCKET_TYPE_STREAM " + family);
      names_.push_back(socket->socket().name());
    }
    for (const std::string& name : names_) {
      Add(server_->Start(&AsyncStub::ConnectSocket, "name: '" + name + "' peer { " + peer + " }", deadline_));
    }
  }

  TestServer& server_;
  const std::chrono::milliseconds deadline_;
  std::vector<std::string> names_;
  std::vector<std::function<void()>> cancels_;
  std::vector<std::function<grpc::Status()>> waits_;
};

class Waiting : public ::testing::TestWithParam<std::tuple<Wait, Cause, Cause, int>> {};

TEST_P(Waiting, EachGetsItsOwnAnswer) {
  const auto& [wait, one, other, loops] = GetParam();
  TestServer server({.loops = loops});
  const bool timed = one == Cause::kDeadline || other == Cause::kDeadline;
  // Long enough for all to wait before the first is late.
  const Crowd crowd(server, wait, std::chrono::milliseconds(timed ? 1'500 : 0));
  EXPECT_TRUE(crowd.AllWait());
  const auto strike = [&](Cause cause) {
    switch (cause) {
      case Cause::kClose:
        return crowd.CloseAll();
      case Cause::kCancel:
        return crowd.CancelAll();
      case Cause::kDeadline:
        return (void)crowd.WaitForFirst();
      case Cause::kDrain:
        return server.Drain(std::chrono::seconds(20));
    }
  };
  if (timed) {
    // When the first one is late the others are about to be.
    crowd.WaitForFirst();
    strike(one == Cause::kDeadline ? other : one);
  } else if (one == other) {
    strike(one);
  } else {
    std::barrier both(2);
    std::thread thread([&] {
      both.arrive_and_wait();
      strike(one);
    });
    both.arrive_and_wait();
    strike(other);
    thread.join();
  }
  std::set<std::string> allowed = AnswersOf(one);
  allowed.merge(AnswersOf(other));
  crowd.WaitForAll(allowed);
  if (one != Cause::kDrain && other != Cause::kDrain) server.CloseAll();
}

std::string NameOf(const ::testing::TestParamInfo<Waiting::ParamType>& info) {
  const auto& [wait, one, other, loops] = info.param;
  return std::string(Word(wait)) + Word(one) + Word(other) + std::to_string(loops);
}

std::vector<Waiting::ParamType> Pairs() {
  std::vector<Waiting::ParamType> pairs;
  for (const Wait wait : {Wait::kReceive, Wait::kAccept, Wait::kConnectTcp, Wait::kConnectUnix}) {
    for (int one = 0; one < 4; ++one) {
      for (int other = one; other < 4; ++other) {
        pairs.emplace_back(wait, static_cast<Cause>(one), static_cast<Cause>(other), 1);
        if (one != other) pairs.emplace_back(wait, static_cast<Cause>(one), static_cast<Cause>(other), 4);
      }
    }
  }
  return pairs;
}

INSTANTIATE_TEST_SUITE_P(Pairs, Waiting, ::testing::ValuesIn(Pairs()), NameOf);

// A byte read for a caller that had just been cancelled goes to the next one.
TEST(WaitingData, WhatACancelledReceiveTookGoesToTheNext) {
  TestServer server({.loops = 2});
  auto listener = server->Ask(&Stub::OpenSocket,
                              "type: SOCKET_TYPE_STREAM bind { inet { ip: '127.0.0.1' } } listen {} socket_id: 'l'");
  server->Ask(&Stub::OpenSocket, "socket_id: 'c' type: SOCKET_TYPE_STREAM connect { " +
                                     listener->socket().local().ShortDebugString() + " }");
  server->Ask(&Stub::AcceptSocket, "name: 'sockets/l' socket_id: 's'");
  const auto received = [&] { return server->Ask(&Stub::GetSocket, "name: 'sockets/s'")->counters().bytes_received(); };
  for (int i = 0; i < 20; ++i) {
    auto whole = server->Start(&AsyncStub::ReceiveData, "name: 'sockets/s' mode: MODE_WHOLE max_bytes: 6");
    EXPECT_TRUE(Ok(server->Ask(&Stub::SendData, "name: 'sockets/c' data: 'abc'")));
    ASSERT_TRUE(Eventually([&] { return received() == static_cast<uint64_t>(i * 4 + 3); }, "no event for bytes taken"));
    auto behind = server->Start(&AsyncStub::ReceiveData, "name: 'sockets/s' mode: MODE_WHOLE max_bytes: 4");
    whole.Cancel();
    EXPECT_EQ(whole.Wait().status.error_code(), StatusCode::CANCELLED);
    EXPECT_TRUE(Ok(server->Ask(&Stub::SendData, "name: 'sockets/c' data: 'd'")));
    EXPECT_EQ(behind.Wait()->data(), "abcd");
  }
  server.CloseAll();
}

// Cancelling one call never touches another.
TEST(WaitingData, OneIsCancelledTheOthersGoOn) {
  TestServer server;
  auto udp = server->Ask(&Stub::OpenSocket, "socket_id: 'u' type: SOCKET_TYPE_DGRAM bind { inet { ip: '127.0.0.1' } }");
  std::vector<testing::Pending<v1::ReceiveDatagramsResponse>> waiting;
  for (uint32_t i = 0; i < 6; ++i) {
    waiting.push_back(server->Start(&AsyncStub::ReceiveDatagrams, "name: 'sockets/u'"));
    ASSERT_TRUE(Eventually([&] { return server->Ask(&Stub::GetSocket, "name: 'sockets/u'")->waiting_reads() == i + 1; },
                           "no event"));
  }
  for (const int i : {0, 3, 5}) {
    waiting[i].Cancel();
    EXPECT_EQ(waiting[i].Wait().status.error_code(), StatusCode::CANCELLED);
  }
  ASSERT_TRUE(
      Eventually([&] { return server->Ask(&Stub::GetSocket, "name: 'sockets/u'")->waiting_reads() == 3; }, "no event"));
  for (const std::string payload : {"1", "2", "3"}) {
    server->Ask(&Stub::SendDatagrams, "name: 'sockets/u' datagrams { payload: '" + payload + "' destination { " +
                                          udp->socket().local().ShortDebugString() + " } }");
  }
  int next = 0;
  for (const int i : {1, 2, 4}) {
    auto reply = waiting[i].Wait();
    ASSERT_TRUE(Ok(reply));
    EXPECT_EQ(reply->datagrams(0).payload(), std::to_string(++next)) << "first come, first served";
  }
  server.CloseAll();
}

// A connect that ran into its own timeout goes on; OpenSocket's leaves nothing.
TEST(WaitingConnect, OwnTimeout) {
  TestServer server;
  auto listener =
      server->Ask(&Stub::OpenSocket,
                  "socket_id: 'l' type: SOCKET_TYPE_STREAM bind { inet { ip: '127.0.0.1' } } listen { backlog: 0 }");
  const std::string peer = listener->socket().local().ShortDebugString();
  server->Ask(&Stub::OpenSocket, "type: SOCKET_TYPE_STREAM connect { " + peer + " }");
  server->Ask(&Stub::OpenSocket, "socket_id: 'c' type: SOCKET_TYPE_STREAM family: FAMILY_INET");
  for (int i = 0; i < 2; ++i) {
    auto reply =
        server->Ask(&Stub::ConnectSocket, "name: 'sockets/c' timeout { nanos: 10000000 } peer { " + peer + " }");
    ASSERT_TRUE(Ok(reply));
    EXPECT_TRUE(reply->timed_out());
    EXPECT_EQ(reply->socket().state(), v1::STATE_CONNECTING);
  }
  const auto before = server->GetHost()->usage().sockets();
  auto open =
      server->Ask(&Stub::OpenSocket,
                  "socket_id: 'o' type: SOCKET_TYPE_STREAM timeout { nanos: 10000000 } connect { " + peer + " }");
  ASSERT_TRUE(Ok(open));
  EXPECT_TRUE(open->timed_out());
  EXPECT_FALSE(open->has_socket());
  EXPECT_EQ(server->GetHost()->usage().sockets(), before);
  // Room is made: the connect that goes on gets there.
  server->Ask(&Stub::AcceptSocket, "name: 'sockets/l'");
  auto await = server->Ask(&Stub::AwaitSockets,
                           "items { name: 'sockets/c' condition: CONDITION_CONNECTED } timeout { seconds: 20 }");
  EXPECT_FALSE(await->timed_out());
  server.CloseAll();
}

}  // namespace
}  // namespace socketeer
