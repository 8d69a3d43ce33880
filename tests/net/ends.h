// What tests of offsets have in common: a socket on the shard, and its peer in the test's hands.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "server/base/limits.h"
#include "tests/net/situations.h"

namespace socketeer::net::testing {

// A socket on the shard that the test's own one is connected to.
struct Ends {
  Ends(Rig& rig, const Flavour& flavour, quota::AccountPtr account = nullptr)
      : socket(Open(rig, flavour.kind(), std::move(account))) {
    const SocketAddress at = flavour.IsUnix()
                                 ? *SocketAddress::UnixPath(dir.File("there"))
                                 : *SocketAddress::Inet(flavour.family == AF_INET6 ? "::1" : "127.0.0.1", 0, "");
    if (flavour.HasConnections()) {
      listener = PlainTarget(flavour, at);
      EXPECT_TRUE(socket.Connect(AddressOf(listener.get())).Get().ok());
      peer.reset(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
      return;
    }
    EXPECT_TRUE(socket.Run([&](Socket& on_loop) { return on_loop.Bind(at); }).ok());
    peer = Plain(flavour);
    const SocketAddress to = socket.info().local;
    EXPECT_EQ(::connect(peer.get(), to.data(), to.size()), 0);
  }
  void PeerSends(const std::string& data) {
    EXPECT_EQ(::send(peer.get(), data.data(), data.size(), MSG_NOSIGNAL), static_cast<ssize_t>(data.size()));
  }
  // The same, and waits until it is there.
  void Deliver(const std::string& data) {
    PeerSends(data);
    WaitFor(socket.fd(), POLLIN);
  }
  base::Result<ReceiveResult> From(uint64_t offset, uint32_t max = 100, Mode mode = Mode::kExact, bool peek = false) {
    return socket.Receive(max, mode, {}, peek, offset).Get();
  }
  base::Result<ReceiveDatagramsResult> Records(std::optional<uint64_t> sequence, uint32_t count = 10,
                                               uint32_t max_bytes = 100, bool peek = false) {
    return socket.ReceiveDatagrams(count, Mode::kExact, peek, max_bytes, sequence).Get();
  }
  uint64_t kept() { return socket.observer().gauges().retained_bytes.load(); }

  ::socketeer::testing::TempDir dir;
  TestSocket socket;
  base::Fd listener, peer;
};

template <typename T>
void ExpectOutOfRange(const base::Result<T>& result, const char* field, uint64_t lowest, uint64_t next) {
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().reason, "OFFSET_OUT_OF_RANGE");
  EXPECT_EQ(result.error().metadata.at("field"), field);
  EXPECT_EQ(result.error().metadata.at("lowest"), std::to_string(lowest));
  EXPECT_EQ(result.error().metadata.at("next"), std::to_string(next));
  EXPECT_EQ(result.error().socket, "sockets/test");
}

}  // namespace socketeer::net::testing
