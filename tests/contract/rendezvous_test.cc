// Two callers who know nothing but a name meet: one waits for it to listen, the other makes it.
#include <barrier>
#include <string>
#include <thread>
#include <tuple>

#include "tests/support/test_server.h"

namespace socketeer {
namespace {

using testing::AsyncStub;
using testing::Caller;
using testing::Ok;
using testing::Stub;
using testing::TestServer;

enum class Order { kAwaitFirst, kOpenFirst, kRace };

class Rendezvous : public ::testing::TestWithParam<std::tuple<Order, int>> {};

constexpr int kMeetings = 1000;

TEST_P(Rendezvous, AThousandTimes) {
  const auto& [order, loops] = GetParam();
  TestServer server({.loops = loops});
  {
    const Caller other = server.AnotherCaller();
    std::barrier turn(2);
    bool stop = false;  // of both threads, between two turns
    // Opens the name, and takes in who comes.
    std::thread host([&, order = order] {
      for (int i = 0; i < kMeetings && !stop; ++i) {
        const std::string id = "meet-" + std::to_string(i);
        if (order != Order::kOpenFirst) turn.arrive_and_wait();
        auto open =
            other.Ask(&Stub::OpenSocket,
                      "socket_id: '" + id + "' type: SOCKET_TYPE_STREAM bind { inet { ip: '127.0.0.1' } } listen {}");
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
      if (order != Order::kAwaitFirst) turn.arrive_and_wait();
      auto await = server->Start(
          &AsyncStub::AwaitSockets,
          "timeout { seconds: 20 } items { allow_missing: true condition: CONDITION_LISTENING name: 'sockets/meet-" +
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

std::string NameOf(const ::testing::TestParamInfo<Rendezvous::ParamType>& info) {
  constexpr const char* kWords[] = {"AwaitFirst", "OpenFirst", "Race"};
  return kWords[static_cast<int>(std::get<0>(info.param))] + std::to_string(std::get<1>(info.param)) + "Loops";
}

INSTANTIATE_TEST_SUITE_P(Orders, Rendezvous,
                         ::testing::Combine(::testing::Values(Order::kAwaitFirst, Order::kOpenFirst, Order::kRace),
                                            ::testing::Values(1, 4)),
                         NameOf);

}  // namespace
}  // namespace socketeer
