// AttachSocket at a fake daemon, over real gRPC: the test is the daemon, call by call and frame by frame.
#pragma once

#include <google/protobuf/text_format.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "grpcpp/server_context.h"
#include "grpcpp/support/sync_stream.h"
#include "gtest/gtest.h"
#include "socketeer/v1/attach.pb.h"

namespace socketeer {

// That what is to come will have come, on the slowest of machines.
inline constexpr std::chrono::seconds kLongEnough{60};

class FakeAttach {
 public:
  using Request = v1::AttachSocketRequest;
  using Response = v1::AttachSocketResponse;
  using Stream = grpc::ServerReaderWriter<Response, Request>;

  // One call, for one thread of the test. Ends, if the test did not end it, with UNAVAILABLE.
  class Call {
   public:
    Call(Stream* stream, std::string session) : stream_(stream), session_(std::move(session)) {}

    // In its metadata.
    const std::string& session() const { return session_; }
    // Waits for the client's next frame; nullopt: it has left.
    std::optional<Request> Next() {
      Request frame;
      return stream_ != nullptr && stream_->Read(&frame) ? std::optional(std::move(frame)) : std::nullopt;
    }
    // The same as text; "left".
    std::string NextText() {
      const auto frame = Next();
      return frame ? frame->ShortDebugString() : "left";
    }
    void Write(const std::string& text) {
      Response frame;
      ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &frame)) << text;
      if (stream_ != nullptr) stream_->Write(frame);
    }
    void End(const grpc::Status& status) {
      const std::lock_guard lock(mutex_);
      if (!end_) end_ = status;
      ended_.notify_all();
    }

   private:
    friend class FakeAttach;

    Stream* const stream_;  // gRPC's, until the end; null: the call that did not come
    const std::string session_;
    std::mutex mutex_;
    std::condition_variable ended_;
    std::optional<grpc::Status> end_;
  };

  ~FakeAttach() { Close(); }

  // Waits for the next call to begin. If none does, the test has failed, and goes on with one that the client has left.
  std::shared_ptr<Call> AwaitCall() {
    std::unique_lock lock(mutex_);
    if (!begun_.wait_for(lock, kLongEnough, [this] { return !calls_.empty(); })) {
      ADD_FAILURE() << "no call of AttachSocket began";
      return std::make_shared<Call>(nullptr, "");
    }
    auto first = std::move(calls_.front());
    calls_.pop_front();
    return first;
  }
  // From now on a call ends with this as it begins, and is not told.
  void Refuse(const grpc::Status& status) {
    const std::lock_guard lock(mutex_);
    refusal_ = status;
  }
  // Ends all calls, also those to come.
  void Close() {
    Refuse(Broken());
    const std::lock_guard lock(mutex_);
    for (const auto& weak : all_) {
      if (const auto call = weak.lock()) call->End(Broken());
    }
  }
  // What a client sees of a connection that breaks.
  static grpc::Status Broken() { return {grpc::StatusCode::UNAVAILABLE, "Socket closed"}; }

  // The service's method.
  grpc::Status Serve(grpc::ServerContext* context, Stream* stream) {
    const auto session = context->client_metadata().find("socketeer-session");
    const bool named = session != context->client_metadata().end();
    const auto call =
        std::make_shared<Call>(stream, named ? std::string(session->second.data(), session->second.size()) : "");
    {
      const std::lock_guard lock(mutex_);
      if (refusal_) return *refusal_;
      all_.push_back(call);
      calls_.push_back(call);
      begun_.notify_all();
    }
    std::unique_lock lock(call->mutex_);
    call->ended_.wait(lock, [&] { return call->end_.has_value(); });
    return *call->end_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable begun_;
  std::deque<std::shared_ptr<Call>> calls_;  // that the test has not taken
  std::deque<std::weak_ptr<Call>> all_;
  std::optional<grpc::Status> refusal_;
};

}  // namespace socketeer
