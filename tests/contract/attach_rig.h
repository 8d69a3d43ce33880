// A connected pair, of which a test attaches to the client; the server's end is driven by unary calls.
#pragma once

#include <string>

#include "tests/contract/rig.h"
#include "tests/support/attached.h"

namespace socketeer::contract {

using testing::Attached;
using testing::Pattern;
using testing::Problem;

class AttachTest : public ::testing::TestWithParam<Kind> {
 protected:
  void TearDown() override { server_.CloseAll(); }

  // At the server's end.
  void SendAll(const std::string& bytes) {
    for (size_t at = 0; at < bytes.size(); at += 1 << 20) {
      v1::SendDataRequest request;
      request.set_name(pair_.server.name());
      request.set_mode(v1::MODE_WHOLE);
      request.set_data(bytes.substr(at, 1 << 20));
      EXPECT_TRUE(Ok(server_->Ask(&Stub::SendData, request)));
    }
  }
  // So many bytes, or fewer if the stream ends before.
  std::string ReceiveAll(size_t count) {
    std::string all;
    while (all.size() < count) {
      const auto got = server_->Ask(&Stub::ReceiveData, Rig::At(pair_.server) + "max_bytes: 1048576");
      EXPECT_TRUE(Ok(got));
      if (!got.ok() || got->end_of_stream()) break;
      all += got->data();
    }
    return all;
  }
  bool EndsThere() {
    const auto end = server_->Ask(&Stub::ReceiveData, Rig::At(pair_.server));
    return end.ok() && end->end_of_stream() && end->data().empty();
  }
  void ShutDown(const v1::Socket& socket) {
    EXPECT_TRUE(Ok(server_->Ask(&Stub::ShutdownSocket, Rig::At(socket) + "direction: DIRECTION_WRITE")));
  }
  uint64_t Retained() { return rig_.Get(pair_.client).counters().retained_bytes(); }
  // Everything that the client sent before has been looked at, and all that could come of it has come.
  void Settle(Attached& attached) {
    attached.Write("set_options { rcvlowat: 1 }");
    EXPECT_TRUE(attached.NextEvent().has_options());
  }

  TestServer server_{{.loops = 2}};
  Rig rig_{GetParam(), server_};
  Pair pair_ = rig_.Connected();
};

inline const Kind& KindNamed(std::string_view name) {
  for (const Kind& kind : AllKinds()) {
    if (kind.name == name) return kind;
  }
  std::abort();
}
inline std::string KindName(const ::testing::TestParamInfo<Kind>& info) { return info.param.name; }

}  // namespace socketeer::contract
