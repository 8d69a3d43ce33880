// What an attachment does with a listener's connections, and leaves behind.
#include "server/net/listener_attachment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <future>
#include <string>
#include <vector>

#include "server/base/limits.h"
#include "tests/net/attach_clients.h"
#include "tests/net/ends.h"
#include "tests/support/nth_call_fails.h"

namespace socketeer::net {
namespace {

using ::socketeer::testing::NthCallFails;
using ::testing::ElementsAre;
using testing::Flavour;
using ::testing::IsEmpty;
using testing::kSeqpacket;
using testing::kTcp;
using testing::kTcp6;
using testing::kUnix;
using testing::ListenerKeeper;
using testing::Rig;
using ::testing::StartsWith;
using testing::TestSocket;

class ListenerAttachmentTest : public ::testing::TestWithParam<Flavour> {
 protected:
  ListenerAttachmentTest() {
    SocketAddress at = GetParam().IsUnix()
                           ? *SocketAddress::UnixPath(dir_.File("l"))
                           : *SocketAddress::Inet(GetParam().family == AF_INET6 ? "::1" : "127.0.0.1", 0, "");
    EXPECT_TRUE(socket_.Run([&](Socket& on_loop) { return on_loop.Bind(at); }).ok());
    EXPECT_TRUE(socket_.Run([](Socket& on_loop) { return on_loop.Listen(64); }).ok());
  }
  ~ListenerAttachmentTest() override {
    Leave();
    keeper_->made.clear();
  }
  template <typename F>
  auto Run(F f) {
    return rig_.Run(f);
  }
  void Attach(const AttachTerms& terms) {
    socket_.Run([&](Socket& on_loop) {
      auto attached = on_loop.AttachListener(terms, keeper_);
      ASSERT_TRUE(attached.ok()) << attached.error().message;
      attachment_ = *std::move(attached);
      attachment_->Begin();
    });
  }
  void Leave() {
    Run([this] {
      if (auto attachment = std::exchange(attachment_, nullptr)) attachment->Leave();
    });
  }
  void StopListening() {
    EXPECT_TRUE(socket_.Run([](Socket& on_loop) { return on_loop.Shutdown(SHUT_RD); }).ok());
  }
  base::Fd Connect() {
    base::Fd client = testing::Plain(GetParam());
    const SocketAddress at = socket_.info().local;
    EXPECT_EQ(::connect(client.get(), at.data(), at.size()), 0);
    return client;
  }
  // Waits until there are so many notes.
  std::vector<std::string> Notes(size_t count) {
    auto reached = Run([&] { return keeper_->Reaches(count); });
    EXPECT_EQ(reached.wait_for(std::chrono::seconds(30)), std::future_status::ready);
    return Run([&] { return keeper_->Take(); });
  }

