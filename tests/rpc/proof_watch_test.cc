#include "server/rpc/proof_watch.h"

#include <gtest/gtest.h>

#include "tests/support/manual_clock.h"

namespace socketeer::rpc {
namespace {

using std::chrono::milliseconds;

class ProofWatchTest : public ::testing::Test {
 protected:
  void Add(uint64_t call, const std::string& identity) {
    watch_.Add(call, std::make_shared<Basis>(Basis{.identity = identity}), cancellation_,
               [this, call]() -> ProofWatch::Cut {
                 ++kept_;
                 // As gRPC may do it: the call is over when it is cut off.
                 return [this, call] {
                   ++cut_;
                   watch_.Remove(call);
                 };
               });
  }
  void End(const std::string& identity) {
    watch_.End([&](const Basis& basis) -> std::optional<base::Error> {
      if (basis.identity != identity) return std::nullopt;
      return base::IdentityRemoved();
    });
  }

  testing::ManualClock clock_;
  ProofWatch watch_{clock_};
  std::shared_ptr<Cancellation> cancellation_ = std::make_shared<Cancellation>();
  int kept_ = 0;
  int cut_ = 0;
};

TEST_F(ProofWatchTest, TellsThoseWhoseProofEndsAndNobodyElse) {
  Add(1, "a");
  End("b");
  EXPECT_FALSE(cancellation_->cancelled());
  EXPECT_FALSE(cancellation_->unproven());
  End("a");
  ASSERT_TRUE(cancellation_->why());
  EXPECT_EQ(cancellation_->why()->reason, "IDENTITY_REMOVED");
  EXPECT_TRUE(cancellation_->unproven());
}

TEST_F(ProofWatchTest, CutsOffWhatDoesNotEndInTime) {
  Add(1, "a");
  Add(2, "b");
  clock_.Advance(kEndingLimit * 10);
  watch_.CutOff();
  EXPECT_EQ(kept_, 0) << "nobody was told to end";
  End("a");
  clock_.Advance(kEndingLimit - milliseconds(1));
  End("a");  // does not give more time
  watch_.CutOff();
  EXPECT_EQ(kept_, 0);
  clock_.Advance(milliseconds(1));
  watch_.CutOff();
  EXPECT_EQ(cut_, 1);
  watch_.CutOff();
  EXPECT_EQ(kept_, 1) << "it is not there any more";
}

TEST_F(ProofWatchTest, LeavesAloneWhatEndsByItself) {
  Add(1, "a");
  End("a");
  watch_.Remove(1);
  watch_.Remove(1);
  clock_.Advance(kEndingLimit * 2);
  watch_.CutOff();
  EXPECT_EQ(kept_, 0);
}

// One that was cancelled for another reason, and keeps the daemon waiting, is cut off too.
TEST_F(ProofWatchTest, AlsoOneThatIsEndingAlready) {
  Add(1, "a");
  cancellation_->Cancel(base::Draining());
  End("a");
  EXPECT_EQ(cancellation_->why()->reason, "DRAINING");
  EXPECT_TRUE(cancellation_->unproven());
  clock_.Advance(kEndingLimit);
  watch_.CutOff();
  EXPECT_EQ(cut_, 1);
}

}  // namespace
}  // namespace socketeer::rpc
