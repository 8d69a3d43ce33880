// A stream attached to a socket (AttachSocket), frame by frame, as a caller sees it. It keeps the order that
// attach.proto promises: an offset that does not follow fails the test.
#pragma once

#include <string>
#include <utility>

#include "tests/support/attach_call.h"

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

class Attached final : public AttachCall {
 public:
  // Nothing is sent yet.
  explicit Attached(const Caller& caller) : AttachCall(caller) {}
  // Opens it; `open` has more fields. It may be refused: End() says why.
  Attached(const Caller& caller, const v1::Socket& socket, const std::string& open = "") : Attached(caller) {
    Open(socket, open);
  }
  ~Attached() { CutIfOpen(); }

  uint64_t accepted() const { return acknowledged_; }  // what the kernel has
  // What came since it was taken last.
  std::string TakeData() { return std::exchange(data_, {}); }

  void Send(const std::string& bytes) {
    Request frame;
    frame.mutable_data()->set_offset(sent_);
    frame.mutable_data()->set_data(bytes);
    sent_ += bytes.size();
    Write(frame);
  }

  // Reads on until the byte before `offset` has come, and nothing else but acknowledgements.
  bool ReceiveUntil(uint64_t offset, bool acknowledge = true) {
    return ReadUntil([&] { return received_ >= offset; },
                     [&](const Response& frame) {
                       if (acknowledge && frame.has_data()) Acknowledge(received_);
                     });
  }
  // Reads on until the kernel has accepted so many bytes.
  bool AcceptedUntil(uint64_t offset) {
    return ReadUntil([&] { return accepted() >= offset; });
  }

 private:
  bool IsReceived(const Response& frame) const override { return frame.has_data(); }
  void Note(const Response& frame) override {
    if (!frame.has_data()) return;
    EXPECT_EQ(frame.data().offset(), received_);
    EXPECT_FALSE(frame.data().data().empty());
    received_ += frame.data().data().size();
    data_ += frame.data().data();
  }

  std::string data_;
};

}  // namespace socketeer::testing
