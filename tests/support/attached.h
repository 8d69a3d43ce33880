// A stream attached to a socket (AttachSocket), frame by frame, as a caller sees it. It keeps the order that
// attach.proto promises: an offset that does not follow fails the test.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "tests/support/rpc.h"

namespace socketeer::testing {

// Bytes of a stream from `offset` on: no two stretches of it look alike.
inline std::string Pattern(uint64_t offset, size_t count) {
  std::string bytes(count, '\0');
  for (char& byte : bytes) {
    const uint64_t mixed = (offset++ + 1) * 0x9e3779b97f4a7c15;
    byte = static_cast<char>(mixed >> 40);
  }
  return bytes;
}

class Attached {
 public:
  using Request = v1::AttachSocketRequest;
  using Response = v1::AttachSocketResponse;

  // Nothing is sent yet.
  explicit Attached(const Caller& caller) {
    caller.Prepare(context_);
    context_.set_deadline(std::chrono::system_clock::now() + kTestDeadline);
    stream_ = caller.stub().AttachSocket(&context_);
  }
  // Opens it; `open` has more fields. It may be refused: End() says why.
  Attached(const Caller& caller, const v1::Socket& socket, const std::string& open = "") : Attached(caller) {
    Write("open { name: '" + socket.name() + "' " + open + " }");
    const auto first = Next();
    if (!first) return;
    EXPECT_TRUE(first->has_opened()) << first->ShortDebugString();
    opened_ = first->opened();
    accepted_ = sent_ = opened_->send_offset();
    received_ = opened_->receive_offset();
  }
  ~Attached() {
    if (stream_) Cut();
  }
  Attached(const Attached&) = delete;
  Attached& operator=(const Attached&) = delete;

  bool refused() const { return !opened_; }
  const v1::AttachOpened& opened() const { return *opened_; }
  uint64_t received() const { return received_; }  // behind the last byte that came
  uint64_t accepted() const { return accepted_; }  // what the kernel has
  uint64_t sent() const { return sent_; }
  uint64_t credit() const { return accepted_ + opened_->send_window() - sent_; }
  // What came since it was taken last.
  std::string TakeData() { return std::exchange(data_, {}); }

  void Write(const Request& frame) { stream_->Write(frame); }
  void Write(const std::string& text) { Write(Text<Request>(text)); }
  void Send(const std::string& bytes) {
    Request frame;
    frame.mutable_data()->set_offset(sent_);
    frame.mutable_data()->set_data(bytes);
    sent_ += bytes.size();
    Write(frame);
  }
  void Acknowledge(uint64_t offset) { Write("acknowledge { offset: " + std::to_string(offset) + " }"); }

  // The next frame; absent when the stream has ended.
  std::optional<Response> Next() {
    Response frame;
    if (!stream_->Read(&frame)) return std::nullopt;
    if (frame.has_data()) {
      EXPECT_EQ(frame.data().offset(), received_);
      EXPECT_FALSE(frame.data().data().empty());
      received_ += frame.data().data().size();
      data_ += frame.data().data();
    } else if (frame.has_acknowledge()) {
      EXPECT_GE(frame.acknowledge().offset(), accepted_);
      accepted_ = frame.acknowledge().offset();
    }
    return frame;
  }
  // Reads on until the byte before `offset` has come, and nothing else but acknowledgements.
  bool ReceiveUntil(uint64_t offset, bool acknowledge = true) {
    while (received_ < offset) {
      const auto frame = Next();
      if (!frame || !(frame->has_data() || frame->has_acknowledge())) return Unexpected(frame);
      if (acknowledge && frame->has_data()) Acknowledge(received_);
    }
    return true;
  }
  // Reads on until the kernel has accepted so many bytes.
  bool AcceptedUntil(uint64_t offset) {
    while (accepted_ < offset) {
      const auto frame = Next();
      if (!frame || !(frame->has_data() || frame->has_acknowledge())) return Unexpected(frame);
    }
    return true;
  }
  // The next frame that is neither data nor an acknowledgement.
  Response NextEvent() {
    auto frame = Next();
    while (frame && (frame->has_data() || frame->has_acknowledge())) frame = Next();
    if (!frame) Unexpected(frame);
    return frame.value_or(Response());
  }

  void HalfClose() { stream_->WritesDone(); }
  // How it ended; waits for that, whatever comes before.
  Problem End() {
    while (Next()) {
    }
    return ProblemOf(std::exchange(stream_, nullptr)->Finish());
  }
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

 private:
  bool Unexpected(const std::optional<Response>& frame) {
    ADD_FAILURE() << (frame ? "unexpected: " + frame->ShortDebugString() : "the stream has ended: " + End().message);
    return false;
  }

  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<Request, Response>> stream_;
  std::optional<v1::AttachOpened> opened_;
  uint64_t received_ = 0;
  uint64_t accepted_ = 0;
  uint64_t sent_ = 0;
  std::string data_;
};

// A frame's google.rpc.Status taken apart as that of a call.
inline Problem ProblemOf(const google::rpc::Status& status) {
  return ProblemOf(
      grpc::Status(static_cast<grpc::StatusCode>(status.code()), status.message(), status.SerializeAsString()));
}

}  // namespace socketeer::testing
