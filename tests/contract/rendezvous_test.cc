// Two callers who know nothing but a name meet: one waits for it to listen, the other makes it.
#include <barrier>
#include <string>
#include <thread>

#include "tests/support/test_server.h"

namespace socketeer {
namespace {

using testing::AsyncStub;
using testing::Caller;
using testing::Ok;
using testing::Stub;
using testing::TestServer;

constexpr int kMeetings = 1002;

enum class Order { kAwaitFirst, kOpenFirst, kRace };  // of meeting i: i % 3

class Rendezvous : public ::testing::TestWithParam<int> {};

TEST_P(Rendezvous, AThousandTimes) {
  TestServer server({.loops = GetParam()});
  {
    const Caller other = server.AnotherCaller();
    std::barrier turn(2);
    bool stop = false;  // of both threads, between two turns
    // Opens the name, and takes in who comes.
    std::thread host([&] {
      for (int i = 0; i < kMeetings && !stop; ++i) {
        const std::string id = "meet-" + std::to_string(i);
        const auto order = static_cast<Order>(i % 3);
        if (order != Order::kOpenFirst) turn.arrive_and_wait();
        auto open = other.Ask(&Stub::OpenSocket,
                              "type: SOCKET_TYPE_STREAM bind { inet { ip: '127.0.0.1' } } listen {} "
                              "socket_id: '" +
                                  id + "'");
        EXPECT_TRUE(Ok(open));
        if (order == Order::kOpenFirst) turn.arrive_and_wait();
        auto accepted = other.Ask(&Stub::AcceptSocket, "timeout { seconds: 20 } name: 'sockets/" + id + "'");
        EXPECT_TRUE(Ok(accepted) && accepted->has_socket());
        other.Ask(&Stub::CloseSocket, "name: '" + accepted->socket().name() + "'");
        other.Ask(&Stub::CloseSocket, "name: 'sockets/" + id + "'");
        turn.arrive_and_wait();
      }
    });
    for (int i = 0; i < kMeetings && !stop; ++i) {
      const auto order = static_cast<Order>(i % 3);
      if (order != Order::kAwaitFirst) turn.arrive_and_wait();
      auto await = server->Start(&AsyncStub::AwaitSockets,
                                 "timeout { seconds: 20 } items { allow_missing: true condition: CONDITION_LISTENING "
                                 "name: 'sockets/meet-" +
                                     std::to_string(i) + "' }");
      if (order == Order::kAwaitFirst) turn.arrive_and_wait();
      auto seen = await.Wait();
      const bool met = seen.ok() && seen->results_size() == 1;
      EXPECT_TRUE(met) << i << ": " << seen;
      if (met) {
        auto client = server->Ask(&Stub::OpenSocket, "type: SOCKET_TYPE_STREAM connect { " +
                                                         seen->results(0).socket().local().ShortDebugString() + " }");
        EXPECT_TRUE(Ok(client));
        server->Ask(&Stub::CloseSocket, "name: '" + client->socket().name() + "'");
      }
      stop = !met;
      turn.arrive_and_wait();
    }
    host.join();
  }
}

INSTANTIATE_TEST_SUITE_P(Loops, Rendezvous, ::testing::Values(1, 4));

}  // namespace
}  // namespace socketeer
