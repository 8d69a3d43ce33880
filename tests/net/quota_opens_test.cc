// What the owner's quota of opens does to a listener, by a clock that the test moves.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "tests/net/situations.h"
#include "tests/net/slow.h"

namespace socketeer::net {
namespace {

using namespace std::chrono_literals;
using quota::Rate;
using quota::WhenExceeded;
using testing::ExpectReached;
using testing::Slow;
using testing::TestSocket;

struct Accepting {
  explicit Accepting(WhenExceeded when)
      : slow(when, Rate::kOpens, 10, 1), listener(Open(slow.rig, testing::kTcp.kind(), slow.account)) {
    listener.Run([](Socket& socket) {
      EXPECT_TRUE(socket.Bind(*SocketAddress::Inet("127.0.0.1", 0, "")).ok());
      EXPECT_TRUE(socket.Listen(10).ok());
    });
    for (base::Fd& each : callers) {
      each = testing::Plain(testing::kTcp);
      const SocketAddress to = listener.info().local;
      EXPECT_EQ(::connect(each.get(), to.data(), to.size()), 0);
    }
  }
  Slow slow;
  TestSocket listener;
  base::Fd callers[3];
};

TEST(QuotaOpens, AcceptedOnesAreDelayed) {
  Accepting at(WhenExceeded::kDelay);
  const base::Fd first(at.listener.Accept().Get()->fd);
  EXPECT_GE(first.get(), 0);
  ExpectReached(at.listener.Accept(Mode::kExact).Get(), "accept", "quota.opens_per_second");
  auto late = at.listener.Start<AcceptOperation, AcceptResult>(Mode::kWait, 50ms, AcceptOperation::Want{});
  auto waiting = at.listener.Accept();
  at.slow.Pass(51ms);
  const auto nothing = late.Get();
  EXPECT_TRUE(nothing->timed_out);
  EXPECT_EQ(nothing->fd, -1);
  EXPECT_FALSE(waiting.done());
  at.slow.Pass(50ms);
  const auto got = waiting.Get();
  const base::Fd second(got->fd);
  EXPECT_GE(second.get(), 0);
  EXPECT_EQ(got->sequence, 1u);  // what others could not have was left for it
}

TEST(QuotaOpens, AcceptedOnesAreRefused) {
  Accepting at(WhenExceeded::kRefuse);
  const base::Fd first(at.listener.Accept().Get()->fd);
  ExpectReached(at.listener.Accept().Get(), "accept", "quota.opens_per_second");
  at.slow.Pass(100ms);
  const base::Fd second(at.listener.Accept().Get()->fd);
  EXPECT_GE(second.get(), 0);
}

}  // namespace
}  // namespace socketeer::net
