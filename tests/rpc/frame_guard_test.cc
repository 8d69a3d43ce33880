#include "server/rpc/frame_guard.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>

namespace socketeer::rpc {
namespace {

using std::chrono::seconds;

constexpr uint8_t kData = 0, kHeaders = 1, kSettings = 4, kPing = 6, kWindowUpdate = 8, kContinuation = 9;
constexpr uint8_t kAcknowledged = 1, kEndHeaders = 4;
const std::string kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

std::string Frame(uint8_t type, uint8_t flags, size_t size) {
  std::string frame{static_cast<char>(size >> 16), static_cast<char>(size >> 8), static_cast<char>(size)};
  frame += {static_cast<char>(type), static_cast<char>(flags), 0, 0, 0, 1};
  return frame + std::string(size, 'x');
}

std::string Repeated(const std::string& frame, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += frame;
  return all;
}

class FrameGuardTest : public ::testing::Test {
 protected:
  FrameGuardTest() {
    guard_.Written();
    Look(kPreface + Frame(kSettings, 0, 6) + Frame(kSettings, kAcknowledged, 0));
  }

  // What gRPC is to see, in pieces of that size.
  std::string Look(std::string bytes, size_t piece = SIZE_MAX) {
    for (size_t at = 0; at < bytes.size(); at += std::min(piece, bytes.size())) {
      guard_.Look({reinterpret_cast<uint8_t*>(bytes.data()) + at, std::min(piece, bytes.size() - at)}, now_);
    }
    return bytes;
  }

  FrameGuard guard_;
  FrameGuard::Time now_{seconds(1'000)};
};

TEST_F(FrameGuardTest, LeavesCallsAsTheyAreHoweverTheyArePieced) {
  const std::string call = Frame(kHeaders, kEndHeaders, 300) + Frame(kWindowUpdate, 0, 4) + Frame(kData, 0, 16'384) +
                           Frame(kHeaders, 0, 200) + Frame(kContinuation, kEndHeaders, 100) + Frame(kData, 1, 0);
  for (const size_t piece : {size_t{1}, size_t{8}, size_t{10}, size_t{1'000}, SIZE_MAX}) {
    const std::string calls = Repeated(call, 50);
    EXPECT_EQ(Look(calls, piece), calls) << piece;
  }
  EXPECT_FALSE(guard_.refused());
}

TEST_F(FrameGuardTest, SpoilsAllFromTheFrameOnThatGoesTooFar) {
  const std::string good = Frame(kHeaders, 0, kMaxHeaderBlockBytes - 10);
  const std::string seen = Look(good + Frame(kContinuation, 0, 11) + "more");
  EXPECT_EQ(seen.substr(0, good.size()), good);
  EXPECT_EQ(seen.substr(good.size() + 8), std::string(1 + 11 + 4, '\xff'));
  EXPECT_TRUE(guard_.refused());
  EXPECT_EQ(Look("later"), "\xff\xff\xff\xff\xff");
}

TEST_F(FrameGuardTest, BoundsABlockInFrames) {
  Look(Frame(kHeaders, 0, 10) + Repeated(Frame(kContinuation, 0, 0), kMaxHeaderBlockFrames - 1));
  EXPECT_FALSE(guard_.refused());
  Look(Frame(kContinuation, 0, 0));
  EXPECT_TRUE(guard_.refused());
}

TEST_F(FrameGuardTest, BoundsIdleFramesInTime) {
  for (const auto& [idle, what] : {std::pair(Frame(kPing, 0, 8), "ping"), std::pair(Frame(kSettings, 0, 0), "settings"),
                                   std::pair(Frame(3, 0, 4), "reset"), std::pair(Frame(0x77, 0, 1), "unknown"),
                                   std::pair(Frame(2, 0, 5), "priority"), std::pair(Frame(kData, 0, 0), "empty")}) {
    now_ += seconds(1'000);
    Look(Repeated(idle, kIdleFramesAtOnce));
    EXPECT_FALSE(guard_.refused()) << what;
    now_ += seconds(1);
    Look(Repeated(idle, kIdleFramesPerSecond));
    EXPECT_FALSE(guard_.refused()) << what;
  }
  Look(Frame(kPing, 0, 8));
  EXPECT_TRUE(guard_.refused());
}

// gRPC in Go asks with the first data of each answer how long the way is, thousands of times a second.
TEST_F(FrameGuardTest, APingForEachWriteIsFree) {
  now_ += seconds(1'000);
  for (int i = 0; i < 5 * kIdleFramesAtOnce; ++i) {
    guard_.Written();
    Look(Frame(kPing, 0, 8));
  }
  EXPECT_FALSE(guard_.refused());
  for (int i = 0; i < 5 * kIdleFramesAtOnce; ++i) guard_.Written();  // these are not saved up
  Look(Repeated(Frame(kPing, 0, 8), kMaxFreePings + kIdleFramesAtOnce));
  EXPECT_FALSE(guard_.refused());
  Look(Frame(kPing, 0, 8));
  EXPECT_TRUE(guard_.refused());
}

TEST_F(FrameGuardTest, AResetCostsHalf) {
  now_ += seconds(1'000);
  Look(Repeated(Frame(3, 0, 4), 2 * kIdleFramesAtOnce));
  EXPECT_FALSE(guard_.refused());
  Look(Frame(3, 0, 4));
  EXPECT_TRUE(guard_.refused());
}

TEST_F(FrameGuardTest, CountsWhatGrpcWillRefuseAsManyIdleFrames) {
  now_ += seconds(1'000);
  const std::string large = Frame(kHeaders, kEndHeaders, kLargeBlockBytes + 1);
  Look(Repeated(large, kIdleFramesAtOnce / kLargeBlockCost));
  EXPECT_FALSE(guard_.refused());
  Look(large);
  EXPECT_TRUE(guard_.refused());
}

TEST(UnsettledFrameGuard, AcknowledgesNothingBeforeItCame) {
  FrameGuard guard;
  std::string opening = kPreface + Frame(kSettings, 0, 6) + Frame(kSettings, kAcknowledged, 0);
  guard.Look({reinterpret_cast<uint8_t*>(opening.data()), opening.size()}, {});
  EXPECT_TRUE(guard.refused());
}

TEST(UnsettledFrameGuard, GetsFewHeaders) {
  FrameGuard guard;
  std::string opening = kPreface + Frame(kSettings, 0, 6);
  guard.Look({reinterpret_cast<uint8_t*>(opening.data()), opening.size()}, {});
  for (size_t seen = 0; seen <= kMaxUnsettledHeaderBytes; seen += 1'024) {
    EXPECT_FALSE(guard.refused()) << seen;
    std::string block = Frame(kHeaders, kEndHeaders, 1'024);
    guard.Look({reinterpret_cast<uint8_t*>(block.data()), block.size()}, {});
  }
  EXPECT_TRUE(guard.refused());
}

}  // namespace
}  // namespace socketeer::rpc
