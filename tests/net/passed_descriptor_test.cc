// A peer on a UNIX socket may pass descriptors (SCM_RIGHTS). Nobody here could use them: they must not stay open.
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <filesystem>

#include "tests/net/rig.h"
#include "tests/support/temp_dir.h"

namespace socketeer::net::testing {
namespace {

size_t CountDescriptors() {
  const std::filesystem::directory_iterator first("/proc/self/fd");
  return static_cast<size_t>(std::distance(begin(first), end(first)));
}

// Sends one byte, and its own standard input three times.
void Pass(int fd) {
  char byte = 'x';
  iovec part{.iov_base = &byte, .iov_len = 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(3 * sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(3 * sizeof(int));
  const int fds[3] = {fd, fd, fd};
  std::memcpy(CMSG_DATA(header), fds, sizeof(fds));
  ASSERT_EQ(sendmsg(fd, &message, 0), 1);
}

class PassedDescriptors : public ::testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Types, PassedDescriptors, ::testing::Values(SOCK_DGRAM, SOCK_SEQPACKET));

TEST_P(PassedDescriptors, AreClosed) {
  Rig rig;
  const socketeer::testing::TempDir directory;
  const auto address = *SocketAddress::UnixPath(directory.File("s"));
  OpenPlan plan;
  plan.kind = {.family = AF_UNIX, .type = GetParam()};
  plan.bind = address;
  const bool connected = GetParam() == SOCK_SEQPACKET;
  if (connected) plan.listen_backlog = 1;
  auto made = TryOpen(rig, plan);
  ASSERT_TRUE(made.ok());
  const int peer = socket(AF_UNIX, GetParam(), 0);
  ASSERT_EQ(connect(peer, address.data(), address.size()), 0);
  std::optional<TestSocket> accepted;
  if (connected) accepted.emplace(Adopt(rig, *made->Accept().Get()));
  TestSocket& receiver = accepted ? *accepted : *made;
  const size_t before = CountDescriptors();
  for (int i = 0; i < 3; ++i) {
    Pass(peer);
    EXPECT_TRUE(receiver.ReceiveDatagrams(1, Mode::kWait, true).Get().ok()) << "a look";
    EXPECT_TRUE(receiver.ReceiveDatagrams(1).Get().ok());
  }
  EXPECT_EQ(CountDescriptors(), before);
  close(peer);
}

}  // namespace
}  // namespace socketeer::net::testing
