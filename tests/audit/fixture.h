// For the tests of the audit: a file, a clock, the operator's log, and lines with numbers.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "server/audit/audit.h"
#include "tests/support/eventually.h"
#include "tests/support/manual_clock.h"
#include "tests/support/temp_dir.h"

namespace socketeer::audit {

using nlohmann::json;
using testing::Eventually;

inline constexpr std::chrono::seconds kLong{30};

// The operator's log.
class Told {
 public:
  Audit::Tell Teller() {
    return [this](bool failure, const std::string& line) {
      std::lock_guard lock(mutex_);
      lines_.push_back((failure ? "failure: " : "info: ") + line);
    };
  }
  size_t Count(const std::string& words) const {
    std::lock_guard lock(mutex_);
    size_t count = 0;
    for (const std::string& line : lines_) count += line.find(words) != std::string::npos;
    return count;
  }
  std::string All() const {
    std::lock_guard lock(mutex_);
    std::string all;
    for (const std::string& line : lines_) all += line + "\n";
    return all;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

inline std::vector<json> Lines(const std::string& text) {
  std::vector<json> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(json::parse(line));
  return lines;
}

// Those that were told of as lost, and the numbers of the others must be 0, 1, 2 and so on but for these.
inline void ExpectWhole(const std::vector<json>& lines, int all) {
  int next = 0;
  for (const json& line : lines) {
    if (line["event"] == "lost") {
      EXPECT_LE(line["since"], line["time"]);
      next += line["count"].get<int>();
    } else {
      ASSERT_EQ(line["n"], next) << line;
      ++next;
    }
  }
  EXPECT_EQ(next, all);
}

class AuditTest : public ::testing::Test {
 protected:
  std::unique_ptr<Audit> Open(const std::string& path) {
    auto opened = Audit::Open(path, clock_, told_.Teller());
    if (!opened.ok()) ADD_FAILURE() << opened.error().message;
    return opened.ok() ? *std::move(opened) : nullptr;
  }
  std::string Refusal(const std::string& path) {
    auto opened = Audit::Open(path, clock_, told_.Teller());
    return opened.ok() ? "opened" : opened.error().message;
  }
  Event Numbered(int n) { return Event("e", clock_.WallNow()).Number("n", n); }
  static std::string Read(const std::string& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  bool EventuallyReads(const std::string& path, size_t lines) {
    return Eventually([&] { return Lines(Read(path)).size() >= lines; }, "a file announces nothing");
  }

  testing::TempDir dir_;
  testing::ManualClock clock_;
  Told told_;
  const std::string path_ = dir_.File("audit");
};

}  // namespace socketeer::audit
