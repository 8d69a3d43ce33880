// Calls to a daemon as a test makes them: raw stubs, requests in text format, errors taken apart.
#pragma once

#include <google/protobuf/text_format.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <ostream>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "socketeer/v1/coordination_service.grpc.pb.h"
#include "socketeer/v1/error.pb.h"
#include "socketeer/v1/host_service.grpc.pb.h"
#include "socketeer/v1/session_service.grpc.pb.h"
#include "socketeer/v1/socket_service.grpc.pb.h"
#include "tests/support/eventually.h"

namespace socketeer::testing {

using Stub = v1::SocketService::Stub;
using AsyncStub = v1::SocketService::StubInterface::async_interface;
using SessionStub = v1::SessionService::Stub;
using CoordinationStub = v1::CoordinationService::Stub;
using AsyncCoordination = v1::CoordinationService::StubInterface::async_interface;

// A message from its text format; a text that does not parse is a broken test.
template <typename Message>
Message Text(const std::string& text) {
  Message message;
  if (!google::protobuf::TextFormat::ParseFromString(text, &message)) {
    ADD_FAILURE() << "not a " << message.GetTypeName() << ": " << text;
    std::abort();
  }
  return message;
}

// `text` as it stands between quotes in text format.
inline std::string Escaped(const std::string& text) {
  std::string out;
  for (const unsigned char c : text) {
    char octal[5];
    std::snprintf(octal, sizeof(octal), "\\%03o", c);
    out += octal;
  }
  return out;
}

// An error of the API with its two details.
struct Problem {
  grpc::StatusCode code = grpc::StatusCode::OK;
  std::string message;
  std::string reason;
  std::map<std::string, std::string> metadata;
  v1::SocketError error;
  bool rich = false;  // both details were there, of the domain "socketeer", with the status's own code
  size_t bytes = 0;   // of the details

  std::string Given(const std::string& key) const {
    const auto found = metadata.find(key);
    return found == metadata.end() ? "(no " + key + ")" : found->second;
  }
};

inline Problem ProblemOf(const grpc::Status& status) {
  Problem problem;
  problem.code = status.error_code();
  problem.message = status.error_message();
  problem.bytes = status.error_details().size();
  google::rpc::Status rich;
  google::rpc::ErrorInfo info;
  if (!rich.ParseFromString(status.error_details()) || rich.details_size() != 2) return problem;
  if (!rich.details(0).UnpackTo(&info) || !rich.details(1).UnpackTo(&problem.error)) return problem;
  problem.reason = info.reason();
  problem.metadata.insert(info.metadata().begin(), info.metadata().end());
  problem.rich =
      info.domain() == "socketeer" && rich.code() == status.error_code() && rich.message() == status.error_message();
  return problem;
}

template <typename Response>
struct Reply {
  grpc::Status status;
  Response value;

  bool ok() const { return status.ok(); }
  Problem problem() const { return ProblemOf(status); }
  const Response* operator->() const { return &value; }
  const Response& operator*() const { return value; }
};

template <typename Response>
std::ostream& operator<<(std::ostream& out, const Reply<Response>& reply) {
  if (reply.ok()) return out << "OK " << reply.value.ShortDebugString();
  const Problem problem = reply.problem();
  return out << problem.code << " " << problem.reason << ": " << problem.message << "; "
             << problem.error.ShortDebugString();
}

// EXPECT_TRUE(Ok(reply)): says what the error was.
template <typename Response>
::testing::AssertionResult Ok(const Reply<Response>& reply) {
  if (reply.ok()) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << reply;
}

// EXPECT_TRUE(Fails(reply, code, reason)), with complete details.
template <typename Response>
::testing::AssertionResult Fails(const Reply<Response>& reply, grpc::StatusCode code, const std::string& reason) {
  const Problem problem = reply.problem();
  if (problem.code == code && problem.reason == reason && problem.rich && problem.bytes <= 4096) {
    return ::testing::AssertionSuccess();
  }
  return ::testing::AssertionFailure() << "wanted " << code << " " << reason << " with details, got " << reply
                                       << (problem.rich ? "" : " (no details)");
}

// INVALID_FIELD of that field.
template <typename Response>
::testing::AssertionResult Refuses(const Reply<Response>& reply, const std::string& field) {
  if (auto fails = Fails(reply, grpc::StatusCode::INVALID_ARGUMENT, "INVALID_FIELD"); !fails) return fails;
  const Problem problem = reply.problem();
  if (problem.Given("field") == field && problem.metadata.contains("given") && !problem.Given("allowed").empty() &&
      problem.error.origin() == v1::ORIGIN_DAEMON) {
    return ::testing::AssertionSuccess();
  }
  return ::testing::AssertionFailure() << "wanted field " << field << ", got " << problem.Given("field") << ", given "
                                       << problem.Given("given") << ", allowed " << problem.Given("allowed") << ": "
                                       << problem.message;
}

// A call under way. Copies are the same call.
template <typename Response>
class Pending {
 public:
  void Cancel() const { state_->context.TryCancel(); }
  bool Ended() const {
    std::lock_guard lock(state_->mutex);
    return state_->ends > 0;
  }
  Reply<Response> Wait() const {
    std::unique_lock lock(state_->mutex);
    if (!state_->changed.wait_for(lock, kTestDeadline, [this] { return state_->ends > 0; })) {
      ADD_FAILURE() << "a call did not end";
      state_->context.TryCancel();
      state_->changed.wait(lock, [this] { return state_->ends > 0; });
    }
    EXPECT_EQ(state_->ends, 1) << "a call ended twice";
    return {state_->status, state_->response};
  }

