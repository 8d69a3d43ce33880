// What an attachment does with datagrams and records, and leaves behind.
#include "server/net/datagram_attachment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <future>
#include <string>
#include <vector>

#include "server/base/limits.h"
#include "tests/net/datagram_driver.h"
#include "tests/support/nth_call_fails.h"

namespace socketeer::net {
namespace {

using ::socketeer::testing::NthCallFails;
using Driver = testing::DatagramDriver;
using ::testing::ElementsAre;
using testing::Ends;
using testing::Flavour;
using ::testing::IsEmpty;
using testing::kDgram;
using testing::kSeqpacket;
using testing::kUdp;
using testing::kUdp6;
using testing::kWide;
using testing::Rig;
using testing::Words;

class DatagramAttachmentTest : public ::testing::TestWithParam<Flavour> {
 protected:
  Rig rig_;
  Ends ends_{rig_, GetParam()};
};
INSTANTIATE_TEST_SUITE_P(Kinds, DatagramAttachmentTest, ::testing::Values(kUdp, kUdp6, kDgram, kSeqpacket),
                         [](const auto& each) { return std::string(each.param.name); });

TEST_P(DatagramAttachmentTest, HandsOutWhatComesAsFarAsTheWindowAllows) {
  for (const std::string data : {"one", "", "three", "four", "five"}) ends_.Deliver(data);
  Driver driver(ends_.socket, {.receive_window = 3, .send_window = 1});
  EXPECT_THAT(driver.Notes(3), ElementsAre("0:one", "1:", "2:three"));
  EXPECT_EQ(driver.Acknowledge(4), "OFFSET_OUT_OF_RANGE");
  EXPECT_EQ(driver.Acknowledge(1), "ok");
  EXPECT_THAT(driver.Notes(1), ElementsAre("3:four"));
  EXPECT_EQ(ends_.kept(), 9u) << "'', 'three', 'four'";
  EXPECT_EQ(rig_.retained().used(), 9 + 3 * base::kDatagramOverhead);
  EXPECT_EQ(driver.Acknowledge(0), "OFFSET_OUT_OF_RANGE");
  EXPECT_EQ(driver.Acknowledge(4), "ok");
  EXPECT_THAT(driver.Notes(1), ElementsAre("4:five"));
  ends_.PeerSends("six");
  EXPECT_THAT(driver.Notes(1), ElementsAre("5:six"));
  EXPECT_EQ(driver.Acknowledge(6), "ok");
  EXPECT_EQ(rig_.retained().used(), 0u);
  EXPECT_EQ(ends_.socket.observer().gauges().datagrams_received.load(), 6u);
  EXPECT_EQ(ends_.socket.observer().gauges().bytes_received.load(), 19u);
}

// As of a stream's.
TEST_P(DatagramAttachmentTest, WhoseGrantWasWithdrawnDoesNothingMore) {
  const auto guest = std::make_shared<Actor>();
  {
    AttachTerms terms = kWide;
    terms.actor = guest;
    Driver driver(ends_.socket, terms);
    guest->withdrawn.store(true);
    ends_.Deliver("abc");
    EXPECT_EQ(driver.Send(0, {"never"}, ends_.socket.info().peer), "ok");
    EXPECT_THAT(driver.Notes(), IsEmpty());
    EXPECT_EQ(driver.Run([&] { return driver.keeper().done; }), 0u);
  }
  EXPECT_EQ(ends_.Records({}, 1)->datagrams[0].payload, "abc");
}

// What the client had no chance to pass on goes to the next call that names no number; what it may have got can be had
// again by name.
TEST_P(DatagramAttachmentTest, OnlyWhatWasPassedOnWasGiven) {
  for (const std::string data : {"a", "b", "c"}) ends_.Deliver(data);
  {
    Driver driver(ends_.socket, kWide);
    EXPECT_THAT(driver.Notes(3), ElementsAre("0:a", "1:b", "2:c"));
    driver.Run([&] { driver.keeper().given = 2; });
  }
  EXPECT_EQ(ends_.Records(1, 1)->datagrams[0].payload, "b");
  EXPECT_EQ(ends_.Records({}, 1)->datagrams[0].payload, "c");
  EXPECT_EQ(ends_.Records({}, 1).error().reason, "EAGAIN");
}

// Else one that reads nothing could go on acknowledging, and the daemon would queue without end.
TEST_P(DatagramAttachmentTest, NoMoreIsAcknowledgedThanWasPassedOn) {
  for (const std::string data : {"a", "b", "c"}) ends_.Deliver(data);
  Driver driver(ends_.socket, {.receive_window = 2, .send_window = 1});
  EXPECT_THAT(driver.Notes(2), ElementsAre("0:a", "1:b"));
  driver.Run([&] { driver.keeper().given = 1; });
  EXPECT_EQ(driver.Acknowledge(2), "OFFSET_OUT_OF_RANGE");
  EXPECT_THAT(driver.Notes(), IsEmpty());
  EXPECT_EQ(driver.Acknowledge(1), "ok");
  EXPECT_THAT(driver.Notes(1), ElementsAre("2:c"));
  driver.Run([&] { driver.keeper().given = 0; });
  EXPECT_EQ(driver.Acknowledge(1), "ok") << "where it is already";
}

// The client passes on what it was told before it ends.
TEST_P(DatagramAttachmentTest, AnOrderlyDetachGivesWhatWasTold) {
  for (const std::string data : {"a", "b", "c"}) ends_.Deliver(data);
  {
    Driver driver(ends_.socket, {.receive_window = 2, .send_window = 1});
    driver.Run([&] { driver.keeper().given = 0; });
    EXPECT_THAT(driver.Notes(2), ElementsAre("0:a", "1:b"));
    driver.Run([&] { driver.attachment().Detach(); });
  }
  EXPECT_EQ(Driver(ends_.socket, {.receive_offset = 3, .receive_window = 1}).refused()->reason, "OFFSET_OUT_OF_RANGE");
  for (const auto from : {std::optional<uint64_t>(), std::optional<uint64_t>(2)}) {
    Driver driver(ends_.socket, {.receive_offset = from, .receive_window = 9});
    ASSERT_FALSE(driver.refused());
    driver.Run([&] { driver.keeper().given = 0; });
    EXPECT_THAT(driver.Notes(1), ElementsAre("2:c"));
  }
}

TEST_P(DatagramAttachmentTest, GoesOnAtAnyNumberThatIsKept) {
  for (const std::string data : {"a", "b", "c", "d"}) ends_.Deliver(data);
  for (uint64_t from = 0; from < 4; ++from) {
    Driver driver(ends_.socket, {.receive_offset = from, .receive_window = 64, .send_window = 1});
    ASSERT_FALSE(driver.refused());
    const Words words = driver.Notes(4 - from);
    EXPECT_EQ(words.size(), 4 - from);
    EXPECT_EQ(words[0], std::to_string(from) + ":" + static_cast<char>('a' + from));
    driver.Run([&] { driver.keeper().given = 4; });
  }
  EXPECT_EQ(Driver(ends_.socket, {.receive_offset = 2, .receive_window = 1}).refused()->reason, "OFFSET_OUT_OF_RANGE");
  EXPECT_EQ(Driver(ends_.socket, {.receive_offset = 5, .receive_window = 1}).refused()->reason, "OFFSET_OUT_OF_RANGE");
}

TEST_P(DatagramAttachmentTest, SendsInOrderAndSaysHowFar) {
  SocketAddress to;
  base::Fd target;
  if (!GetParam().HasConnections()) {
    target =
        testing::PlainTarget(GetParam(), GetParam().IsUnix() ? *SocketAddress::UnixPath(ends_.dir.File("to"))
                                         : GetParam().family == AF_INET6 ? *SocketAddress::Inet("::1", 0, "")
                                                                         : *SocketAddress::Inet("127.0.0.1", 0, ""));
    to = testing::AddressOf(target.get());
  }
  const int arrives = target ? target.get() : ends_.peer.get();
  Driver driver(ends_.socket, {.receive_window = 1, .send_window = 3});
  EXPECT_EQ(driver.Send(1, {"x"}, to), "OFFSET_OUT_OF_RANGE");
  EXPECT_EQ(driver.Send(0, {"a", "", "ccc", "d"}, to), "CREDIT_EXCEEDED");
  driver.Run([&] { driver.keeper().told = 0; });
  EXPECT_EQ(driver.Send(0, {"a", "", "ccc"}, to), "ok");
  EXPECT_EQ(driver.Send(3, {"dddd"}, to), "CREDIT_EXCEEDED") << "the client cannot know yet";
  driver.Run([&] { driver.keeper().told = UINT64_MAX; });
  EXPECT_EQ(driver.Send(3, {"dddd"}, to), "ok");
  EXPECT_EQ(driver.Run([&] { return driver.keeper().done; }), 4u);
  for (const ssize_t size : {1, 0, 3, 4}) {
    char buffer[16];
    EXPECT_EQ(::recv(arrives, buffer, sizeof(buffer), MSG_DONTWAIT), size);
  }
  driver.Leave();
  EXPECT_EQ(ends_.socket.observer().gauges().datagrams_sent.load(), 4u);
  EXPECT_EQ(Driver(ends_.socket, {.send_offset = 5, .receive_window = 1}).refused()->reason, "OFFSET_OUT_OF_RANGE");
  // Who says so may repeat what the kernel has, in frames of any cut.
  Driver again(ends_.socket, {.send_offset = 2, .receive_window = 1, .send_window = 3});
  EXPECT_EQ(again.Send(2, {"ccc"}, to), "ok");
  EXPECT_EQ(again.Send(3, {"dddd", "eeeee"}, to), "ok");
  char buffer[16];
  EXPECT_EQ(::recv(arrives, buffer, sizeof(buffer), MSG_DONTWAIT), 5);
  EXPECT_EQ(::recv(arrives, buffer, sizeof(buffer), MSG_DONTWAIT), -1);
}

// A failure of one takes its number; the others go on. (The kernel's own: tests/contract.)
TEST_P(DatagramAttachmentTest, AFailureStandsInItsPlace) {
  NthCallFails kernel;
  Rig rig(16, base::SystemClock(), kernel);
  Ends ends(rig, GetParam());
  const bool udp = !GetParam().IsUnix();
  ends.Deliver("a");
  ends.Deliver("b");
  {
    Driver driver(ends.socket, kWide);
    EXPECT_THAT(driver.Notes(2), ElementsAre("0:a", "1:b"));
    kernel.Arm(1, 8);  // ENOMEM
    ends.PeerSends("c");
    EXPECT_THAT(driver.Notes(2), ElementsAre("2!ENOMEM", "3:c"));
    EXPECT_EQ(kernel.Disarm()->call, udp ? "recvmmsg" : "recvmsg");
    EXPECT_EQ(driver.keeper().last_error->operation, "receive");
    EXPECT_EQ(driver.keeper().last_error->socket, "sockets/test");
    EXPECT_EQ(rig.retained().used(), 3 + 4 * base::kDatagramOverhead);
    driver.Run([&] { driver.keeper().given = 4; });
  }
  // What was not acknowledged is told again: to calls, too.
  EXPECT_EQ(ends.Records(2).error().reason, "ENOMEM");
  EXPECT_EQ(ends.Records(2).error().reason, "ENOMEM") << "until it is acknowledged";
  EXPECT_EQ(ends.Records(2, 1, 100, true).error().reason, "ENOMEM");
  {
    Driver driver(ends.socket, {.receive_offset = 2, .receive_window = 9});
    EXPECT_THAT(driver.Notes(2), ElementsAre("2!ENOMEM", "3:c"));
    EXPECT_EQ(driver.Acknowledge(3), "ok");
    driver.Run([&] { driver.keeper().given = 4; });
  }
  EXPECT_EQ(ends.Records(3)->datagrams[0].payload, "c");
  EXPECT_EQ(ends.Records(2).error().reason, "OFFSET_OUT_OF_RANGE");
}

// A receive without a number gets what is before it, then the error, then what is behind it, each once.
TEST_P(DatagramAttachmentTest, ACallGetsTheFailureInItsPlace) {
  for (const bool whole : {false, true}) {
    NthCallFails kernel;
    Rig rig(16, base::SystemClock(), kernel);
    Ends ends(rig, GetParam());
    {
      Driver driver(ends.socket, kWide);
      driver.Run([&] { driver.keeper().given = 0; });
      ends.PeerSends("a");
      EXPECT_THAT(driver.Notes(1), ElementsAre("0:a"));
      kernel.Arm(1, 8);  // ENOMEM
      ends.PeerSends("b");
      EXPECT_THAT(driver.Notes(2), ElementsAre("1!ENOMEM", "2:b"));
      kernel.Disarm();
    }
    const auto receive = [&] { return ends.socket.ReceiveDatagrams(3, whole ? Mode::kWhole : Mode::kExact).Get(); };
    auto got = receive();
    ASSERT_TRUE(got.ok());
    EXPECT_EQ(got->datagrams.size(), 1u);
    EXPECT_EQ(receive().error().reason, "ENOMEM");
    got = ends.socket.ReceiveDatagrams(1, Mode::kExact).Get();
    ASSERT_TRUE(got.ok());
    EXPECT_EQ(got->sequence, 2u);
    EXPECT_EQ(got->datagrams[0].payload, "b");
    EXPECT_EQ(rig.retained().used(), 0u);
  }
}

TEST_P(DatagramAttachmentTest, ASendThatFailsLeavesTheOthersAlone) {
  NthCallFails kernel;
  Rig rig(16, base::SystemClock(), kernel);
  Ends ends(rig, GetParam());
  if (!GetParam().HasConnections()) {
    const SocketAddress to = testing::AddressOf(ends.peer.get());
    if (GetParam().IsUnix()) return;  // the peer has no name
    EXPECT_TRUE(ends.socket.Connect(to).Get().ok());
  }
  Driver driver(ends.socket, kWide);
  kernel.Arm(2, 12);  // EMSGSIZE
  EXPECT_EQ(driver.Send(0, {"a", "b", "c"}), "ok");
  EXPECT_EQ(kernel.Disarm()->call, "sendmmsg");
  EXPECT_THAT(driver.Notes(), ElementsAre("1!EMSGSIZE"));
  EXPECT_EQ(driver.keeper().last_error->operation, "send");
  EXPECT_EQ(driver.Run([&] { return driver.keeper().done; }), 3u);
  char buffer[4];
  for (const char wanted : {'a', 'c'}) {
    EXPECT_EQ(::recv(ends.peer.get(), buffer, sizeof(buffer), MSG_DONTWAIT), 1);
    EXPECT_EQ(buffer[0], wanted);
  }
  EXPECT_EQ(ends.socket.observer().gauges().datagrams_sent.load(), 2u);
}

TEST_P(DatagramAttachmentTest, TheBoundOfWhatIsKeptIsKept) {
  Rig rig(16, base::SystemClock(), KernelSyscalls(), 1'000, 600);
  Ends ends(rig, GetParam());
  for (int i = 0; i < 4; ++i) ends.Deliver(std::string(40, static_cast<char>('a' + i)));
  Driver driver(ends.socket, kWide);
  EXPECT_EQ(driver.Notes(2).size(), 2u) << "as many as may be kept";
  EXPECT_EQ(rig.retained().used(), 2 * (40 + base::kDatagramOverhead));
  EXPECT_EQ(driver.Acknowledge(1), "ok");
  EXPECT_THAT(driver.Notes(1), ElementsAre("2:" + std::string(20, 'c')));
  EXPECT_EQ(driver.Acknowledge(3), "ok");
  EXPECT_THAT(driver.Notes(1), ElementsAre("3:" + std::string(20, 'd')));
}

TEST_P(DatagramAttachmentTest, AnotherTakesOver) {
  ends_.Deliver("a");
  Driver first(ends_.socket, kWide);
  EXPECT_EQ(Driver(ends_.socket, kWide).refused()->reason, "SOCKET_ATTACHED");
  EXPECT_EQ(ends_.Records(0).error().reason, "SOCKET_ATTACHED");
  Driver second(ends_.socket, {.receive_offset = 0, .receive_window = 1, .takeover = true});
  EXPECT_THAT(first.Notes(), ElementsAre("0:a", "detached TAKEN_OVER"));
  EXPECT_THAT(second.Notes(1), ElementsAre("0:a"));
  second.Run([&] { second.attachment().Detach(); });
  EXPECT_THAT(second.Notes(), ElementsAre("detached"));
}

}  // namespace
}  // namespace socketeer::net
