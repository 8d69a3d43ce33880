// The blocking face of a stream, on the one with callbacks. Private to the library.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/cord.h"
#include "client/lib/connection.h"
#include "socketeer/async_stream.h"
#include "socketeer/stream.h"

namespace socketeer {

// What the callbacks told, for the threads that wait for it. Its lock is taken inside of callbacks, so it is not held
// while the AsyncStream is called.
class Stream::Impl final : public StreamObserver {
 public:
  // `timeout`: of calls that name none.
  explicit Impl(absl::Duration timeout) : timeout_(timeout) {}

  // Once, before all else; returns when the stream is opened, or why it is not.
  absl::Status Start(AsyncStream stream);

  const v1::Socket& socket() const { return opened_->socket(); }
  AsyncStream& stream() { return *stream_; }
  absl::Status Send(absl::Cord data, const CallOptions& options);
  absl::Status Flush(const CallOptions& options);
  absl::Status Shutdown(const CallOptions& options);
  absl::StatusOr<v1::SocketOptions> SetOptions(const v1::SocketOptions& set, const CallOptions& options);
  absl::StatusOr<absl::Cord> Receive(size_t max_bytes, const CallOptions& options);
  absl::Status Detach(const CallOptions& options);

 private:
  class Wait;

  void OnOpened(const v1::AttachOpened& opened) override;
  void OnReceived(absl::Cord bytes) override;
  void OnEndOfStream() override;
  void OnReceiveError(const absl::Status& error) override;
  void OnAccepted(uint64_t offset) override;
  void OnShutdown() override;
  void OnSendError(const absl::Status& error) override;
  void OnOptions(absl::StatusOr<v1::SocketOptions> options) override;
  void OnEnded(const absl::Status& why) override;

  template <typename Change>
  void Note(std::condition_variable& changed, Change change);
  // Why nothing more is sent, with mutex_ held; OK while it is.
  absl::Status SendFailure() const;

  const absl::Duration timeout_;
  std::mutex mutex_;  // guards all below but stream_
  std::condition_variable send_changed_;
  std::condition_variable receive_changed_;
  std::optional<v1::AttachOpened> opened_;  // the first time; constant from then on
  uint64_t accepted_ = 0;
  uint64_t news_ = 0;  // counts what may have made room to send
  bool shut_ = false;
  absl::Status send_error_;
  std::optional<absl::StatusOr<v1::SocketOptions>> options_;  // the last answer
  uint64_t asked_ = 0, answered_ = 0;                         // of SetOptions
  absl::Cord received_;                                       // and not yet returned
  bool end_of_stream_ = false;
  absl::Status receive_error_;
  std::optional<absl::Status> ended_;

  std::optional<AsyncStream> stream_;  // last, so that it ends before what its callbacks use
};

}  // namespace socketeer
