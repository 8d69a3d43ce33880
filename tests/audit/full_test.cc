// On a full disk: no line is torn, and each is written in the end, or counted.
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/audit/fixture.h"

namespace socketeer::audit {
namespace {

// Files that must not grow beyond a size: as on a full disk, a write is cut short, and the next one fails.
class AuditFullTest : public AuditTest {
 protected:
  AuditFullTest() {
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
  }
  ~AuditFullTest() override { setrlimit(RLIMIT_FSIZE, &before_); }
  void AllowBytes(rlim_t bytes) {
    const rlimit limit{.rlim_cur = bytes, .rlim_max = before_.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  }
  bool EventuallyTold(const std::string& words) {
    return Eventually([&] { return told_.Count(words) == 1; }, "a log announces nothing");
  }

  const std::string full_ = "failure: audit " + path_ + ": File too large; lines wait, up to ";
  rlimit before_{};
};

TEST_F(AuditFullTest, LinesWaitForRoomAndNoneIsTorn) {
  const auto audit = Open(path_);
  AllowBytes(1'000);
  for (int n = 0; n < 100; ++n) audit->Record(Numbered(n));
  ASSERT_TRUE(EventuallyTold(full_)) << told_.All();
  const std::string text = Read(path_);
  EXPECT_GT(text.size(), 900u);
  EXPECT_EQ(text.back(), '\n');
  ExpectWhole(Lines(text), static_cast<int>(Lines(text).size()));
  AllowBytes(before_.rlim_cur);
  ASSERT_TRUE(EventuallyReads(path_, 100));
  EXPECT_TRUE(audit->Finish(kLong));
  ExpectWhole(Lines(Read(path_)), 100);
  EXPECT_EQ(audit->lost(), 0u);
  EXPECT_EQ(told_.Count("info: audit " + path_ + ": is written again"), 1u) << told_.All();
}

TEST_F(AuditFullTest, WhatFindsNoRoomIsLostAndCounted) {
  Audit audit(*Sink::Open(path_), path_, clock_, told_.Teller(), 4'096);
  AllowBytes(1'000);
  for (int n = 0; n < 1'000; ++n) audit.Record(Numbered(n));
  ASSERT_TRUE(EventuallyTold(full_)) << told_.All();
  EXPECT_GT(audit.lost(), 800u);
  AllowBytes(before_.rlim_cur);
  ASSERT_TRUE(Eventually([&] { return told_.Count("is written again") == 1; }, "as above"));
  audit.Record(Numbered(1'000));
  EXPECT_TRUE(audit.Finish(kLong));
  ExpectWhole(Lines(Read(path_)), 1'001);
}

TEST_F(AuditFullTest, AtItsEndWhatFindsNoRoomIsCountedForTheOperator) {
  const auto audit = Open(path_);
  AllowBytes(1'000);
  for (int n = 0; n < 100; ++n) audit->Record(Numbered(n));
  EXPECT_TRUE(audit->Finish(kLong));
  const size_t written = Lines(Read(path_)).size();
  EXPECT_GT(written, 5u);
  EXPECT_EQ(audit->lost(), 100 - written);
  EXPECT_EQ(told_.Count(std::to_string(100 - written) + " lines are lost"), 1u) << told_.All();
}

TEST_F(AuditFullTest, AtItsEndEveryLineIsWrittenOrCounted) {
  Audit audit(*Sink::Open(path_), path_, clock_, told_.Teller(), 4'096);
  AllowBytes(1'000);
  for (int n = 0; n < 100; ++n) audit.Record(Numbered(n));
  ASSERT_TRUE(EventuallyTold(full_));
  for (int n = 100; n < 1'000; ++n) audit.Record(Numbered(n));
  // Now the queue has lines behind those that are being written, and among them one that tells of lost ones.
  AllowBytes(4'000);
  ASSERT_TRUE(Eventually([&] { return Read(path_).size() > 3'000; }, "a file announces nothing"));
  for (int n = 1'000; n < 1'100; ++n) audit.Record(Numbered(n));
  EXPECT_TRUE(audit.Finish(kLong));
  uint64_t told = 0, written = 0;
  for (const json& line : Lines(Read(path_))) {
    if (line["event"] == "lost") told += line["count"].get<uint64_t>();
    written += line["event"] == "e";
  }
  EXPECT_EQ(written + audit.lost(), 1'100u);
  EXPECT_LE(told, audit.lost());
}

TEST_F(AuditFullTest, WhatCannotBeCutBackIsFinished) {
  // As the standard output of a shell that goes to a file: others may write there.
  Audit audit(Sink::Over(base::Fd(open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600))), path_, clock_,
              told_.Teller());
  AllowBytes(1'000);
  for (int n = 0; n < 100; ++n) audit.Record(Numbered(n));
  ASSERT_TRUE(EventuallyTold(full_)) << told_.All();
  EXPECT_EQ(Read(path_).size(), 1'000u);
  EXPECT_NE(Read(path_).back(), '\n');
  AllowBytes(before_.rlim_cur);
  EXPECT_TRUE(Eventually([&] { return told_.Count("is written again") == 1; }, "as above"));
  EXPECT_TRUE(audit.Finish(kLong));
  ExpectWhole(Lines(Read(path_)), 100);
}

TEST_F(AuditFullTest, AFullFileThatIsMovedAwayGivesWayToANewOne) {
  const auto audit = Open(path_);
  AllowBytes(1'000);
  for (int n = 0; n < 20; ++n) audit->Record(Numbered(n));
  ASSERT_TRUE(EventuallyTold(full_)) << told_.All();
  ASSERT_EQ(rename(path_.c_str(), dir_.File("old").c_str()), 0);
  audit->Reopen();
  EXPECT_TRUE(EventuallyTold("is written again"));
  EXPECT_TRUE(audit->Finish(kLong));
  ExpectWhole(Lines(Read(dir_.File("old")) + Read(path_)), 20);
}

}  // namespace
}  // namespace socketeer::audit
