#include "client/lib/stream_impl.h"

#include <algorithm>
#include <chrono>
#include <string>

#include "socketeer/error.h"
#include "socketeer/status_macros.h"

namespace socketeer {

// One call that waits: its time and its cancellation.
class Stream::Impl::Wait {
 public:
  // `changed` is notified of whatever the call waits for. Made without mutex_, and gone after it was let go.
  Wait(Impl& impl, std::condition_variable& changed, const CallOptions& options, const char* verb)
      : impl_(impl), changed_(changed), verb_(verb), scope_(options.cancellation, [this] {
          const std::lock_guard lock(impl_.mutex_);
          cancelled_ = true;
          changed_.notify_all();
        }) {
    const absl::Duration timeout = options.timeout.value_or(impl.timeout_);
    if (timeout == absl::InfiniteDuration()) return;
    until_ = std::chrono::steady_clock::now() +
             absl::ToChronoNanoseconds(std::clamp(timeout, absl::ZeroDuration(), absl::Hours(24)));
  }

  // Waits until `done`, which is looked at under `lock`.
  template <typename Done>
  absl::Status Until(std::unique_lock<std::mutex>& lock, Done done) {
    const auto awake = [&] { return cancelled_ || done(); };
    if (until_) {
      changed_.wait_until(lock, *until_, awake);
    } else {
      changed_.wait(lock, awake);
    }
    if (done()) return absl::OkStatus();
    if (cancelled_) return absl::CancelledError("cancelled");
    return TimedOutError(std::string(verb_) + ": not done in time");
  }

