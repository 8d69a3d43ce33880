// Barriers and published values through the library, with a daemon.
#include "socketeer/coordination.h"

#include <future>
#include <string>

#include "gtest/gtest.h"
#include "socketeer/error.h"
#include "socketeer/session.h"
#include "tests/support/test_server.h"

namespace socketeer {
namespace {

class LibraryCoordination : public ::testing::Test {
 protected:
  bool UnderWay(uint32_t calls) {
    return testing::Eventually([&] { return server_->GetHost()->usage().calls() == calls + 1; },
                               "the API has no event for a call that began to wait");
  }

  testing::TestServer server_;
  Host host_ = *Host::Connect(server_.server().addresses()[0]);
  Coordination here_{host_};
};

TEST_F(LibraryCoordination, PartiesPassTogether) {
  auto other = std::async(std::launch::async, [&] { return here_.Barrier("go", 2); });
  const auto passed = here_.Barrier("barriers/go", 2);
  ASSERT_TRUE(passed.ok()) << passed.status();
  const auto theirs = other.get();
  ASSERT_TRUE(theirs.ok()) << theirs.status();
  EXPECT_EQ(passed->generation(), theirs->generation());
  EXPECT_EQ(passed->index() + theirs->index(), 1u);
}

TEST_F(LibraryCoordination, WhoCancelsBreaksIt) {
  Cancellation cancellation;
  auto leaves = std::async(std::launch::async, [&] {
    CallOptions options;
    options.cancellation = &cancellation;
    return here_.Barrier("go", 3, options).status();
  });
  ASSERT_TRUE(UnderWay(1));
  auto waits = std::async(std::launch::async, [&] { return here_.Barrier("go", 3).status(); });
  ASSERT_TRUE(UnderWay(2));
  cancellation.Cancel();
  EXPECT_EQ(Classify(leaves.get()), ErrorKind::kCancelled);
  const absl::Status told = waits.get();
  EXPECT_EQ(ReasonOf(told), "BARRIER_BROKEN");
  EXPECT_EQ(Classify(told), ErrorKind::kDaemon);
  EXPECT_EQ(ErrorInfoOf(told)->metadata().at("why"), "CANCELLED");
}

TEST_F(LibraryCoordination, ItsOwnTimeIsAnErrorThatSaysSo) {
  CallOptions once;
  once.timeout = absl::ZeroDuration();
  const absl::Status barrier = here_.Barrier("go", 2, once).status();
  EXPECT_EQ(Classify(barrier), ErrorKind::kTimedOut);
  EXPECT_EQ(barrier.message(), "barrier: timed out; 1 of 2 had arrived at barriers/go");
  EXPECT_EQ(Classify(here_.Await("never", once).status()), ErrorKind::kTimedOut);
}

TEST_F(LibraryCoordination, AValueLivesAsLongAsItsObject) {
  auto waits = std::async(std::launch::async, [&] { return here_.Await("server"); });
  ASSERT_TRUE(UnderWay(1));
  {
    auto published = here_.Publish("server", "10.0.0.1:80");
    ASSERT_TRUE(published.ok()) << published.status();
    EXPECT_EQ(waits.get()->data(), "10.0.0.1:80");
    PublishedValue moved = *std::move(published);
    EXPECT_EQ(here_.ListValues()->size(), 1u);
  }
  EXPECT_EQ(here_.ListValues()->size(), 0u);
}

TEST_F(LibraryCoordination, WhatWasPutInItsPlaceStays) {
  v1::GetValueRequest request;
  request.set_name("values/server");
  {
    auto first = here_.Publish("server", "1");
    auto second = here_.Publish("server", "2");
    ASSERT_TRUE(second.ok()) << second.status();
    second->Release();
    EXPECT_EQ(here_.GetValue(request)->data(), "2");
  }
  EXPECT_EQ(here_.GetValue(request)->data(), "2");
  v1::WithdrawValueRequest withdraw;
  withdraw.set_name("values/server");
  EXPECT_EQ(here_.WithdrawValue(withdraw)->data(), "2");
  EXPECT_EQ(ReasonOf(here_.WithdrawValue(withdraw).status()), "VALUE_NOT_FOUND");
}

TEST_F(LibraryCoordination, ValuesLiveInTheSessionOfTheirHost) {
  auto session = host_.CreateSession();
  ASSERT_TRUE(session.ok()) << session.status();
  auto published = Coordination(session->host()).Publish("server", "1");
  ASSERT_TRUE(published.ok()) << published.status();
  EXPECT_EQ(published->value().session(), session->name());
  EXPECT_TRUE(session->End().ok());
  EXPECT_EQ(here_.ListValues()->size(), 0u);
}

TEST_F(LibraryCoordination, AMalformedNameIsRefusedHere) {
  EXPECT_EQ(Classify(here_.Barrier("A", 2).status()), ErrorKind::kArgument);
  EXPECT_EQ(Classify(here_.Publish("barriers/a", "").status()), ErrorKind::kArgument);
  EXPECT_EQ(Classify(here_.Await("").status()), ErrorKind::kArgument);
}

}  // namespace
}  // namespace socketeer
