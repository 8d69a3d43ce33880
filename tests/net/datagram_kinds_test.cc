// What an attachment does that is special to UDP, to UNIX datagrams, and to records.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/net/datagram_driver.h"

namespace socketeer::net {
namespace {

using Driver = testing::DatagramDriver;
using ::testing::ElementsAre;
using testing::Ends;
using ::testing::IsEmpty;
using testing::kDgram;
using testing::kSeqpacket;
using testing::kUdp;
using testing::kWide;
using testing::Rig;
using testing::TestSocket;
using testing::Words;

class UdpAttachment : public ::testing::Test {
 protected:
  Rig rig_;
  Ends ends_{rig_, kUdp};
};

TEST_F(UdpAttachment, ComesInBatches) {
  for (int i = 0; i < 40; ++i) ends_.Deliver(std::to_string(i));
  ends_.Deliver(std::string(65'507, 'x'));
  Driver driver(ends_.socket, kWide);
  EXPECT_EQ(driver.Notes(41).size(), 41u);
  EXPECT_EQ(driver.Run([&] { return driver.keeper().sizes.back(); }), 65'507u);
  EXPECT_THAT(driver.Run([&] { return driver.keeper().batches; }), ElementsAre(32, 9));
}

// Nothing is swallowed: received and dropped are what was sent.
TEST_F(UdpAttachment, CountsWhatTheKernelDropped) {
  int small = 1;
  const int fd = ends_.socket.fd();
  EXPECT_EQ(::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
  for (int i = 0; i < 100; ++i) ends_.PeerSends("before");
  uint64_t received = 0;
  {
    Driver driver(ends_.socket, kWide);
    received = driver.Notes(1).size();
    EXPECT_EQ(received + driver.Run([&] { return driver.keeper().dropped; }), 100u);
    driver.Run([&] { driver.keeper().given = 1'000; });
  }
  for (int i = 0; i < 100; ++i) ends_.PeerSends("between");
  Driver driver(ends_.socket, {.receive_window = 1, .send_window = 1});
  uint64_t number = received;
  for (uint64_t dropped = 0; received + dropped < 200;) {
    const Words words = driver.Notes(1);
    ASSERT_THAT(words, ElementsAre(std::to_string(number) + ":between"));
    ++received;
    dropped = driver.Run([&] { return driver.keeper().dropped; });
    EXPECT_EQ(driver.Acknowledge(++number), "ok");
  }
  EXPECT_THAT(driver.Notes(), IsEmpty());
}

// A refused peer: the kernel has one error for the socket, which the next call gets, whichever it is.
TEST_F(UdpAttachment, ARefusedPeerIsTold) {
  TestSocket socket = Open(rig_, kUdp.kind());
  {
    const base::Fd gone = testing::PlainTarget(kUdp, *SocketAddress::Inet("127.0.0.1", 0, ""));
    EXPECT_TRUE(socket.Connect(testing::AddressOf(gone.get())).Get().ok());
  }
  Driver driver(socket, kWide);
  EXPECT_EQ(driver.Send(0, {"a"}), "ok");
  EXPECT_THAT(driver.Notes(1), ElementsAre("0!ECONNREFUSED"));
  // Of a batch too: each that was sent, or refused, is told.
  EXPECT_EQ(driver.Send(1, {"b", "c", "d", "e"}), "ok");
  size_t told = 0;
  while (told < 2) told += driver.Notes(1).size();
  EXPECT_EQ(socket.info().state, State::kConnected);
}

TEST_F(UdpAttachment, OneWithoutADestinationFailsAlone) {
  const SocketAddress to = testing::AddressOf(ends_.peer.get());
  TestSocket socket = Open(rig_, kUdp.kind());
  Driver driver(socket, kWide);
  driver.Run([&] {
    EXPECT_TRUE(driver.attachment()
                    .Send(0, {{.payload = "nowhere", .destination = {}}, {.payload = "a", .destination = to}})
                    .ok());
  });
  EXPECT_THAT(driver.Notes(), ElementsAre("0!WRONG_STATE"));
  EXPECT_EQ(driver.Run([&] { return driver.keeper().done; }), 2u);
  EXPECT_EQ(socket.info().state, State::kBound) << "the first that went out bound it";
}

// A window counts bytes as well, so that datagrams of UNIX sockets cannot outgrow it.
TEST(UnixDatagramAttachment, TheSendWindowBoundsBytes) {
  Rig rig;
  Ends ends(rig, kSeqpacket);
  Driver driver(ends.socket, {.receive_window = 1, .send_window = 2});
  const std::string large(100'000, 'x');
  EXPECT_EQ(driver.Send(0, {large, large}), "CREDIT_EXCEEDED");
  EXPECT_EQ(driver.Send(0, {large}), "ok");
  EXPECT_EQ(driver.Run([&] { return driver.keeper().done; }), 1u);
}

// A full queue at another socket is not announced.
TEST(UnixDatagramAttachment, WaitsForAFullReceiver) {
  Rig rig;
  Ends ends(rig, kDgram);
  const base::Fd target = testing::PlainTarget(kDgram, *SocketAddress::UnixPath(ends.dir.File("to")));
  const SocketAddress to = testing::AddressOf(target.get());
  Driver driver(ends.socket, {.receive_window = 1, .send_window = 1'024});
  const std::vector<std::string> many(1'000, "x");
  EXPECT_EQ(driver.Send(0, many, to), "ok");
  EXPECT_LT(driver.Run([&] { return driver.keeper().done; }), 1'000u);
  driver.Run([&] { driver.attachment().Detach(); });
  EXPECT_THAT(driver.Notes(), IsEmpty()) << "behind what was sent before";
  for (int i = 0; i < 1'000; ++i) {
    testing::WaitFor(target.get(), POLLIN);
    char byte;
    EXPECT_EQ(::recv(target.get(), &byte, 1, MSG_DONTWAIT), 1);
  }
  EXPECT_THAT(driver.Notes(1), ElementsAre("detached"));
}

TEST(SeqpacketAttachment, EndsAsAStreamDoes) {
  Rig rig;
  Ends ends(rig, kSeqpacket);
  Driver driver(ends.socket, kWide);
  ends.PeerSends("");
  ends.PeerSends("b");
  EXPECT_EQ(::shutdown(ends.peer.get(), SHUT_WR), 0);
  EXPECT_THAT(driver.Notes(3), ElementsAre("0:", "1:b", "end 2"));
  EXPECT_EQ(driver.Send(0, {"still"}), "ok");
  driver.Run([&] { driver.attachment().Shutdown(); });
  EXPECT_THAT(driver.Notes(1), ElementsAre("shutdown"));
}

// With unread records the peer's close is a reset. The kernel tells it once, whoever asks first.
TEST(SeqpacketAttachment, AResetEndsBothDirections) {
  for (const bool send_first : {false, true}) {
    Rig rig;
    Ends ends(rig, kSeqpacket);
    Driver driver(ends.socket, {.receive_window = send_first ? 1u : 9u, .send_window = 9});
    EXPECT_EQ(driver.Send(0, {"unread"}), "ok");
    ends.PeerSends("a");
    EXPECT_THAT(driver.Notes(1), ElementsAre("0:a"));
    if (send_first) ends.PeerSends("b");  // beyond the window, so nothing is received now
    ends.peer.reset();
    if (!send_first) {
      EXPECT_THAT(driver.Notes(1), ElementsAre("error ECONNRESET"));
      EXPECT_EQ(driver.Send(1, {"x", "y"}), "ok");
      EXPECT_THAT(driver.Notes(1), ElementsAre("send error EPIPE"));
    } else {
      EXPECT_EQ(driver.Send(1, {"x"}), "ok");
      EXPECT_THAT(driver.Notes(1), ElementsAre("send error ECONNRESET"));
      EXPECT_EQ(driver.Acknowledge(1), "ok");
      EXPECT_THAT(driver.Notes(1), ElementsAre("1:b"));
      EXPECT_EQ(driver.Acknowledge(2), "ok");
      EXPECT_THAT(driver.Notes(1), ElementsAre("error ECONNRESET"));
    }
    driver.Run([&] { driver.keeper().given = driver.attachment().next(); });
    const uint64_t at = driver.Run([&] { return driver.attachment().next(); });
    driver.Leave();
    Driver again(ends.socket, {.receive_offset = at, .receive_window = 1});
    EXPECT_THAT(again.Notes(1), ElementsAre("error ECONNRESET")) << "who names the number again is told again";
  }
}

}  // namespace
}  // namespace socketeer::net