 private:
  Impl& impl_;
  std::condition_variable& changed_;
  const char* const verb_;
  std::optional<std::chrono::steady_clock::time_point> until_;
  bool cancelled_ = false;  // guarded by the mutex
  const CancellationScope scope_;
};

absl::Status Stream::Impl::Start(AsyncStream stream) {
  stream_.emplace(std::move(stream));
  stream_->Start();
  std::unique_lock lock(mutex_);
  receive_changed_.wait(lock, [this] { return opened_ || ended_; });
  return opened_ ? absl::OkStatus() : *ended_;
}

absl::Status Stream::Impl::Send(absl::Cord data, const CallOptions& options) {
  Wait wait(*this, send_changed_, options, "send");
  while (true) {
    std::unique_lock lock(mutex_);
    const uint64_t seen = news_;
    lock.unlock();
    SOCKETEER_ASSIGN_OR_RETURN(const size_t taken, stream_->Send(data));
    data.RemovePrefix(taken);
    if (data.empty()) return absl::OkStatus();
    lock.lock();
    SOCKETEER_RETURN_IF_ERROR(wait.Until(lock, [&] { return news_ != seen; }));
  }
}

absl::Status Stream::Impl::Flush(const CallOptions& options) {
  const uint64_t sent = stream_->sent();
  Wait wait(*this, send_changed_, options, "flush");
  std::unique_lock lock(mutex_);
  SOCKETEER_RETURN_IF_ERROR(wait.Until(lock, [&] { return accepted_ >= sent || !SendFailure().ok() || ended_; }));
  return accepted_ >= sent ? absl::OkStatus() : SendFailure();
}

absl::Status Stream::Impl::Shutdown(const CallOptions& options) {
  stream_->Shutdown();
  Wait wait(*this, send_changed_, options, "shutdown");
  std::unique_lock lock(mutex_);
  SOCKETEER_RETURN_IF_ERROR(wait.Until(lock, [&] { return shut_ || !SendFailure().ok() || ended_; }));
  if (shut_) return absl::OkStatus();
  const absl::Status failure = SendFailure();
  return failure.ok() ? absl::InvalidArgumentError("shutdown: the stream is detached") : failure;
}

absl::StatusOr<v1::SocketOptions> Stream::Impl::SetOptions(const v1::SocketOptions& set, const CallOptions& options) {
  Wait wait(*this, send_changed_, options, "setsockopt");
  std::unique_lock lock(mutex_);
  SOCKETEER_RETURN_IF_ERROR(wait.Until(lock, [&] { return answered_ == asked_ || ended_; }));
  const uint64_t number = ++asked_;
  lock.unlock();
  const absl::Status begun = stream_->SetOptions(set);
  lock.lock();
  if (!begun.ok()) {
    --asked_;
    return begun;
  }
  SOCKETEER_RETURN_IF_ERROR(wait.Until(lock, [&] { return answered_ == number || ended_; }));
  if (answered_ == number) return *options_;
  return ended_->ok() ? absl::InvalidArgumentError("setsockopt: the stream is detached") : *ended_;
}

absl::StatusOr<absl::Cord> Stream::Impl::Receive(size_t max_bytes, const CallOptions& options) {
  absl::Cord bytes;
  {
    Wait wait(*this, receive_changed_, options, "receive");
    std::unique_lock lock(mutex_);
    SOCKETEER_RETURN_IF_ERROR(
        wait.Until(lock, [&] { return !received_.empty() || end_of_stream_ || !receive_error_.ok() || ended_; }));
    // Bytes that are here when the stream has ended are another stream's to have.
    const bool over = received_.empty() && (end_of_stream_ || !receive_error_.ok());
    if (over) return receive_error_.ok() ? absl::StatusOr<absl::Cord>(absl::Cord()) : receive_error_;
    if (ended_) return ended_->ok() ? absl::InvalidArgumentError("receive: the stream is detached") : *ended_;
    if (max_bytes == 0 || max_bytes >= received_.size()) {
      bytes = std::exchange(received_, {});
    } else {
      bytes = received_.Subcord(0, max_bytes);
      received_.RemovePrefix(max_bytes);
    }
  }
  stream_->Consume(bytes.size());
  return bytes;
}

absl::Status Stream::Impl::Detach(const CallOptions& options) {
  stream_->Detach();
  Wait wait(*this, send_changed_, options, "detach");
  std::unique_lock lock(mutex_);
  SOCKETEER_RETURN_IF_ERROR(wait.Until(lock, [&] { return ended_.has_value(); }));
  return SendFailure();
}

absl::Status Stream::Impl::SendFailure() const {
  if (!send_error_.ok()) return send_error_;
  return ended_.value_or(absl::OkStatus());
}

// --- What the callbacks tell. ---

template <typename Change>
void Stream::Impl::Note(std::condition_variable& changed, Change change) {
  const std::lock_guard lock(mutex_);
  change();
  changed.notify_all();
}

void Stream::Impl::OnOpened(const v1::AttachOpened& opened) {
  Note(receive_changed_, [&] {
    if (!opened_) opened_ = opened;
  });
  OnAccepted(opened.send_offset());
}

void Stream::Impl::OnReceived(absl::Cord bytes) {
  Note(receive_changed_, [&] { received_.Append(std::move(bytes)); });
}

void Stream::Impl::OnEndOfStream() {
  Note(receive_changed_, [&] { end_of_stream_ = true; });
}

void Stream::Impl::OnReceiveError(const absl::Status& error) {
  Note(receive_changed_, [&] { receive_error_ = error; });
}

void Stream::Impl::OnAccepted(uint64_t offset) {
  Note(send_changed_, [&] {
    accepted_ = std::max(accepted_, offset);
    ++news_;
  });
}

void Stream::Impl::OnShutdown() {
  Note(send_changed_, [&] { shut_ = true; });
}

void Stream::Impl::OnSendError(const absl::Status& error) {
  Note(send_changed_, [&] {
    send_error_ = error;
    ++news_;
  });
}

void Stream::Impl::OnOptions(absl::StatusOr<v1::SocketOptions> options) {
  Note(send_changed_, [&] {
    options_ = std::move(options);
    ++answered_;
  });
}

void Stream::Impl::OnEnded(const absl::Status& why) {
  Note(send_changed_, [&] {
    ended_ = why;
    ++news_;
    receive_changed_.notify_all();
  });
}

}  // namespace socketeer
