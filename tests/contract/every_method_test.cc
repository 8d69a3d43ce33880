// What holds for every method there is, by the services' own descriptors: a method added later is in.
#include <google/protobuf/descriptor.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/unknown_field_set.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>

#include <future>
#include <string>
#include <vector>

#include "tests/support/test_server.h"

namespace socketeer {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::MethodDescriptor;
using grpc::StatusCode;

std::vector<const MethodDescriptor*> EveryMethod() {
  std::vector<const MethodDescriptor*> methods;
  for (const auto* file :
       {v1::OpenSocketRequest::descriptor()->file(), v1::GetHostRequest::descriptor()->file(),
        v1::CreateSessionRequest::descriptor()->file(), v1::AwaitBarrierRequest::descriptor()->file()}) {
    for (int s = 0; s < file->service_count(); ++s) {
      for (int m = 0; m < file->service(s)->method_count(); ++m) methods.push_back(file->service(s)->method(m));
    }
  }
  return methods;
}

grpc::Status CallRaw(const testing::Caller& caller, const MethodDescriptor& method, const std::string& bytes) {
  grpc::GenericStub stub(caller.channel());
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + testing::kTestDeadline);
  const grpc::Slice slice(bytes);
  grpc::ByteBuffer request(&slice, 1);
  grpc::ByteBuffer response;
  std::promise<grpc::Status> done;
  stub.UnaryCall(&context, "/" + method.service()->full_name() + "/" + method.name(), {}, &request, &response,
                 [&done](grpc::Status status) { done.set_value(std::move(status)); });
  return done.get_future().get();
}

void Spoil(Message& message) { message.GetReflection()->MutableUnknownFields(&message)->AddVarint(1999, 1); }

// A request for each message that can stand in `type`, spoilt there, with the path of the spoilt field.
void SpoilEverywhere(const Descriptor& type, const std::string& path, int depth,
                     const std::function<Message*(Message&)>& reach,
                     const std::function<void(const std::function<void(Message&)>&, const std::string&)>& out) {
  out([reach](Message& root) { Spoil(*reach(root)); }, path + "#1999");
  if (depth == 0) return;
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor* const field = type.field(i);
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE || field->is_map()) continue;
    const auto inner = [reach, field](Message& root) {
      Message& holder = *reach(root);
      const auto& reflection = *holder.GetReflection();
      if (field->is_repeated()) return reflection.AddMessage(&holder, field);
      return reflection.MutableMessage(&holder, field);
    };
    const std::string index = field->is_repeated() ? "[0]." : ".";
    SpoilEverywhere(*field->message_type(), path + field->name() + index, depth - 1, inner, out);
  }
}

TEST(EveryMethod, RefusesUnknownFieldsAtAnyDepth) {
  testing::TestServer server;
  google::protobuf::DynamicMessageFactory factory;
  int tried = 0;
  for (const MethodDescriptor* method : EveryMethod()) {
    SpoilEverywhere(
        *method->input_type(), "", 3, [](Message& root) { return &root; },
        [&](const std::function<void(Message&)>& spoil, const std::string& path) {
          const std::unique_ptr<Message> request(factory.GetPrototype(method->input_type())->New());
          spoil(*request);
          const auto problem = testing::ProblemOf(CallRaw(server.caller(), *method, request->SerializeAsString()));
          EXPECT_EQ(problem.code, StatusCode::INVALID_ARGUMENT) << method->name() << " " << path;
          EXPECT_EQ(problem.reason, "UNKNOWN_FIELD") << method->name() << " " << path;
          EXPECT_EQ(problem.Given("field"), path) << method->name();
          EXPECT_FALSE(problem.error.operation().empty()) << method->name();
          ++tried;
        });
  }
  EXPECT_GT(tried, 60);
}

// Strings that are no UTF-8 are garbage to Protobuf too. gRPC itself answers; the daemon goes on.
TEST(EveryMethod, RefusesWhatCannotBeRead) {
  testing::TestServer server;
  for (const MethodDescriptor* method : EveryMethod()) {
    for (const std::string& bytes : {std::string("\x0a\x01\xff", 3), std::string("\xff\xff\xff", 3)}) {
      const grpc::Status status = CallRaw(server.caller(), *method, bytes);
      EXPECT_FALSE(status.ok()) << method->name();
      EXPECT_NE(status.error_code(), StatusCode::UNAVAILABLE) << method->name();
    }
  }
  EXPECT_TRUE(testing::Ok(server->GetHost()));
}

TEST(EveryMethod, ErrorsStaySmall) {
  testing::TestServer server;
  const std::string long_text(1 << 20, 'x');
  for (const MethodDescriptor* method : EveryMethod()) {
    google::protobuf::DynamicMessageFactory factory;
    const std::unique_ptr<Message> request(factory.GetPrototype(method->input_type())->New());
    const auto& reflection = *request->GetReflection();
    bool has_text = false;
    for (int i = 0; i < method->input_type()->field_count(); ++i) {
      const FieldDescriptor* const field = method->input_type()->field(i);
      if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING && !field->is_repeated()) {
        reflection.SetString(request.get(), field, long_text);
        has_text = true;
      }
    }
    if (!has_text) continue;
    const grpc::Status status = CallRaw(server.caller(), *method, request->SerializeAsString());
    EXPECT_EQ(status.error_code(), StatusCode::INVALID_ARGUMENT) << method->name();
    EXPECT_LE(status.error_details().size() + status.error_message().size(), 4096u) << method->name();
    EXPECT_TRUE(testing::ProblemOf(status).rich) << method->name();
  }
}

TEST(EveryMethod, IsRefusedWhileDraining) {
  testing::TestServer server;
  const testing::Caller& caller = server.caller();
  auto waiting = caller.Start(&testing::AsyncStub::AwaitSockets,
                              "items { name: 'sockets/never' condition: CONDITION_CLOSED allow_missing: true }");
  ASSERT_TRUE(testing::Eventually([&] { return caller.GetHost()->usage().calls() == 2; },
                                  "the API has no event for a call that began to wait"));
  server.Drain(std::chrono::seconds(20));
  EXPECT_TRUE(testing::Fails(waiting.Wait(), StatusCode::UNAVAILABLE, "DRAINING"));
  for (const MethodDescriptor* method : EveryMethod()) {
    const grpc::Status status = CallRaw(caller, *method, "");
    EXPECT_EQ(status.error_code(), StatusCode::UNAVAILABLE) << method->name() << ": " << status.error_message();
  }
}

}  // namespace
}  // namespace socketeer