  ::socketeer::testing::TempDir dir_;
  NthCallFails kernel_;
  Rig rig_{16, base::SystemClock(), kernel_};
  TestSocket socket_ = Open(rig_, GetParam().kind());
  const std::shared_ptr<ListenerKeeper> keeper_ = std::make_shared<ListenerKeeper>(rig_);
  std::shared_ptr<ListenerAttachment> attachment_;
};
INSTANTIATE_TEST_SUITE_P(Kinds, ListenerAttachmentTest, ::testing::Values(kTcp, kTcp6, kUnix, kSeqpacket),
                         [](const auto& each) { return std::string(each.param.name); });

// As of a stream's.
TEST_P(ListenerAttachmentTest, WhoseGrantWasWithdrawnAcceptsNothingMore) {
  const auto guest = std::make_shared<Actor>();
  AttachTerms terms{.receive_window = 2};
  terms.actor = guest;
  Attach(terms);
  guest->withdrawn.store(true);
  const base::Fd client = Connect();
  testing::WaitFor(socket_.fd(), POLLIN);
  Run([] {});  // the loop has seen it
  EXPECT_THAT(Run([this] { return keeper_->Take(); }), IsEmpty());
  Leave();
  EXPECT_TRUE(socket_.Accept(Mode::kExact).Get().ok());
}

TEST_P(ListenerAttachmentTest, AcceptsAsFarAsTheWindowAllows) {
  std::vector<base::Fd> clients;
  for (int i = 0; i < 40; ++i) clients.push_back(Connect());
  Attach({.receive_window = 38});
  EXPECT_EQ(Notes(38).back(), "37");
  EXPECT_THAT(Notes(0), IsEmpty());
  EXPECT_EQ(socket_.observer().gauges().accepted.load(), 38u) << "the others wait in the kernel";
  EXPECT_TRUE(Run([&] { return attachment_->Acknowledge(1); }).ok());
  EXPECT_THAT(Notes(1), ElementsAre("38"));
  EXPECT_EQ(Run([&] { return attachment_->Acknowledge(40); }).error().reason, "OFFSET_OUT_OF_RANGE");
  EXPECT_TRUE(Run([&] { return attachment_->Acknowledge(39); }).ok());
  EXPECT_THAT(Notes(1), ElementsAre("39"));
  clients.push_back(Connect());
  EXPECT_THAT(Notes(1), ElementsAre("40"));
  EXPECT_EQ(keeper_->made.size(), 41u);
  EXPECT_EQ(::send(clients[40].get(), "x", 1, MSG_NOSIGNAL), 1);
  testing::WaitFor(keeper_->made[40].fd(), POLLIN);
}

// Whoever names the same number again is told the same sockets; so is an accept.
TEST_P(ListenerAttachmentTest, GoesOnWhereItWas) {
  const base::Fd a = Connect(), b = Connect(), c = Connect();
  Attach({.receive_window = 3});
  EXPECT_EQ(Notes(3).size(), 3u);
  Run([&] { keeper_->given = 1; });  // the others were told nobody
  Leave();
  Attach({.receive_offset = 0, .receive_window = 2});
  EXPECT_THAT(Notes(2), ElementsAre("0", "1"));
  EXPECT_EQ(keeper_->told[3], keeper_->told[0]);
  EXPECT_EQ(keeper_->told[4], keeper_->told[1]);
  EXPECT_TRUE(Run([&] { return attachment_->Acknowledge(1); }).ok());
  EXPECT_THAT(Notes(1), ElementsAre("2"));
  EXPECT_EQ(keeper_->made.size(), 3u) << "nobody became two";
  Leave();
  const auto next = socket_.Accept(Mode::kExact).Get();
  ASSERT_TRUE(next.ok());
  EXPECT_EQ(next->sequence, 1u);
  EXPECT_TRUE(next->replayed);
  EXPECT_EQ(next->became, keeper_->told[1]);
  EXPECT_EQ(socket_.Accept(Mode::kExact).Get()->became, keeper_->told[2]);
  EXPECT_EQ(socket_.Accept(Mode::kExact).Get().error().reason, "EAGAIN");
}

TEST_P(ListenerAttachmentTest, NoMoreIsAcknowledgedThanWasPassedOn) {
  const base::Fd a = Connect(), b = Connect(), c = Connect();
  Run([&] { keeper_->given = 1; });
  Attach({.receive_window = 2});
  EXPECT_THAT(Notes(2), ElementsAre("0", "1"));
  EXPECT_EQ(Run([&] { return attachment_->Acknowledge(2); }).error().reason, "OFFSET_OUT_OF_RANGE");
  EXPECT_TRUE(Run([&] { return attachment_->Acknowledge(1); }).ok());
  EXPECT_THAT(Notes(1), ElementsAre("2"));
}

// The client passes on what it was told before it ends.
TEST_P(ListenerAttachmentTest, AnOrderlyDetachGivesWhatWasTold) {
  const base::Fd a = Connect(), b = Connect(), c = Connect();
  Run([&] { keeper_->given = 0; });
  Attach({.receive_window = 2});
  EXPECT_THAT(Notes(2), ElementsAre("0", "1"));
  Run([&] { attachment_->Detach(); });
  EXPECT_THAT(Notes(1), ElementsAre("detached"));
  for (const auto from : {std::optional<uint64_t>(), std::optional<uint64_t>(2)}) {
    Attach({.receive_offset = from, .receive_window = 9});
    EXPECT_THAT(Notes(1), ElementsAre("2"));
    Leave();
  }
  EXPECT_EQ(keeper_->made.size(), 3u);
}

// A shortage is told once, and it goes on when it is over.
TEST_P(ListenerAttachmentTest, WaitsWhileThereIsNoRoom) {
  const base::Fd a = Connect();
  Run([&] {
    keeper_->full = true;
    keeper_->given = 0;
  });
  Attach({.receive_window = 9});
  EXPECT_THAT(Notes(1), ElementsAre("0!LIMIT_REACHED"));
  const base::Fd b = Connect();
  for (int i = 0; i < 20; ++i) Run([&] { attachment_->OnEvents(EPOLLIN); });
  EXPECT_THAT(Notes(0), IsEmpty()) << "once";
  EXPECT_EQ(socket_.observer().gauges().accepted.load(), 1u) << "one beside the backlog, no more";
  Run([&] { keeper_->full = false; });
  EXPECT_THAT(Notes(2), ElementsAre("0", "1")) << "by itself";
  Run([&] { keeper_->full = true; });
  const base::Fd c = Connect();
  EXPECT_THAT(Notes(1), ElementsAre("2!LIMIT_REACHED")) << "a new shortage";
  Leave();
  Run([&] { keeper_->full = false; });
  Attach({.receive_window = 9, .takeover = true});
  EXPECT_THAT(Notes(3), ElementsAre("0", "1", "2")) << "it is not lost";
}

TEST_P(ListenerAttachmentTest, GoesOnBehindAnErrorOfAccept) {
  Attach({.receive_window = 9});
  kernel_.Arm(1, 8);  // EMFILE
  const base::Fd a = Connect();
  EXPECT_THAT(Notes(2), ElementsAre("0!EMFILE", "0"));
  kernel_.Disarm();
}

// Its session ended between two steps: the socket is gone, and the attachment ends.
TEST_P(ListenerAttachmentTest, EndsWhenASocketHasNowhereToLive) {
  const base::Fd a = Connect(), b = Connect();
  Run([&] { keeper_->refuses = true; });
  Attach({.receive_window = 9});
  EXPECT_THAT(Notes(1), ElementsAre("detached SESSION_ENDED"));
  char byte;
  testing::WaitFor(a.get(), POLLIN);
  EXPECT_LE(::recv(a.get(), &byte, 1, 0), 0);
  const auto next = socket_.Accept(Mode::kExact).Get();
  ASSERT_TRUE(next.ok()) << "the other one";
  const base::Fd accepted(next->fd);
  EXPECT_EQ(next->sequence, 0u);
  attachment_.reset();
}

TEST_P(ListenerAttachmentTest, EndsWithTheListening) {
  Attach({.receive_window = 9});
  StopListening();
  EXPECT_THAT(Notes(1), ElementsAre(GetParam().IsUnix() ? "error WRONG_STATE" : "error EINVAL"));
  Run([&] { attachment_->Detach(); });
  EXPECT_THAT(Notes(1), ElementsAre("detached"));
}

// What was told and is not acknowledged keeps its number, and is told again.
TEST_P(ListenerAttachmentTest, WhatWasToldOutlivesTheListening) {
  const base::Fd a = Connect();
  Attach({.receive_window = 9});
  EXPECT_THAT(Notes(1), ElementsAre("0"));
  StopListening();
  EXPECT_THAT(Notes(1), ElementsAre(StartsWith("error")));
  Leave();
  EXPECT_TRUE(socket_.Run([](Socket& on_loop) { return on_loop.Listen(64); }).ok());
  const base::Fd b = GetParam().IsUnix() ? base::Fd() : Connect();  // a UNIX socket's read side stays shut
  Attach({.receive_offset = 0, .receive_window = 9});
  EXPECT_THAT(Notes(2), ElementsAre("0", GetParam().IsUnix() ? "error WRONG_STATE" : "1"));
  EXPECT_EQ(keeper_->told[1], keeper_->told[0]);
}

TEST_P(ListenerAttachmentTest, WhatWasToldCanBeAcknowledgedBehindTheListening) {
  const base::Fd a = Connect(), b = Connect();
  Attach({.receive_window = 1});
  EXPECT_THAT(Notes(1), ElementsAre("0"));
  StopListening();
  EXPECT_TRUE(Run([&] { return attachment_->Acknowledge(1); }).ok());
  if (GetParam().IsUnix()) {
    EXPECT_THAT(Notes(1), ElementsAre("1")) << "a UNIX listener keeps its backlog";
  }
  Run([&] { attachment_->Detach(); });
  EXPECT_EQ(Notes(1).back(), "detached");
}

TEST_P(ListenerAttachmentTest, DetachesBehindTheListening) {
  const base::Fd a = Connect();
  Attach({.receive_window = 1});
  EXPECT_THAT(Notes(1), ElementsAre("0"));
  StopListening();
  Run([&] { attachment_->Detach(); });
  EXPECT_THAT(Notes(1), ElementsAre("detached"));
  const auto again = socket_.Accept(Mode::kExact, {.sequence = 0}).Get();
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(again->became, keeper_->told[0]);
  socket_.Close();
  EXPECT_EQ(::send(a.get(), "x", 1, MSG_NOSIGNAL), 1);
  testing::WaitFor(keeper_->made[0].fd(), POLLIN);
}

// What was accepted and became no socket goes, and its number with it.
TEST_P(ListenerAttachmentTest, WhatBecameNoSocketEndsWithTheListener) {
  const base::Fd a = Connect();
  Attach({.receive_window = 9});
  EXPECT_THAT(Notes(1), ElementsAre("0"));
  Run([&] { keeper_->full = true; });
  const base::Fd b = Connect();
  EXPECT_THAT(Notes(1), ElementsAre("1!LIMIT_REACHED"));
  if (!GetParam().IsUnix()) {
    StopListening();
    Run([&] { keeper_->full = false; });
    EXPECT_THAT(Notes(1), ElementsAre("error EINVAL"));
    EXPECT_EQ(Run([&] { return attachment_->next(); }), 1u);
  }
  socket_.Close();
  EXPECT_EQ(Notes(1).back(), "detached SOCKET_CLOSED");
  char byte;
  testing::WaitFor(b.get(), POLLIN);
  EXPECT_LE(::recv(b.get(), &byte, 1, 0), 0);
  EXPECT_EQ(::recv(a.get(), &byte, 1, MSG_DONTWAIT), -1);
  EXPECT_EQ(errno, EAGAIN) << "this one lives";
}

TEST_P(ListenerAttachmentTest, WhatBecameASocketOutlivesTheListener) {
  const base::Fd client = Connect();
  Attach({.receive_window = 9});
  EXPECT_EQ(Notes(1).size(), 1u);
  socket_.Close();
  EXPECT_THAT(Notes(1), ElementsAre("detached SOCKET_CLOSED"));
  attachment_.reset();
  EXPECT_EQ(::send(client.get(), "x", 1, MSG_NOSIGNAL), 1);
  testing::WaitFor(keeper_->made[0].fd(), POLLIN);
}

}  // namespace
}  // namespace socketeer::net
