// The sending side of a stream. Private to the library.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "grpcpp/support/byte_buffer.h"
#include "socketeer/v1/attach.pb.h"

namespace socketeer::internal {

// What was handed over and the kernel has not accepted, how far it is on the wire, and what stands between the bytes.
// It outlasts the calls that it travels by: each begins with Opened. Without a lock: its owner, a StreamCore, has one.
//
// An absl::Status of what came from the daemon is OK or says in words which rule it breaks.
class StreamSender {
 public:
  StreamSender(std::optional<uint64_t> offset, uint64_t window)
      : first_offset_(offset), window_(window), base_(offset.value_or(0)), sent_(base_), wired_(base_) {}

  uint64_t sent() const { return sent_; }          // behind the last byte that was handed over
  uint64_t accepted() const { return accepted_; }  // what the kernel has
  bool over() const { return over_; }              // by an error, or the shutdown is done
  bool detaching() const { return detaching_; }
  bool detached() const { return detached_; }              // the last frame of this call is out
  bool closing() const { return closing_ || detaching_; }  // no byte may be handed over any more
  bool answering() const { return answering_; }            // SetOptions has no answer yet

  // --- For the caller. ---
  // As many bytes of the front of `data` as there is room for; returns how many.
  size_t Add(const absl::Cord& data);
  void Shutdown();
  void SetOptions(const v1::SocketOptions& set);
  void Detach();

  // --- For a call. ---
  // What its first frame says of this side.
  void FillOpen(v1::AttachOpen* open) const;
  // It is opened: what is not accepted goes again. `shut`: the shutdown turns out to be done.
  absl::Status Opened(const v1::AttachOpened& opened, bool* shut);
  // The next frame to write; nullopt: there is none, or no credit.
  std::optional<grpc::ByteBuffer> NextFrame();
  // Frames that came.
  absl::Status Accepted(uint64_t offset);
  absl::Status ShutDown();
  absl::Status Answered();
  absl::Status Failed();
  // What is not kept any more since the last time. Its owner drops it without its lock: with it, functions of the
  // caller may be called, which release what a Cord shares.
  std::vector<absl::Cord> TakeDropped() { return std::exchange(dropped_, {}); }

 private:
  // What has its place behind the bytes below `offset`.
  struct Step {
    enum class Kind { kShutdown, kOptions, kDetach };
    Kind kind;
    uint64_t offset;
    v1::SocketOptions options = {};
    bool wired = false;
  };

  // Removes the step that was answered. False: there is none that could be.
  bool PopStep(Step::Kind kind);
  void DropAccepted();

  const std::optional<uint64_t> first_offset_;  // what the caller wants to begin at
  uint64_t window_;                             // as asked, then as granted
  bool opened_ = false;

  // base_ <= wired_ <= sent_; accepted_ is within, but may be beyond all if the caller began below it.
  absl::Cord kept_;  // the bytes from base_ to sent_
  std::vector<absl::Cord> dropped_;
  uint64_t base_;
  uint64_t sent_;
  uint64_t wired_;  // the next byte to write
  uint64_t accepted_ = 0;

  std::deque<Step> steps_;  // one of each kind at most
  bool closing_ = false;
  bool detaching_ = false;
  bool detached_ = false;
  bool answering_ = false;
  bool over_ = false;
};

}  // namespace socketeer::internal
