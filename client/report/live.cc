#include "client/report/live.h"

#include <sys/ioctl.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/report/summary.h"
#include "client/report/text.h"

namespace socketeer::report {
namespace {

constexpr absl::Duration kBetween = absl::Milliseconds(50);
constexpr size_t kMostText = 4096;
constexpr size_t kNameColumns = 32;

struct Size {
  size_t lines = 24;
  size_t columns = 80;
};

// It may change at any time.
Size SizeOf(int fd) {
  winsize size{};
  if (ioctl(fd, TIOCGWINSZ, &size) < 0 || size.ws_row == 0 || size.ws_col == 0) return {};
  return {size.ws_row, size.ws_col};
}

std::string Padded(const std::string& text, size_t columns) {
  const std::string cut = Cut(text, columns);
  return cut + std::string(columns - std::min(columns, Columns(cut)), ' ');
}

const char* Word(Verdict verdict) {
  if (IsFailure(verdict)) return "FAIL  ";
  return verdict == Verdict::kPassed ? "ok    " : "skip  ";
}

std::string EndLine(const ScenarioResult& result) {
  std::string line = OneLine(FullName(result), kMostText);
  if (result.verdict != Verdict::kSkipped) absl::StrAppend(&line, " (", DurationText(result.end - result.start), ")");
  if (result.verdict != Verdict::kPassed && !result.message.empty()) {
    absl::StrAppend(&line, ": ", FirstLine(result.message, kMostText));
  }
  return line;
}

}  // namespace

Live::Live(Options options) : options_(std::move(options)), terminal_(isatty(options_.fd) != 0) {}

Live::~Live() {
  const std::lock_guard lock(mutex_);
  if (terminal_) Write(Erased(SizeOf(options_.fd).columns));
}

void Live::OnPlan(const std::vector<ScenarioResult>& planned) {
  const std::lock_guard lock(mutex_);
  for (size_t i = 0; i < planned.size(); ++i) RowOf(i).name = OneLine(FullName(planned[i]), kMostText);
}

void Live::OnStart(size_t index) {
  const std::lock_guard lock(mutex_);
  RowOf(index).start = options_.now();
  running_.insert(index);
  Redraw(true);
}

void Live::OnStep(size_t index, const Event& event) {
  const std::lock_guard lock(mutex_);
  Row& row = RowOf(index);
  if (event.end >= event.start) ++row.steps;
  row.now = OneLine(HostWord(event.host) + ": " + event.title, kMostText);
  Redraw(false);
}

void Live::OnEnd(size_t index, const ScenarioResult& result) {
  const std::lock_guard lock(mutex_);
  running_.erase(index);
  ++ended_;
  if (IsFailure(result.verdict)) ++failed_;
  const std::string line = EndLine(result);
  if (!terminal_) return Write(Word(result.verdict) + line + "\n");
  // It scrolls away like any line, so it may be longer than the terminal is wide.
  Write(Erased(SizeOf(options_.fd).columns) + Coloured(result.verdict, Word(result.verdict)) + line + "\n");
  Redraw(true);
}

Live::Row& Live::RowOf(size_t index) {
  if (index >= rows_.size()) rows_.resize(index + 1);
  return rows_[index];
}

void Live::Redraw(bool at_once) {
  if (!terminal_) return;
  const absl::Time now = options_.now();
  if (!at_once && now - drawn_at_ < kBetween) return;
  drawn_at_ = now;
  const Size size = SizeOf(options_.fd);
  std::string text = Erased(size.columns);
  // The last line is the cursor's, and a line that is as wide as the terminal would make some of them scroll.
  for (const std::string& line : Table(size.lines - 1, size.columns - 1)) {
    drawn_.push_back(Columns(line));
    text += line + "\n";
  }
  Write(text);
}

std::vector<std::string> Live::Table(size_t lines, size_t columns) const {
  std::vector<std::string> table;
  if (running_.empty() || lines == 0) return table;
  const absl::Time now = options_.now();
  const size_t rows = std::min(running_.size(), lines - 1);
  for (const size_t index : running_) {
    if (table.size() == rows) break;
    const Row& row = rows_[index];
    const std::string steps = absl::StrCat(row.steps, row.steps == 1 ? " step" : " steps");
    table.push_back(Cut(absl::StrCat("run   ", Padded(row.name, std::min(kNameColumns, columns / 2)), "  ",
                                     Padded(steps, 10), Padded(DurationText(now - row.start), 8), row.now),
                        columns));
  }
  std::string last = absl::StrCat("      ", ended_, " of ", rows_.size(), " done");
  if (failed_ > 0) absl::StrAppend(&last, ", ", failed_, " failed");
  if (running_.size() > rows) absl::StrAppend(&last, ", ", running_.size() - rows, " more under way");
  table.push_back(Cut(last, columns));
  return table;
}

std::string Live::Erased(size_t columns) {
  // A terminal that became narrower has broken our lines.
  size_t lines = 0;
  for (const size_t width : std::exchange(drawn_, {})) lines += 1 + (width == 0 ? 0 : (width - 1) / columns);
  return lines == 0 ? "" : absl::StrCat("\x1b[", lines, "A\r\x1b[J");
}

std::string Live::Coloured(Verdict verdict, const std::string& text) const {
  if (!options_.colour) return text;
  const char* const colour = IsFailure(verdict) ? "\x1b[1;31m" : verdict == Verdict::kPassed ? "\x1b[32m" : "\x1b[2m";
  return colour + text + "\x1b[0m";
}

void Live::Write(const std::string& text) const {
  size_t done = 0;
  while (done < text.size()) {
    const ssize_t written = write(options_.fd, text.data() + done, text.size() - done);
    if (written < 0 && errno != EINTR) return;  // nobody looks: that is no reason to fail
    if (written > 0) done += static_cast<size_t>(written);
  }
}

}  // namespace socketeer::report
