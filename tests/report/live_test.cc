#include "client/report/live.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_replace.h"
#include "tests/report/sample.h"

namespace socketeer::report {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

// Obeys what Live writes, as far as it writes it: a screen that scrolls and breaks long lines.
class Screen {
 public:
  explicit Screen(size_t columns) : columns_(columns) {}

  void Show(std::string written) {
    absl::StrReplaceAll({{"\xe2\x80\xa6", "~"}}, &written);  // a column has a byte here
    for (size_t i = 0; i < written.size(); ++i) {
      if (written[i] == '\x1b') {
        i = Obey(written, i + 2);
      } else if (written[i] == '\n') {
        Move(row_ + 1, 0);
      } else if (written[i] == '\r') {
        Move(row_, 0);
      } else {
        Put(written[i]);
      }
    }
  }

  // Without the empty one at the end, where the cursor is.
  std::vector<std::string> lines() const { return {lines_.begin(), lines_.end() - (lines_.back().empty() ? 1 : 0)}; }
  size_t highest() const { return highest_; }  // the farthest that it went up

 private:
  size_t Obey(const std::string& written, size_t i) {
    size_t number = 0;
    for (; written[i] >= '0' && written[i] <= ';'; ++i) number = number * 10 + static_cast<size_t>(written[i] - '0');
    if (written[i] == 'A') highest_ = std::max(highest_, number);
    if (written[i] == 'A') Move(row_ - std::min(row_, number), column_);
    if (written[i] == 'J') lines_.resize(row_ + 1), lines_[row_].resize(column_);
    return i;
  }

  void Put(char byte) {
    if (column_ == columns_) Move(row_ + 1, 0);
    lines_[row_].resize(column_);
    lines_[row_] += byte;
    ++column_;
  }

  void Move(size_t row, size_t column) {
    row_ = row;
    column_ = column;
    if (row_ >= lines_.size()) lines_.resize(row_ + 1);
  }

  const size_t columns_;
  std::vector<std::string> lines_ = {""};
  size_t row_ = 0;
  size_t column_ = 0;
  size_t highest_ = 0;
};

ScenarioResult Scenario(const std::string& name, Verdict verdict, const std::string& message = "") {
  ScenarioResult scenario;
  scenario.name = name;
  scenario.verdict = verdict;
  scenario.message = message;
  scenario.end = scenario.start + absl::Milliseconds(1200);
  return scenario;
}

class LiveTest : public ::testing::Test {
 protected:
  ~LiveTest() override {
    for (const int fd : {fds_[0], fds_[1]}) close(fd);
  }

  Live::Options OnPipe() {
    EXPECT_EQ(pipe(fds_), 0);
    return {.fd = fds_[1], .now = [this] { return now_; }};
  }

  Live::Options OnTerminal(unsigned short lines, unsigned short columns) {
    EXPECT_EQ(openpty(&fds_[0], &fds_[1], nullptr, nullptr, nullptr), 0);
    Resize(lines, columns);
    return {.fd = fds_[1], .colour = false, .now = [this] { return now_; }};
  }

