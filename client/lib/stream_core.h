// What both faces of a stream stand on. Private to the library.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/lib/connection.h"
#include "client/lib/stream_call.h"
#include "client/lib/stream_receiver.h"
#include "client/lib/stream_sender.h"
#include "client/lib/stream_timer.h"
#include "socketeer/async_stream.h"

namespace socketeer::internal {

// An attached stream over all its calls, one after the other: when one breaks, the next goes on where both sides were.
//
//   kNew -> kOpening -> kOpen -> kEnded
//              ^ |        |
//              | v        |      a call is under way in kOpening and kOpen, and in no other
//            kPausing <---+
//
// Thread-safe: one mutex. It is not held while the observer is called, what a caller's Cord shares is released, or a
// frame is written. It is held while gRPC begins a call, is asked to cancel one, and sets or stops a timer: none of
// these may call back before it returns (stubs.h asks that of an AttachStub). What the observer is to be told stands in
// a queue, which one thread at a time empties; only threads of gRPC do, so no caller meets an observer inside of a call
// of his. The queue is bounded by the receive window and by what the protocol allows once.
class StreamCore : public std::enable_shared_from_this<StreamCore> {
 public:
  // `open` has the socket's name and uid. `observer` is not owned and outlives AwaitEnd.
  StreamCore(std::shared_ptr<Connection> connection, v1::AttachOpen open, const StreamOptions& options,
             StreamObserver* observer);

  // --- For the AsyncStream: its functions, as described there. ---
  void Start();
  absl::StatusOr<size_t> Send(const absl::Cord& data);
  void Shutdown();
  absl::Status SetOptions(const v1::SocketOptions& set);
  void Consume(size_t bytes);
  void Detach();
  void Cancel();
  uint64_t sent() const;
  uint64_t accepted() const;
  uint64_t received() const;
  // Waits until OnEnded has returned, if Start was called. Nothing but the destructor comes after it.
  void AwaitEnd();

  // --- For the StreamCall, on gRPC's threads. ---
  void OnFrame(grpc::ByteBuffer* bytes);
  void OnReadsOver();
  void OnWritten();
  // The first frame was not written, says gRPC.
  void OnOpenFailed();
  // The call is about to go; OnCallDone says how it ended.
  void ForgetCall();
  void OnCallDone(const grpc::Status& status);
  // Tells the observer what there is to tell, unless another thread is at it.
  void Deliver();

 private:
  enum class State { kNew, kOpening, kOpen, kPausing, kEnded };
  using Lock = std::unique_lock<std::mutex>;
  using Event = std::function<void(StreamObserver&)>;

  // --- stream_core.cc, all with mutex_ held. ---
  void BeginCall();
  // Writes what there is to write, if nothing is being written. Lets go of `lock`.
  void Pump(Lock lock);
  std::optional<grpc::ByteBuffer> NextFrame();
  void Break(absl::Status why);
  // Starts retry_timer_.
  void RetryAfter(absl::Duration within);
  void End(absl::Status why);
  // Ends the call, and with it the stream.
  void Fail(absl::Status why);
  bool MayComeBack(const absl::Status& status) const;
  absl::Duration PatienceLeft() const;
  absl::Status GaveUp() const;
  // Of a call that came too late for the stream; OK while it goes on.
  absl::Status Over() const;
  void OnRetryTimer(uint64_t number);
  void OnAcknowledgeTimer(uint64_t number);

  // --- stream_core_frames.cc, the same. An error says which rule of the protocol the daemon broke. ---
  absl::Status Handle(wire::Frame<v1::AttachSocketResponse>& frame);
  absl::Status HandleOpened(v1::AttachOpened& opened);
  absl::Status HandleEvent(v1::AttachSocketResponse& frame);
  absl::Status HandleData(const wire::DataFrame& frame);
  absl::Status HandleReceiveEnd(std::optional<uint64_t> offset, absl::Status error);
  absl::Status HandleOptions(v1::AttachOptions& answer);
  void TellAccepted();
  void Tell(Event event) { events_.push_back(std::move(event)); }
  // The same of what is received: not if Detach was called meanwhile.
  void TellReceived(Event event);

  std::shared_ptr<Connection> connection_;  // null after AwaitEnd: not for a thread of gRPC's to let go of
  StreamObserver* const observer_;
  const absl::Duration patience_;
  Cancellation* const cancellation_;
  std::optional<CancellationScope> cancellation_scope_;  // of the AsyncStream's owner

  mutable std::mutex mutex_;  // guards all below
  State state_ = State::kNew;
  v1::AttachOpen open_;
  StreamSender sender_;
  StreamReceiver receiver_;
  StreamCall* call_ = nullptr;  // owns itself
  bool readable_ = false;       // a read is pending, so call_ may be held
  bool writing_ = false;
  bool open_failed_ = false;             // of call_; it is of no use
  std::optional<absl::Status> verdict_;  // why the stream ends when its call has
  absl::Status send_error_;              // what the observer was told
  std::string last_break_;
  bool was_open_ = false;
  int tries_ = 0;  // since the connection broke
  std::chrono::steady_clock::time_point broke_at_;
  StreamTimer retry_timer_;        // until the next try; then until it is given up
  StreamTimer acknowledge_timer_;  // until what is consumed is acknowledged, however little it is
  bool acknowledge_now_ = false;

  std::deque<Event> events_;
  bool accepted_told_ = false;  // among events_ is one that tells accepted()
  bool delivering_ = false;
  bool finished_ = false;  // OnEnded has returned
  std::condition_variable finish_;
};

}  // namespace socketeer::internal
