#include "server/base/limits.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace socketeer::base {
namespace {

constexpr uint64_t kClientReceiveLimit = 4 << 20;  // a gRPC client's default

static_assert(kMaxPayloadBytes < kClientReceiveLimit);
static_assert(Limits().max_payload_bytes == kMaxPayloadBytes);
static_assert(kMaxMessageBytes > kClientReceiveLimit && kMaxErrorBytes < 8192);
static_assert(kFairShareBytes <= kMaxPayloadBytes);

struct DescriptorsCase {
  uint64_t descriptors;
  uint32_t sockets;
  uint32_t connections;
};

TEST(DefaultLimits, SocketsGetWhatConnectionsAndSlackLeave) {
  const DescriptorsCase cases[] = {
      {0, 0, 0},
      {4, 2, 1},
      {256, 128, 64},
      {1'024, 512, 256},
      {4'096, 3'328, 512},
      {20'000, 19'232, 512},
      {1 << 20, (1 << 20) - 768, 512},
      {RLIM_INFINITY, (1 << 20) - 768, 512},
  };
  for (const DescriptorsCase& test : cases) {
    const Limits limits = DefaultLimits(test.descriptors);
    EXPECT_EQ(limits.max_sockets, test.sockets) << test.descriptors;
    EXPECT_EQ(limits.max_connections, test.connections) << test.descriptors;
  }
}

TEST(DefaultLimits, SocketsAndConnectionsNeverTakeAllDescriptors) {
  for (uint64_t descriptors = 4; descriptors < 5'000; ++descriptors) {
    const Limits limits = DefaultLimits(descriptors);
    ASSERT_LT(limits.max_sockets + limits.max_connections, descriptors);
    ASSERT_LE(limits.max_connections, descriptors / 4);
    ASSERT_GE(limits.max_sockets, descriptors / 2);
  }
}

}  // namespace
}  // namespace socketeer::base
