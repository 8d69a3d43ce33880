// What every AttachSocket call of a test has, whatever it carries.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "tests/support/rpc.h"

namespace socketeer::testing {

// One call, frame by frame, as a caller sees it. For one thread. Who derives from it keeps count of what comes, and
// calls CutIfOpen in its destructor: to the end, Note is told of each frame.
class AttachCall {
 public:
  using Request = v1::AttachSocketRequest;
  using Response = v1::AttachSocketResponse;

  AttachCall(const AttachCall&) = delete;
  AttachCall& operator=(const AttachCall&) = delete;

  bool refused() const { return !opened_; }
  const v1::AttachOpened& opened() const { return *opened_; }
  uint64_t received() const { return received_; }  // behind the last byte, or number, that came
  uint64_t sent() const { return sent_; }
  uint64_t credit() const { return acknowledged_ + opened_->send_window() - sent_; }

  void Write(const Request& frame) { stream_->Write(frame); }
  void Write(const std::string& text) { Write(Text<Request>(text)); }
  void Acknowledge(uint64_t offset) { Write("acknowledge { offset: " + std::to_string(offset) + " }"); }
  void HalfClose() { stream_->WritesDone(); }

  // The next frame; absent when the stream has ended.
  std::optional<Response> Next() {
    Response frame;
    if (!stream_->Read(&frame)) return std::nullopt;
    if (frame.has_acknowledge()) {
      EXPECT_GE(frame.acknowledge().offset(), acknowledged_);
      acknowledged_ = frame.acknowledge().offset();
    } else {
      Note(frame);
    }
    return frame;
  }
  // The next frame that tells neither of what is received nor of what was sent.
  Response NextEvent() {
    auto frame = Next();
    while (frame && IsFlow(*frame)) frame = Next();
    if (!frame) Unexpected(frame);
    return frame.value_or(Response());
  }

  // How it ended; waits for that, whatever comes before.
  Problem End() {
    while (Next()) {
    }
    return ProblemOf(Finish());
  }
  // The same of one that has ended.
  grpc::Status Finish() { return std::exchange(stream_, nullptr)->Finish(); }
  // As a channel that breaks.
  void Cut() {
    context_.TryCancel();
    End();
  }
  // In order, behind all that was sent.
  void Detach() {
    Write("detach {}");
    EXPECT_EQ(End().code, grpc::StatusCode::OK);
  }

 protected:
  // Nothing is sent yet.
  explicit AttachCall(const Caller& caller) {
    caller.Prepare(context_);
    context_.set_deadline(std::chrono::system_clock::now() + kTestDeadline);
    stream_ = caller.stub().AttachSocket(&context_);
  }
  ~AttachCall() = default;

  // Opens it; `open` has more fields. It may be refused: End() says why.
  void Open(const v1::Socket& socket, const std::string& open) {
    Write("open { name: '" + socket.name() + "' " + open + " }");
    Response first;
    if (!stream_->Read(&first)) return;
    EXPECT_TRUE(first.has_opened()) << first.ShortDebugString();
    opened_ = first.opened();
    acknowledged_ = sent_ = opened_->send_offset();
    received_ = opened_->receive_offset();
  }
  void CutIfOpen() {
    if (stream_) Cut();
  }

  // A frame came that is no acknowledgement.
  virtual void Note(const Response& frame) = 0;
  // Whether it tells of what is received.
  virtual bool IsReceived(const Response& frame) const = 0;
  bool IsFlow(const Response& frame) const { return frame.has_acknowledge() || IsReceived(frame); }

  // Reads on until `reached`, and nothing else but what is received and acknowledgements; `then` is told of each.
  template <typename Reached, typename Then>
  bool ReadUntil(Reached reached, Then then) {
    while (!reached()) {
      const auto frame = Next();
      if (!frame || !IsFlow(*frame)) return Unexpected(frame);
      then(*frame);
    }
    return true;
  }
  template <typename Reached>
  bool ReadUntil(Reached reached) {
    return ReadUntil(reached, [](const Response&) {});
  }
  bool Unexpected(const std::optional<Response>& frame) {
    ADD_FAILURE() << (frame ? "unexpected: " + frame->ShortDebugString() : "the stream has ended: " + End().message);
    return false;
  }

  uint64_t received_ = 0;
  uint64_t acknowledged_ = 0;  // by the daemon
  uint64_t sent_ = 0;

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<Request, Response>> stream_;
  std::optional<v1::AttachOpened> opened_;
};

// A frame's google.rpc.Status taken apart as that of a call.
inline Problem ProblemOf(const google::rpc::Status& status) {
  return ProblemOf(
      grpc::Status(static_cast<grpc::StatusCode>(status.code()), status.message(), status.SerializeAsString()));
}

}  // namespace socketeer::testing
