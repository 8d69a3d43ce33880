// A stream attached to datagrams or to a listener (AttachSocket), as a caller sees it. It keeps the order that
// attach.proto promises: a number that does not follow fails the test.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tests/support/attach_call.h"

namespace socketeer::testing {

class Counted final : public AttachCall {
 public:
  // Opens it; `open` has more fields. It may be refused: End() says why.
  Counted(const Caller& caller, const v1::Socket& socket, const std::string& open = "") : AttachCall(caller) {
    Open(socket, open);
  }
  ~Counted() { CutIfOpen(); }

  uint64_t done() const { return acknowledged_; }  // with what was sent
  uint64_t dropped() const { return dropped_; }

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

  // Reads on until so many came, and nothing else but acknowledgements.
  bool ReceiveUntil(uint64_t number) {
    return ReadUntil([&] { return received_ >= number; });
  }
  // Reads on until the daemon is done with so many.
  bool DoneUntil(uint64_t number) {
    return ReadUntil([&] { return done() >= number; });
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
  // Everything that was sent before has been looked at, and all that could come of it has come.
  void Settle() {
    Write("set_options { keepalive: false }");
    EXPECT_TRUE(NextEvent().has_options());
  }

 private:
  bool IsReceived(const Response& frame) const override { return frame.has_datagrams() || frame.has_accepted(); }
  void Note(const Response& frame) override {
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
      if (opened().socket().state() != v1::STATE_LISTENING) ++received_;
    }
  }

  uint64_t dropped_ = 0;
  std::vector<v1::IncomingDatagram> datagrams_;
  std::vector<v1::Socket> accepted_;
};

}  // namespace socketeer::testing