 private:
  friend class Caller;
  void End() const {
    std::unique_lock lock(state_->mutex);
    if (state_->ends == 0) state_->context.TryCancel();
    state_->changed.wait(lock, [this] { return state_->ends > 0; });
  }
  struct State {
    grpc::ClientContext context;
    std::unique_ptr<google::protobuf::Message> request;
    Response response;
    grpc::Status status;
    std::mutex mutex;
    std::condition_variable changed;
    int ends = 0;
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

// One caller with a connection of its own.
//
// It owns its calls: gRPC 1.51 aborts when the thread that runs a callback drops the last reference to a channel, for
// that thread then waits for itself, and a call's context is such a reference.
class Caller {
 public:
  // `target`: "unix:/run/x.sock", "ipv4:127.0.0.1:7625". `session`: "sessions/{id}", which all calls are made in.
  explicit Caller(const std::string& target, std::string session = "", grpc::ChannelArguments arguments = {},
                  const std::shared_ptr<grpc::ChannelCredentials>& credentials = grpc::InsecureChannelCredentials())
      : session_(std::move(session)) {
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
    arguments.SetMaxReceiveMessageSize(-1);
    channel_ = grpc::CreateCustomChannel(target, credentials, arguments);
    stub_ = v1::SocketService::NewStub(channel_);
    host_stub_ = v1::HostService::NewStub(channel_);
    session_stub_ = v1::SessionService::NewStub(channel_);
    coordination_stub_ = v1::CoordinationService::NewStub(channel_);
  }

  ~Caller() {
    for (const auto& end : ends_) end();
  }
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;

  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }
  Stub& stub() const { return *stub_; }
  SessionStub& session_stub() const { return *session_stub_; }
  // Names the session in a call that is made without Ask() or Start().
  void Prepare(grpc::ClientContext& context) const {
    if (!session_.empty()) context.AddMetadata("socketeer-session", session_);
  }

  // caller.Ask(&Stub::GetSocket, request); also of a SessionStub or a CoordinationStub.
  template <typename Service, typename Request, typename Response>
  Reply<Response> Ask(grpc::Status (Service::*method)(grpc::ClientContext*, const Request&, Response*),
                      const std::type_identity_t<Request>& request,
                      std::chrono::milliseconds deadline = kTestDeadline) const {
    grpc::ClientContext context;
    Prepare(context);
    context.set_deadline(std::chrono::system_clock::now() + deadline);
    Reply<Response> reply;
    if constexpr (std::is_same_v<Service, Stub>) {
      reply.status = ((*stub_).*method)(&context, request, &reply.value);
    } else if constexpr (std::is_same_v<Service, CoordinationStub>) {
      reply.status = ((*coordination_stub_).*method)(&context, request, &reply.value);
    } else {
      reply.status = ((*session_stub_).*method)(&context, request, &reply.value);
    }
    return reply;
  }
  // caller.Ask(&Stub::GetSocket, "name: 'sockets/a'")
  template <typename Service, typename Request, typename Response>
  Reply<Response> Ask(grpc::Status (Service::*method)(grpc::ClientContext*, const Request&, Response*),
                      const std::string& text, std::chrono::milliseconds deadline = kTestDeadline) const {
    return Ask(method, Text<Request>(text), deadline);
  }

  // pending = caller.Start(&AsyncStub::AcceptSocket, request); without a deadline: until it ends by itself. Also of
  // AsyncCoordination.
  template <typename Async, typename Request, typename Response>
  Pending<Response> Start(void (Async::*method)(grpc::ClientContext*, const Request*, Response*,
                                                std::function<void(grpc::Status)>),
                          const std::type_identity_t<Request>& request, std::chrono::milliseconds deadline = {}) const {
    Pending<Response> pending;
    auto& state = *pending.state_;
    Prepare(state.context);
    if (deadline.count() > 0) state.context.set_deadline(std::chrono::system_clock::now() + deadline);
    auto copy = std::make_unique<Request>(request);
    const Request* const sent = copy.get();
    state.request = std::move(copy);
    {
      std::lock_guard lock(mutex_);
      ends_.push_back([pending] { pending.End(); });
    }
    const auto end = [&state](grpc::Status status) {
      std::lock_guard lock(state.mutex);
      state.status = std::move(status);
      ++state.ends;
      state.changed.notify_all();
    };
    if constexpr (std::is_same_v<Async, AsyncStub>) {
      (stub_->async()->*method)(&state.context, sent, &state.response, end);
    } else {
      (coordination_stub_->async()->*method)(&state.context, sent, &state.response, end);
    }
    return pending;
  }
  template <typename Async, typename Request, typename Response>
  Pending<Response> Start(void (Async::*method)(grpc::ClientContext*, const Request*, Response*,
                                                std::function<void(grpc::Status)>),
                          const std::string& text, std::chrono::milliseconds deadline = {}) const {
    return Start(method, Text<Request>(text), deadline);
  }

  Reply<v1::Host> GetHost(std::chrono::milliseconds deadline = kTestDeadline) const {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + deadline);
    Reply<v1::Host> reply;
    reply.status = host_stub_->GetHost(&context, v1::GetHostRequest(), &reply.value);
    return reply;
  }
  Reply<v1::Quota> GetQuota() const {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kTestDeadline);
    Reply<v1::Quota> reply;
    reply.status = host_stub_->GetQuota(&context, v1::GetQuotaRequest(), &reply.value);
    return reply;
  }

 private:
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<Stub> stub_;
  std::unique_ptr<v1::HostService::Stub> host_stub_;
  std::unique_ptr<SessionStub> session_stub_;
  std::unique_ptr<CoordinationStub> coordination_stub_;
  const std::string session_;
  mutable std::mutex mutex_;
  mutable std::vector<std::function<void()>>
      ends_;  // guarded by mutex_: each ends a call, and keeps its state till then
};

}  // namespace socketeer::testing
