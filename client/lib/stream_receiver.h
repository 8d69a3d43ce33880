// The receiving side of a stream. Private to the library.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/cord.h"
#include "proto/wire/attach_frame.h"
#include "socketeer/v1/attach.pb.h"

namespace socketeer::internal {

// How far the bytes have come, and how far they are consumed, which is acknowledged. It outlasts the calls that they
// come by: each begins at what is consumed, so that the daemon keeps what is not, and what came before is dropped here.
// So no more than a window waits here, however often the connection breaks. Without a lock: its owner, a StreamCore,
// has one.
//
// An absl::Status of what came from the daemon is OK or says in words which rule it breaks.
class StreamReceiver {
 public:
  StreamReceiver(std::optional<uint64_t> offset, uint64_t window);

  uint64_t consumed() const { return consumed_; }
  bool over() const { return over_; }

  // What the first frame of a call says of this side.
  void FillOpen(v1::AttachOpen* open);
  absl::Status Opened(const v1::AttachOpened& opened);

  // What is new of the bytes that came; empty: nothing is, or an error was passed on before, behind which nothing is.
  absl::StatusOr<absl::Cord> Received(const wire::DataFrame& frame);
  // The end of the stream, behind `offset` bytes, or an error. Returns whether it is news.
  absl::StatusOr<bool> Ended(std::optional<uint64_t> offset);

  // Precondition: no more than came.
  void Consume(size_t bytes) { consumed_ += bytes; }
  // What is consumed and not acknowledged.
  bool owes() const { return Acknowledgeable() > acknowledged_; }
  // Enough of it that it should not wait for more.
  bool owes_much() const { return Acknowledgeable() - acknowledged_ >= (window_ + 3) / 4; }
  // What to acknowledge now.
  uint64_t Acknowledge() { return acknowledged_ = Acknowledgeable(); }

 private:
  // Of the bytes that came by this call.
  uint64_t Acknowledgeable() const { return consumed_ < next_ ? consumed_ : next_; }

  std::optional<uint64_t> named_;  // where the call is to begin; absent: the daemon chooses
  const uint64_t asked_window_;
  const uint64_t window_;  // the largest that it can mean
  bool opened_ = false;
  uint64_t received_ = 0;  // behind the last byte that was passed on
  uint64_t consumed_ = 0;  // no more than received_
  bool over_ = false;      // the end, or an error, was passed on
  bool over_by_error_ = false;
  uint64_t next_ = 0;          // the next byte of this call; behind consumed_ when it begins
  uint64_t acknowledged_ = 0;  // of this call
  bool call_over_ = false;     // the end, or an error, came by this call
};

}  // namespace socketeer::internal
