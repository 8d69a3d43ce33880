#include "server/rpc/request_scan.h"

#include <google/protobuf/unknown_field_set.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "server/base/limits.h"
#include "socketeer/v1/coordination_service.pb.h"
#include "socketeer/v1/host_service.pb.h"
#include "socketeer/v1/session_service.pb.h"
#include "socketeer/v1/socket_service.pb.h"

namespace socketeer::rpc {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::MessageFactory;

base::Result<size_t> WeightOf(const std::string& bytes, const Descriptor& type) {
  const std::string_view piece = bytes;
  return rpc::WeightOf(std::span(&piece, 1), type);
}

std::string Outcome(const base::Result<size_t>& weight) {
  if (weight.ok()) return "good";
  const auto& about = weight.error().metadata;
  return weight.error().reason + " " + about.at(about.contains("field") ? "field" : "limit");
}

// Whole and in pieces of every size, the outcome is the same.
std::string Found(const Message& message) {
  const std::string bytes = message.SerializeAsString();
  const Descriptor& type = *message.GetDescriptor();
  const auto weight = WeightOf(bytes, type);
  for (size_t size = 1; size < bytes.size(); ++size) {
    std::vector<std::string_view> pieces;
    for (size_t at = 0; at < bytes.size(); at += size) pieces.push_back(std::string_view(bytes).substr(at, size));
    const auto again = rpc::WeightOf(pieces, type);
    EXPECT_EQ(Outcome(again), Outcome(weight)) << size;
    if (again.ok()) {
      EXPECT_EQ(*again, *weight) << size;
    }
  }
  return Outcome(weight);
}

void Spoil(Message& message, int number = 999) {
  message.GetReflection()->MutableUnknownFields(&message)->AddVarint(number, 1);
}

TEST(RequestScan, NothingUnknown) {
  v1::OpenSocketRequest request;
  EXPECT_EQ(Found(request), "good");
  request.mutable_bind()->mutable_inet()->set_ip("127.0.0.1");
  (*request.mutable_labels())["a"] = "b";
  request.mutable_options()->mutable_linger();
  EXPECT_EQ(Found(request), "good");
}

TEST(RequestScan, UnknownAtTheTop) {
  v1::GetSocketRequest request;
  Spoil(request);
  EXPECT_EQ(Found(request), "UNKNOWN_FIELD #999");
}

TEST(RequestScan, UnknownWithin) {
  v1::OpenSocketRequest request;
  Spoil(*request.mutable_options()->mutable_linger(), 17);
  EXPECT_EQ(Found(request), "UNKNOWN_FIELD options.linger.#17");
}

TEST(RequestScan, UnknownInAOneof) {
  v1::OpenSocketRequest request;
  Spoil(*request.mutable_listen());
  EXPECT_EQ(Found(request), "UNKNOWN_FIELD listen.#999");
}

TEST(RequestScan, UnknownInARepeatedMessage) {
  v1::SendDatagramsRequest request;
  request.add_datagrams();
  Spoil(*request.add_datagrams()->mutable_destination()->mutable_unix_domain());
  EXPECT_EQ(Found(request), "UNKNOWN_FIELD datagrams[1].destination.unix_domain.#999");
}

TEST(RequestScan, UnknownInAWellKnownType) {
  v1::AcceptSocketRequest request;
  Spoil(*request.mutable_timeout());
  EXPECT_EQ(Found(request), "UNKNOWN_FIELD timeout.#999");
}

TEST(RequestScan, UnknownInAMap) {
  v1::OpenSocketRequest request;
  (*request.mutable_labels())["a"] = "b";
  std::string bytes = request.SerializeAsString();
  bytes[1] = static_cast<char>(bytes[1] + 2);  // the entry's length
  EXPECT_EQ(Outcome(WeightOf(bytes + "\x18\x01", *request.GetDescriptor())), "UNKNOWN_FIELD labels[0].#3");
}

TEST(RequestScan, KnownOfAnotherKind) {
  // Field 1, the name, as a number.
  EXPECT_EQ(Outcome(WeightOf("\x08\x01", *v1::GetSocketRequest::descriptor())), "UNKNOWN_FIELD #1");
}

TEST(RequestScan, AsTheyComeOverTheWire) {
  // Field 7 (bind), 3 bytes: field 2000, varint 1.
  EXPECT_EQ(Outcome(WeightOf(std::string("\x3a\x03\x80\x7d\x01", 5), *v1::OpenSocketRequest::descriptor())),
            "UNKNOWN_FIELD bind.#2000");
}

TEST(RequestScan, Malformed) {
  const std::string bind("\x3a\x06\x0a\x04\x0a\x02xy", 8);  // bind.inet.ip
  const Descriptor& type = *v1::OpenSocketRequest::descriptor();
  ASSERT_EQ(Outcome(WeightOf(bind, type)), "good");
  for (const std::string& bytes : {
           bind.substr(0, 1),                     // a tag alone
           bind.substr(0, 7),                     // ends within a string
           bind.substr(0, 5) + "\x7fxy",          // a string that is longer than its message
           bind.substr(0, 3) + "\x7f\x0a\x02xy",  // a message that is
           std::string("\x3a\x01\x0a\x0a", 4),    // a message that ends behind a tag
           std::string("\x00", 1),                // field 0
           std::string("\x01", 1),                // the same, as a number of 8 bytes
           std::string("\x3c", 1),                // the end of a group
           std::string("\x3a\x02\x3c\x01", 4),    // the same within
           std::string(11, '\xff'),               // a tag without end
           bind + "\xff",
       }) {
    EXPECT_FALSE(v1::OpenSocketRequest().ParseFromString(bytes)) << ::testing::PrintToString(bytes);
    EXPECT_EQ(Outcome(WeightOf(bytes, type)), "INVALID_FIELD request") << ::testing::PrintToString(bytes);
  }
}

// Of the messages of all requests.
void ForAll(const std::function<void(const Descriptor&)>& look) {
  std::set<const Descriptor*> seen;
  const std::function<void(const Descriptor&)> walk = [&](const Descriptor& type) {
    if (!seen.insert(&type).second) return;
    look(type);
    for (int i = 0; i < type.field_count(); ++i) {
      if (type.field(i)->message_type() != nullptr) walk(*type.field(i)->message_type());
    }
  };
  const auto& pool = *google::protobuf::DescriptorPool::generated_pool();
  (void)v1::GetValueRequest::descriptor();
  (void)v1::GetHostRequest::descriptor();
  (void)v1::GetSessionRequest::descriptor();
  (void)v1::GetSocketRequest::descriptor();
  for (const char* name : {"socketeer.v1.SocketService", "socketeer.v1.SessionService", "socketeer.v1.HostService",
                           "socketeer.v1.CoordinationService"}) {
    const auto* const service = pool.FindServiceByName(name);
    ASSERT_NE(service, nullptr) << name;
    for (int i = 0; i < service->method_count(); ++i) walk(*service->method(i)->input_type());
  }
  EXPECT_GT(seen.size(), 40U);
}

// What malloc adds, and a place among others in an array that has just been doubled and is still copied.
constexpr size_t kAround = 16 + 3 * sizeof(void*);

TEST(RequestScan, NoElementIsLargerThanItIsCountedFor) {
  ForAll([](const Descriptor& type) {
    const Message& message = *MessageFactory::generated_factory()->GetPrototype(&type);
    EXPECT_LE(message.SpaceUsedLong() + kAround, kElementBytes) << type.full_name();
  });
}

TEST(RequestScan, NoNumberIsRepeated) {  // they would become more than their bytes, and are not counted
  ForAll([](const Descriptor& type) {
    for (int i = 0; i < type.field_count(); ++i) EXPECT_FALSE(type.field(i)->is_packable()) << type.full_name();
  });
}

TEST(RequestScan, TooHeavy) {
  const Descriptor& type = *v1::AwaitSocketsRequest::descriptor();
  std::string items;
  while ((items.size() / 2 + 2) * (kElementBytes + 2) <= base::kMaxRequestWeight) items.append("\x0a\x00", 2);
  EXPECT_EQ(Outcome(WeightOf(items, type)), "good");
  items.append("\x0a\x00\x0a\x00\x0a\x00", 6);
  EXPECT_EQ(Outcome(WeightOf(items, type)), "LIMIT_REACHED max_request_weight");
  EXPECT_EQ(Outcome(WeightOf(items + "\xff", type)), "LIMIT_REACHED max_request_weight");  // it is not looked at
}

TEST(RequestScan, WeighsWhatIsMadeOfIt) {
  v1::AwaitSocketsRequest items;
  v1::SendDatagramsRequest datagrams;
  v1::OpenSocketRequest labels;
  for (int i = 0; i < 1'024; ++i) {
    items.add_items();
    datagrams.add_datagrams()->mutable_destination()->mutable_unix_domain();
    (*labels.mutable_labels())[std::to_string(i)];
  }
  for (const Message* message : {static_cast<const Message*>(&items), static_cast<const Message*>(&datagrams),
                                 static_cast<const Message*>(&labels)}) {
    const auto weight = WeightOf(message->SerializeAsString(), *message->GetDescriptor());
    ASSERT_TRUE(weight.ok());
    EXPECT_GE(*weight, message->SpaceUsedLong()) << message->GetTypeName();
    EXPECT_GE(*weight, 1'024 * kElementBytes) << message->GetTypeName();
  }
}

}  // namespace
}  // namespace socketeer::rpc
