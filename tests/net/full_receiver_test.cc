// Datagrams to another UNIX socket that is full. The kernel announces room there only to the socket that is connected
// to it; but each refused send makes it announce room here, which must not be taken for that: trying again at once
// would never end.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "tests/net/datagram_driver.h"
#include "tests/support/manual_clock.h"
#include "tests/support/nth_call_fails.h"

namespace socketeer::net {
namespace {

using namespace std::chrono_literals;
using Driver = testing::DatagramDriver;
using testing::Ends;
using testing::kDgram;
using testing::Rig;

class FullReceiver : public ::testing::Test {
 protected:
  FullReceiver() {
    // Where net.unix.max_dgram_qlen is 512, as systemd sets it, one sender's own buffer is full before that.
    while (FillsSome(testing::Plain(kDgram))) {
    }
    kernel_.Arm(0, 0);
  }

  bool FillsSome(base::Fd sender) {
    bool sent = false;
    while (::sendto(sender.get(), "o", 1, MSG_DONTWAIT, to_.data(), to_.size()) == 1) sent = true;
    EXPECT_EQ(errno, EAGAIN);
    return sent;
  }
  // As many turns of the loop as a busy one would need to show.
  size_t Tries(const char* call) {
    for (int i = 0; i < 20; ++i) rig_.Run([] {});
    const auto calls = kernel_.calls();
    return static_cast<size_t>(
        std::count_if(calls.begin(), calls.end(), [&](const auto& made) { return made.call == call; }));
  }
  void ExpectTriedWhenTheTimerSaysSo(const char* call) {
    const size_t first = Tries(call);
    EXPECT_GE(first, 1u);
    EXPECT_LE(first, 2u) << "once more, perhaps, when it began to be watched";
    for (size_t i = 1; i <= 3; ++i) {
      clock_.Advance(32ms);  // the longest delay
      EXPECT_EQ(Tries(call), first + i);
    }
  }
  // Until ours comes.
  void Drain() {
    const timeval patience{.tv_sec = 30, .tv_usec = 0};
    setsockopt(target_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    char byte = 'o';
    while (byte == 'o') {
      clock_.Advance(32ms);
      rig_.Run([] {});
      ASSERT_EQ(::recv(target_.get(), &byte, 1, 0), 1);
    }
    EXPECT_EQ(byte, 'x');
  }

  ::socketeer::testing::NthCallFails kernel_;
  ::socketeer::testing::ManualClock clock_;
  Rig rig_{16, clock_, kernel_};
  Ends ends_{rig_, kDgram};
  base::Fd target_ = testing::PlainTarget(kDgram, *SocketAddress::UnixPath(ends_.dir.File("to")));
  const SocketAddress to_ = testing::AddressOf(target_.get());
};

TEST_F(FullReceiver, AnAttachmentTriesAgainByTheClock) {
  Driver driver(ends_.socket, {.receive_window = 1, .send_window = 1});
  EXPECT_EQ(driver.Send(0, {"x"}, to_), "ok");
  ExpectTriedWhenTheTimerSaysSo("sendmmsg");
  Drain();
}

TEST_F(FullReceiver, AWaitingCallTriesAgainByTheClock) {
  auto sent = ends_.socket.SendDatagrams({{.payload = "x", .destination = to_}}, Mode::kWait);
  ExpectTriedWhenTheTimerSaysSo("sendmsg");
  Drain();
  EXPECT_EQ(sent.Get()->datagrams_sent, 1u);
}

}  // namespace
}  // namespace socketeer::net