  void Resize(unsigned short lines, unsigned short columns) {
    const winsize size{.ws_row = lines, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
    EXPECT_EQ(ioctl(fds_[1], TIOCSWINSZ, &size), 0);
  }

  // All that has been written so far: a terminal takes its time to hand it on, so that a mark tells its end.
  std::string Written() {
    EXPECT_EQ(write(fds_[1], &kMark, 1), 1);
    std::string written;
    char byte = 0;
    while (read(fds_[0], &byte, 1) == 1 && byte != kMark) written += byte;
    return written;
  }

  static constexpr char kMark = '\x05';
  int fds_[2] = {-1, -1};
  absl::Time now_ = At(0);
};

TEST_F(LiveTest, PlainLinesElsewhere) {
  Live live(OnPipe());
  live.OnPlan({Scenario("one", Verdict::kPassed), Scenario("two", Verdict::kPassed)});
  live.OnStart(0);
  live.OnStep(0, Step("a", "send", "send x", 0, 1));
  live.OnEnd(0, Scenario("one", Verdict::kPassed));
  live.OnEnd(1, Scenario("two", Verdict::kFailed, "it broke\nwith details"));
  live.OnEnd(2, Scenario("three", Verdict::kSkipped, "no tag"));
  EXPECT_EQ(Written(),
            "ok    one (1.20s)\n"
            "FAIL  two (1.20s): it broke ...\n"
            "skip  three: no tag\n");
}

TEST_F(LiveTest, ControlsOfOthersDoNotReachTheTerminal) {
  Live live(OnPipe());
  live.OnEnd(0, Hostile());
  EXPECT_THAT(Written(), Not(HasSubstr("\x1b")));
}

TEST_F(LiveTest, ATableOfWhatIsUnderWay) {
  Screen screen(80);
  Live live(OnTerminal(24, 80));
  live.OnPlan({Scenario("one", Verdict::kPassed), Scenario("two", Verdict::kPassed)});
  live.OnStart(0);
  live.OnStart(1);
  now_ += absl::Seconds(1);
  live.OnStep(1, Step("b", "recv", "recv client", 5, 4));
  screen.Show(Written());
  EXPECT_THAT(screen.lines(), ElementsAre("run   one                               0 steps   1.00s   ",
                                          "run   two                               0 steps   1.00s   b: recv client",
                                          "      0 of 2 done"));
  live.OnEnd(0, Scenario("one", Verdict::kFailed, "why"));
  screen.Show(Written());
  EXPECT_THAT(screen.lines(),
              ElementsAre("FAIL  one (1.20s): why", StartsWith("run   two"), "      1 of 2 done, 1 failed"));
}

TEST_F(LiveTest, LeavesTheTerminalAsItWas) {
  Screen screen(80);
  {
    Live live(OnTerminal(24, 80));
    live.OnPlan({Scenario("one", Verdict::kPassed)});
    live.OnStart(0);
  }
  const std::string written = Written();
  screen.Show(written);
  EXPECT_THAT(screen.lines(), SizeIs(0));
  EXPECT_THAT(written, Not(HasSubstr("\x1b[?")));  // no mode, no other screen, no cursor that is hidden
}

TEST_F(LiveTest, StaysWithinTheTerminal) {
  Screen screen(40);
  Live live(OnTerminal(6, 40));
  std::vector<ScenarioResult> many(50,
                                   Scenario("a name that is far longer than this terminal is wide", Verdict::kPassed));
  live.OnPlan(many);
  for (size_t i = 0; i < many.size(); ++i) {
    live.OnStart(i);
    screen.Show(Written());
  }
  ASSERT_THAT(screen.lines(), SizeIs(5));
  EXPECT_THAT(screen.lines().back(), HasSubstr("46 more under way"));
  for (const std::string& line : screen.lines()) EXPECT_LT(line.size(), 40);
  EXPECT_LE(screen.highest(), 5);  // more would be above the terminal
}

TEST_F(LiveTest, ATerminalThatBecomesNarrower) {
  Screen narrow(20);
  Live live(OnTerminal(24, 80));
  live.OnPlan({Scenario("one", Verdict::kPassed)});
  live.OnStart(0);
  live.OnStep(0, Step("a", "send", "send something", 0, 1));
  narrow.Show(Written());  // which breaks the lines that stand there
  Resize(24, 20);
  live.OnEnd(0, Scenario("one", Verdict::kPassed));
  narrow.Show(Written());
  EXPECT_THAT(narrow.lines(), ElementsAre("ok    one (1.20s)"));
}

TEST_F(LiveTest, ManyStepsAtOnceAreDrawnOnce) {
  Live live(OnTerminal(24, 80));
  live.OnPlan({Scenario("one", Verdict::kPassed)});
  live.OnStart(0);
  Written();
  for (int i = 0; i < 1000; ++i) live.OnStep(0, Step("a", "send", "send", i, i + 1));
  EXPECT_EQ(Written(), "");  // the clock has not moved since
  now_ += absl::Seconds(1);
  live.OnStep(0, Step("a", "send", "send", 1, 2));
  EXPECT_THAT(Written(), HasSubstr("1001 steps"));
}

}  // namespace
}  // namespace socketeer::report
