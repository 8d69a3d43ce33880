#include "server/rpc/unknown_fields.h"

#include <google/protobuf/unknown_field_set.h>
#include <gtest/gtest.h>

#include "socketeer/v1/socket_service.pb.h"

namespace socketeer::rpc {
namespace {

void Spoil(google::protobuf::Message& message, int number = 999) {
  message.GetReflection()->MutableUnknownFields(&message)->AddVarint(number, 1);
}

std::string Found(const google::protobuf::Message& message) { return FirstUnknownField(message).value_or("none"); }

TEST(UnknownFields, None) {
  v1::OpenSocketRequest request;
  EXPECT_EQ(Found(request), "none");
  request.mutable_bind()->mutable_inet()->set_ip("127.0.0.1");
  (*request.mutable_labels())["a"] = "b";
  request.mutable_options()->mutable_linger();
  EXPECT_EQ(Found(request), "none");
}

TEST(UnknownFields, AtTheTop) {
  v1::GetSocketRequest request;
  Spoil(request);
  EXPECT_EQ(Found(request), "#999");
}

TEST(UnknownFields, Nested) {
  v1::OpenSocketRequest request;
  Spoil(*request.mutable_options()->mutable_linger(), 17);
  EXPECT_EQ(Found(request), "options.linger.#17");
}

TEST(UnknownFields, InAOneof) {
  v1::OpenSocketRequest request;
  Spoil(*request.mutable_listen());
  EXPECT_EQ(Found(request), "listen.#999");
}

TEST(UnknownFields, InARepeatedMessage) {
  v1::SendDatagramsRequest request;
  request.add_datagrams();
  Spoil(*request.add_datagrams()->mutable_destination()->mutable_unix_domain());
  EXPECT_EQ(Found(request), "datagrams[1].destination.unix_domain.#999");
}

TEST(UnknownFields, InAWellKnownType) {
  v1::AcceptSocketRequest request;
  Spoil(*request.mutable_timeout());
  EXPECT_EQ(Found(request), "timeout.#999");
}

TEST(UnknownFields, AsTheyComeOverTheWire) {
  v1::OpenSocketRequest request;
  // Field 7 (bind), 3 bytes: field 2000, varint 1.
  ASSERT_TRUE(request.ParseFromString(std::string("\x3a\x03\x80\x7d\x01", 5)));
  EXPECT_EQ(Found(request), "bind.#2000");
}

}  // namespace
}  // namespace socketeer::rpc
