// gRPC's lines in the daemon's log: each one line, and not too many.
#include "server/rpc/grpc_log.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "tests/support/manual_clock.h"

namespace socketeer::rpc {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class GrpcLogTest : public ::testing::Test {
 protected:
  Log ToLines() {
    return [this](Severity severity, const std::string& line) {
      lines_.push_back((severity == Severity::kError ? "error " : "info ") + line);
    };
  }
  static void Tell(GrpcLog& log, int count, const char* message = "m") {
    const gpr_log_func_args line{"src/core/tls.cc", 7, GPR_LOG_SEVERITY_ERROR, message};
    for (int i = 0; i < count; ++i) log.Tell(line);
  }

  testing::ManualClock clock_;
  std::vector<std::string> lines_;
};

TEST_F(GrpcLogTest, ALineIsALine) {
  GrpcLog log(ToLines(), clock_, false);
  Tell(log, 1, "two\nlines\x1b[2J");
  log.Tell({"none", 1, GPR_LOG_SEVERITY_INFO, "i"});
  Tell(log, 1, std::string(100'000, 'x').c_str());
  ASSERT_EQ(lines_.size(), 3u);
  EXPECT_EQ(lines_[0], "error grpc: tls.cc:7: two\\x0alines\\x1b[2J");
  EXPECT_EQ(lines_[1], "info grpc: none:1: i");
  EXPECT_LT(lines_[2].size(), 1'100u);
}

TEST_F(GrpcLogTest, TenAtOnceThenOneInTenSeconds) {
  GrpcLog log(ToLines(), clock_, false);
  Tell(log, 200);
  EXPECT_EQ(lines_, std::vector<std::string>(10, "error grpc: tls.cc:7: m"));
  clock_.Advance(milliseconds(9'999));
  Tell(log, 1);
  EXPECT_EQ(lines_.size(), 10u);
  clock_.Advance(milliseconds(1));
  Tell(log, 2);
  ASSERT_EQ(lines_.size(), 11u);
  EXPECT_EQ(lines_.back(), "error grpc: tls.cc:7: m (191 lines of gRPC before this left out)");
  clock_.Advance(seconds(15));
  Tell(log, 1);
  EXPECT_EQ(lines_.back(), "error grpc: tls.cc:7: m (1 line of gRPC before this left out)");
  clock_.Advance(seconds(5));  // what was over of the fifteen counts
  Tell(log, 1);
  EXPECT_EQ(lines_.back(), "error grpc: tls.cc:7: m");
  EXPECT_EQ(lines_.size(), 13u);
  clock_.Advance(std::chrono::hours(1));
  Tell(log, 100);
  EXPECT_EQ(lines_.size(), 23u);
}

TEST_F(GrpcLogTest, TheEndCountsAndIsTheEnd) {
  GrpcLog log(ToLines(), clock_, false);
  Tell(log, 12);
  log.End();
  ASSERT_EQ(lines_.size(), 11u);
  EXPECT_EQ(lines_.back(), "error grpc: 2 lines of gRPC left out");
  clock_.Advance(seconds(100));
  Tell(log, 1);
  log.End();
  EXPECT_EQ(lines_.size(), 11u);
}

TEST_F(GrpcLogTest, AllForWhoAsksForAll) {
  GrpcLog log(ToLines(), clock_, true);
  Tell(log, 200);
  log.End();
  EXPECT_EQ(lines_.size(), 200u);
}

}  // namespace
}  // namespace socketeer::rpc
