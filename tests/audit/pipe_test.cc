// Where nobody reads: what waits is bounded, and what is lost is counted, in the audit and for the operator.
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/audit/fixture.h"

namespace socketeer::audit {
namespace {

// A pipe that nobody reads, until the test does.
class AuditPipeTest : public AuditTest {
 protected:
  AuditPipeTest() {
    int ends[2];
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    reader_.reset(ends[0]);
    writer_.reset(ends[1]);
  }
  std::unique_ptr<Audit> Start(size_t max_queue_bytes) {
    return std::make_unique<Audit>(Sink::Over(std::move(writer_)), kStandardOutput, clock_, told_.Teller(),
                                   max_queue_bytes);
  }
  // From now on nothing can be written.
  void FillPipe() {
    fcntl(writer_.get(), F_SETFL, O_NONBLOCK);
    const std::string blanks(4096, ' ');
    while (write(writer_.get(), blanks.data(), blanks.size()) > 0) {
    }
    fcntl(writer_.get(), F_SETFL, 0);
  }
  size_t InPipe() const {
    int bytes = 0;
    EXPECT_EQ(ioctl(reader_.get(), FIONREAD, &bytes), 0);
    return static_cast<size_t>(bytes);
  }
  void ReadPage() {
    for (const size_t want = read_.size() + 4096; read_.size() < want;) ReadSome(want - read_.size());
  }
  size_t RecordNext(Audit& audit, int* n) {
    const Event event = Numbered((*n)++);
    audit.Record(event);
    return event.Line().size();
  }
  bool EventuallyStalls() {
    return Eventually([this] { return told_.Count("nobody reads it") == 1; }, "a log announces nothing");
  }
  void Stall(Audit& audit) {
    const auto stalls = [&] {
      audit.Record(Numbered(0));
      return told_.Count("failure: audit -: nobody reads it; lines wait") == 1;
    };
    ASSERT_TRUE(Eventually(stalls, "a log announces nothing"));
  }
  // Until it has `lines` more.
  void ReadLines(size_t lines) {
    const auto count = [this] { return static_cast<size_t>(std::count(read_.begin(), read_.end(), '\n')); };
    for (const size_t want = count() + lines; count() < want;) ReadSome();
  }
  // Until it is written out and closed.
  void ReadToEnd(std::unique_ptr<Audit> audit) {
    std::thread reading([this] {
      while (ReadSome()) {
      }
    });
    EXPECT_TRUE(audit->Finish(kLong));
    audit.reset();
    reading.join();
  }
  bool ReadSome(size_t most = 4096) {
    char buffer[4096];
    const ssize_t size = read(reader_.get(), buffer, std::min(most, sizeof(buffer)));
    if (size > 0) read_.append(buffer, static_cast<size_t>(size));
    return size > 0;
  }

  base::Fd reader_, writer_;
  std::string read_;
};

TEST_F(AuditPipeTest, WhatIsLostIsCountedWhereItIsMissing) {
  auto audit = Start(16 << 10);
  int n = 0;
  while (audit->lost() == 0) audit->Record(Numbered(n++));
  for (int more = 0; more < 4; ++more) {
    for (int i = 0; i < 10'000; ++i) audit->Record(Numbered(n++));
    ReadLines(500);
  }
  EXPECT_GT(audit->lost(), 10'000u);
  ReadToEnd(std::move(audit));
  const std::vector<json> lines = Lines(read_);
  ExpectWhole(lines, n);
  EXPECT_GE(std::count_if(lines.begin(), lines.end(), [](const json& line) { return line["event"] == "lost"; }), 2);
}

TEST_F(AuditPipeTest, TheQueueHasABoundWithWhatIsBeingWritten) {
  FillPipe();
  const auto audit = Start(16 << 10);
  size_t bytes = 0;
  int n = 0;
  while (bytes < (8u << 10)) bytes += RecordNext(*audit, &n);
  ASSERT_TRUE(EventuallyStalls());  // it has taken some
  size_t last = 0;
  for (; audit->lost() == 0; bytes += last) last = RecordNext(*audit, &n);
  EXPECT_LE(bytes - last, 16u << 10);
  EXPECT_GT(bytes, 16u << 10);
}

TEST_F(AuditPipeTest, OnceFullItIsSoUntilHalfOfItIsWritten) {
  FillPipe();
  const size_t full = InPipe();
  auto audit = Start(16 << 10);
  int n = 0;
  while (audit->lost() == 0) RecordNext(*audit, &n);
  ASSERT_TRUE(EventuallyStalls());
  const auto write_page = [&] {
    ReadPage();
    ASSERT_TRUE(Eventually([&] { return InPipe() > full - 4096; }, "the writer says nothing"));
  };
  write_page();
  RecordNext(*audit, &n);
  EXPECT_EQ(audit->lost(), 2u);
  write_page();
  write_page();
  const auto accepts = [&] {
    if (InPipe() > full - 4096) ReadPage();  // a pipe's pages are not always whole
    const uint64_t before = audit->lost();
    RecordNext(*audit, &n);
    return audit->lost() == before;
  };
  ASSERT_TRUE(Eventually(accepts, "the writer says nothing"));
  ReadToEnd(std::move(audit));
  const std::vector<json> lines = Lines(read_.substr(read_.find('{')));
  ExpectWhole(lines, n);
  EXPECT_EQ(lines.at(lines.size() - 2)["event"], "lost");
  EXPECT_EQ(lines.at(lines.size() - 1)["n"], n - 1);
}

TEST_F(AuditPipeTest, TheOperatorIsToldOfLostLinesOnceASecond) {
  auto audit = Start(16 << 10);
  const std::string words = "lines are lost, ";
  Stall(*audit);
  for (int n = 0; n < 5'000; ++n) audit->Record(Numbered(n));
  ASSERT_TRUE(Eventually([&] { return told_.Count(words) == 1; }, "a log announces nothing")) << told_.All();
  for (int n = 0; n < 5'000; ++n) audit->Record(Numbered(n));
  EXPECT_EQ(told_.Count(words), 1u);  // the clock stands still
  clock_.Advance(std::chrono::seconds(1));
  ASSERT_TRUE(Eventually([&] { return told_.Count(words) == 2; }, "the same")) << told_.All();
  const std::string all = std::to_string(audit->lost());
  ReadToEnd(std::move(audit));
  EXPECT_GE(told_.Count("lost, " + all + " since the daemon began"), 1u) << told_.All();
  EXPECT_EQ(told_.Count("info: audit -: is written again"), 1u) << told_.All();
}

TEST_F(AuditPipeTest, TheEndWaitsNoLongerThanItMay) {
  const auto audit = Start(16 << 10);
  Stall(*audit);
  EXPECT_FALSE(audit->Finish(std::chrono::milliseconds(20)));
  EXPECT_EQ(told_.Count(std::to_string(audit->lost()) + " since the daemon began"), 1u) << told_.All();
}

TEST_F(AuditPipeTest, AReaderThatIsGoneIsTold) {
  const auto audit = Start(16 << 10);
  signal(SIGPIPE, SIG_IGN);  // as the daemon does
  reader_.reset();
  audit->Record(Numbered(0));
  EXPECT_TRUE(Eventually([&] { return told_.Count("failure: audit -: Broken pipe; lines wait") == 1; }, "as above"));
}

}  // namespace
}  // namespace socketeer::audit
