// A stream attached to datagrams or to a listener (AttachSocket), as a caller sees it. It keeps the order that
// attach.proto promises: a number that does not follow fails the test.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/attached.h"

namespace socketeer::testing {

class Counted {
 public:
  using Request = v1::AttachSocketRequest;
  using Response = v1::AttachSocketResponse;

  // Opens it; `open` has more fields. It may be refused: End() says why.
  Counted(const Caller& caller, const v1::Socket& socket, const std::string& open = "") {
    caller.Prepare(context_);
    context_.set_deadline(std::chrono::system_clock::now() + kTestDeadline);
    stream_ = caller.stub().AttachSocket(&context_);
    Write("open { name: '" + socket.name() + "' " + open + " }");
    Response first;
    if (!stream_->Read(&first)) return;
    EXPECT_TRUE(first.has_opened()) << first.ShortDebugString();
    opened_ = first.opened();
    done_ = sent_ = opened_->send_offset();
    received_ = opened_->receive_offset();
  }
  ~Counted() {
    if (stream_) Cut();
  }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

  bool refused() const { return !opened_; }
  const v1::AttachOpened& opened() const { return *opened_; }
  uint64_t received() const { return received_; }  // behind the last number that came
  uint64_t done() const { return done_; }          // acknowledged by the daemon
  uint64_t sent() const { return sent_; }
  uint64_t credit() const { return done_ + opened_->send_window() - sent_; }
  uint64_t dropped() const { return dropped_; }

  void Write(const Request& frame) { stream_->Write(frame); }
  void Write(const std::string& text) { Write(Text<Request>(text)); }
  // `to`: an Endpoint.
  void Send(const std::vector<std::string>& payloads, const std::string& to = "") {
    Request frame;
    frame.mutable_datagrams()->set_sequence(sent_);
    for (const std::string& payload : payloads) {
      v1::OutgoingDatagram& each = *frame.mutable_datagrams()->add_datagrams();
      each.set_payload(payload);
      if (!to.empty()) *each.mutable_destination() = Text<v1::Endpoint>(to);
    }
    sent_ += payloads.size();
    Write(frame);
  }
  void Acknowledge(uint64_t number) { Write("acknowledge { offset: " + std::to_string(number) + " }"); }

  // The next frame; absent when the stream has ended.
  std::optional<Response> Next() {
    Response frame;
    if (!stream_->Read(&frame)) return std::nullopt;
    if (frame.has_datagrams()) {
      EXPECT_EQ(frame.datagrams().sequence(), received_);
      EXPECT_GE(frame.datagrams().dropped(), dropped_);
      dropped_ = frame.datagrams().dropped();
      received_ += static_cast<uint64_t>(frame.datagrams().datagrams_size());
      datagrams_.insert(datagrams_.end(), frame.datagrams().datagrams().begin(), frame.datagrams().datagrams().end());
    } else if (frame.has_accepted()) {
      EXPECT_EQ(frame.accepted().sequence(), received_++);
      accepted_.push_back(frame.accepted().socket());
    } else if (frame.has_receive_failure()) {
      EXPECT_EQ(frame.receive_failure().sequence(), received_);
      // In place of a datagram; of a listener it is about a connection that is still to come.
      if (opened_->socket().state() != v1::STATE_LISTENING) ++received_;
    } else if (frame.has_acknowledge()) {
      EXPECT_GE(frame.acknowledge().offset(), done_);
      done_ = frame.acknowledge().offset();
    }
    return frame;
  }
  // Reads on until so many came, and nothing else but acknowledgements.
  bool ReceiveUntil(uint64_t number) {
    return ReadUntil([&] { return received_ >= number; });
  }
  // Reads on until the daemon is done with so many.
  bool DoneUntil(uint64_t number) {
    return ReadUntil([&] { return done_ >= number; });
  }
  // The next frame that is neither datagrams, nor a connection, nor an acknowledgement.
  Response NextEvent() {
    auto frame = Next();
    while (frame && IsFlow(*frame)) frame = Next();
    if (!frame) ADD_FAILURE() << "the stream has ended: " << End().message;
    return frame.value_or(Response());
  }
  // What came since they were taken last.
  std::vector<v1::IncomingDatagram> TakeDatagrams() { return std::exchange(datagrams_, {}); }
  std::vector<v1::Socket> TakeAccepted() { return std::exchange(accepted_, {}); }
  // The payloads.
  std::vector<std::string> TakePayloads() {
    std::vector<std::string> payloads;
    for (v1::IncomingDatagram& each : TakeDatagrams()) payloads.push_back(std::move(*each.mutable_payload()));
    return payloads;
  }

  // How it ended; waits for that, whatever comes before.
  Problem End() {
    Response frame;
    while (stream_->Read(&frame)) {
    }
    return ProblemOf(std::exchange(stream_, nullptr)->Finish());
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
  // Everything that was sent before has been looked at, and all that could come of it has come.
  void Settle() {
    Write("set_options { keepalive: false }");
    EXPECT_TRUE(NextEvent().has_options());
  }

 private:
  static bool IsFlow(const Response& frame) {
    return frame.has_datagrams() || frame.has_accepted() || frame.has_acknowledge();
  }
  template <typename F>
  bool ReadUntil(F reached) {
    while (!reached()) {
      const auto frame = Next();
      if (frame && IsFlow(*frame)) continue;
      ADD_FAILURE() << (frame ? "unexpected: " + frame->ShortDebugString() : "the stream has ended: " + End().message);
      return false;
    }
    return true;
  }

  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<Request, Response>> stream_;
  std::optional<v1::AttachOpened> opened_;
  uint64_t received_ = 0;
  uint64_t done_ = 0;
  uint64_t sent_ = 0;
  uint64_t dropped_ = 0;
  std::vector<v1::IncomingDatagram> datagrams_;
  std::vector<v1::Socket> accepted_;
};

}  // namespace socketeer::testing
