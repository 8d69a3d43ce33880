// A socket that is shared, through the library: the owner over the UNIX socket, the guest over loopback TCP.
#include <future>
#include <string>

#include "gtest/gtest.h"
#include "socketeer/error.h"
#include "socketeer/host.h"
#include "socketeer/stream.h"
#include "tests/support/test_server.h"

namespace socketeer {
namespace {

constexpr char kGuest[] = "anonymous";

class SharingTest : public ::testing::Test {
 protected:
  RemoteSocket Connected(std::string id) {
    v1::OpenSocketRequest listen =
        testing::Text<v1::OpenSocketRequest>("type: SOCKET_TYPE_STREAM bind { inet { ip: '127.0.0.1' } } listen {}");
    auto listener = owner_.Open(listen);
    EXPECT_TRUE(listener.ok()) << listener.status();
    v1::OpenSocketRequest connect;
    connect.set_socket_id(std::move(id));
    connect.set_type(v1::SOCKET_TYPE_STREAM);
    *connect.mutable_connect() = listener->local();
    auto socket = owner_.Open(connect);
    EXPECT_TRUE(socket.ok()) << socket.status();
    auto peer = listener->Accept();
    EXPECT_TRUE(peer.ok()) << peer.status();
    peer_.emplace(*std::move(peer));
    return *std::move(socket);
  }

  testing::TestServer server_{{.loops = 2, .loopback = true}};
  Host owner_ = *Host::Connect(server_.server().addresses()[0]);
  Host guest_ = *Host::Connect(server_.server().addresses()[1]);
  std::optional<RemoteSocket> peer_;
};

TEST_F(SharingTest, AGuestUsesItUntilItIsWithdrawn) {
  const RemoteSocket socket = Connected("shared");
  EXPECT_EQ(ReasonOf(guest_.Find("sockets/shared").status()), "SOCKET_NOT_FOUND");
  const auto shared = socket.Share(kGuest, v1::ACCESS_USE);
  ASSERT_TRUE(shared.ok()) << shared.status();
  ASSERT_EQ(shared->grants_size(), 1);
  EXPECT_EQ(shared->grants(0).identity(), kGuest);

  auto theirs = guest_.Find("sockets/shared");
  ASSERT_TRUE(theirs.ok()) << theirs.status();
  EXPECT_EQ(theirs->socket().access(), v1::ACCESS_USE);
  ASSERT_TRUE(theirs->SendAll("from the guest").ok());
  EXPECT_EQ(peer_->Receive()->data(), "from the guest");
  EXPECT_EQ(ReasonOf(theirs->Share("token:third", v1::ACCESS_USE).status()), "GRANT_INSUFFICIENT");
  EXPECT_EQ(ReasonOf(theirs->Close().status()), "GRANT_INSUFFICIENT");

  auto stream = theirs->Attach();
  ASSERT_TRUE(stream.ok()) << stream.status();
  ASSERT_TRUE(stream->Send("streamed").ok());
  EXPECT_EQ(peer_->Receive()->data(), "streamed");
  auto receiving = std::async(std::launch::async, [&] { return stream->Receive().status(); });
  const auto alone = socket.Unshare(kGuest);
  ASSERT_TRUE(alone.ok()) << alone.status();
  EXPECT_EQ(alone->grants_size(), 0);
  // The library resumes streams that break; this one has ended.
  EXPECT_EQ(ReasonOf(receiving.get()), "GRANT_WITHDRAWN");
  EXPECT_EQ(ReasonOf(theirs->SendAll("late").status()), "SOCKET_NOT_FOUND");
  EXPECT_EQ(ReasonOf(socket.Unshare(kGuest).status()), "GRANT_NOT_FOUND");

  ASSERT_TRUE(peer_->SendAll("for the owner").ok());
  EXPECT_EQ(socket.Receive()->data(), "for the owner");
}

TEST_F(SharingTest, AGuestObserves) {
  const RemoteSocket socket = Connected("shared");
  ASSERT_TRUE(socket.Share(kGuest, v1::ACCESS_OBSERVE).ok());
  const auto theirs = guest_.Find("sockets/shared");
  ASSERT_TRUE(theirs.ok()) << theirs.status();
  EXPECT_TRUE(theirs->GetOptions().ok());
  EXPECT_EQ(guest_.List("")->size(), 1u);
  const absl::Status denied = theirs->Receive().status();
  EXPECT_EQ(denied.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(ReasonOf(denied), "GRANT_INSUFFICIENT");
  EXPECT_EQ(ReasonOf(socket.Share("nobody", v1::ACCESS_USE).status()), "INVALID_FIELD");
  EXPECT_EQ(ReasonOf(socket.Share(kGuest, v1::ACCESS_UNSPECIFIED).status()), "INVALID_FIELD");
}

}  // namespace
}  // namespace socketeer
