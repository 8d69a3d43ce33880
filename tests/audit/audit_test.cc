// Lines are written in order, to a file that is the daemon's own.
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/audit/fixture.h"

namespace socketeer::audit {
namespace {

TEST_F(AuditTest, WritesInOrderAndByItself) {
  const auto audit = Open(path_);
  for (int n = 0; n < 1'000; ++n) audit->Record(Numbered(n));
  ASSERT_TRUE(EventuallyReads(path_, 1'000));
  EXPECT_TRUE(audit->Finish(kLong));
  ExpectWhole(Lines(Read(path_)), 1'000);
  struct stat found {};
  ASSERT_EQ(stat(path_.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0600u);
  EXPECT_EQ(told_.All(), "");
}

TEST_F(AuditTest, OfManyThreadsEachKeepsItsOrder) {
  constexpr int kThreads = 4, kEach = 2'000;
  const auto audit = Open(path_);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int n = 0; n < kEach; ++n) audit->Record(Numbered(n).Number("thread", t));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(audit->Finish(kLong));
  std::vector<int> next(kThreads);
  for (const json& line : Lines(Read(path_))) EXPECT_EQ(line["n"], next[line["thread"].get<size_t>()]++);
  EXPECT_EQ(next, std::vector<int>(kThreads, kEach));
}

TEST_F(AuditTest, GoesOnBehindWhatIsThere) {
  std::ofstream(path_) << "{\"n\":0}\n";
  chmod(path_.c_str(), 0640);
  Open(path_)->Record(Numbered(1));
  EXPECT_EQ(Lines(Read(path_)).size(), 2u);
}

TEST_F(AuditTest, NeverJoinsALineToOneThatWasTorn) {
  std::ofstream(path_) << "{\"n\":0}\n{\"time\":\"20";  // the host lost power
  chmod(path_.c_str(), 0600);
  Open(path_)->Record(Numbered(1));
  const std::string text = Read(path_);
  EXPECT_EQ(Lines(text.substr(text.find("\"20\n") + 4)).size(), 1u) << text;
}

TEST_F(AuditTest, RefusesWhatIsNoFileOfItsOwn) {
  EXPECT_EQ(Refusal(dir_.File("no/audit")), "audit " + dir_.File("no/audit") + ": No such file or directory");
  const std::string prefix = "audit " + path_ + ": ";
  ASSERT_EQ(symlink("target", path_.c_str()), 0);
  EXPECT_EQ(Refusal(path_), prefix + "is a symbolic link");
  EXPECT_NE(access(dir_.File("target").c_str(), F_OK), 0);
  unlink(path_.c_str());
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  EXPECT_EQ(Refusal(path_), prefix + "is no regular file; \"-\" is the standard output");
  unlink(path_.c_str());
  ASSERT_EQ(mkdir(path_.c_str(), 0700), 0);
  EXPECT_EQ(Refusal(path_), prefix + "Is a directory");
  rmdir(path_.c_str());
  std::ofstream(path_) << "";
  for (const mode_t mode : {0620u, 0602u}) {
    chmod(path_.c_str(), mode);
    EXPECT_EQ(Refusal(path_), prefix + "others may write it: chmod go-w");
  }
  EXPECT_EQ(Refusal("/dev/full"), "audit /dev/full: is no regular file; \"-\" is the standard output");
}

TEST_F(AuditTest, OneFileHasOneDaemon) {
  const auto audit = Open(path_);
  EXPECT_EQ(Refusal(path_), "audit " + path_ + ": another daemon writes there");
}

TEST_F(AuditTest, ReopensWhatWasMovedAway) {
  const auto audit = Open(path_);
  audit->Record(Numbered(0));
  ASSERT_TRUE(EventuallyReads(path_, 1));
  ASSERT_EQ(rename(path_.c_str(), dir_.File("old").c_str()), 0);
  audit->Reopen();
  audit->Record(Numbered(1));
  ASSERT_TRUE(EventuallyReads(path_, 1));
  audit->Reopen();  // the same file: it goes on
  audit->Record(Numbered(2));
  EXPECT_TRUE(audit->Finish(kLong));
  EXPECT_EQ(Lines(Read(dir_.File("old"))).size(), 1u);
  EXPECT_EQ(Lines(Read(path_)).size(), 2u);
  EXPECT_EQ(told_.Count("info: audit " + path_ + ": reopened"), 2u) << told_.All();
}

TEST_F(AuditTest, WithoutAnotherFileTheOldOneGoesOn) {
  const auto audit = Open(path_);
  ASSERT_EQ(rename(path_.c_str(), dir_.File("old").c_str()), 0);
  ASSERT_EQ(symlink("elsewhere", path_.c_str()), 0);
  audit->Reopen();
  audit->Record(Numbered(0));
  EXPECT_TRUE(audit->Finish(kLong));
  EXPECT_EQ(Lines(Read(dir_.File("old"))).size(), 1u);
  EXPECT_EQ(told_.Count("is a symbolic link; the file before it goes on"), 1u) << told_.All();
}

}  // namespace
}  // namespace socketeer::audit
