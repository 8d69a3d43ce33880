// What a stream's observer was told, as text, one after the other.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <utility>

#include "gtest/gtest.h"
#include "socketeer/async_stream.h"
#include "socketeer/error.h"

namespace socketeer {

class Recorder : public StreamObserver {
 public:
  // Waits for the next one. If none comes, the test has failed.
  std::string Next() {
    std::unique_lock lock(mutex_);
    if (!told_.wait_for(lock, std::chrono::seconds(60), [this] { return !texts_.empty(); })) {
      ADD_FAILURE() << "nothing was told";
      return "nothing";
    }
    std::string first = std::move(texts_.front());
    texts_.pop_front();
    return first;
  }
  absl::Status end() const { return end_; }

  void OnReceived(absl::Cord bytes) override { Tell("received " + std::string(bytes)); }

 private:
  static std::string Word(const absl::Status& status) {
    if (status.ok()) return "OK";
    const std::string reason = ReasonOf(status);
    return reason.empty() ? absl::StatusCodeToString(status.code()) : reason;
  }
  void Tell(std::string text) {
    const std::lock_guard lock(mutex_);
    texts_.push_back(std::move(text));
    told_.notify_all();
  }

  void OnOpened(const v1::AttachOpened& opened) override { Tell("opened " + opened.socket().name()); }
  void OnEndOfStream() override { Tell("end of stream"); }
  void OnReceiveError(const absl::Status& error) override { Tell("receive error " + Word(error)); }
  void OnAccepted(uint64_t offset) override { Tell("accepted " + std::to_string(offset)); }
  void OnShutdown() override { Tell("shutdown"); }
  void OnSendError(const absl::Status& error) override { Tell("send error " + Word(error)); }
  void OnOptions(absl::StatusOr<v1::SocketOptions> options) override {
    Tell("options " + (options.ok() ? options->ShortDebugString() : Word(options.status())));
  }
  void OnBroken(const absl::Status& why) override { Tell("broken " + Word(why)); }
  void OnEnded(const absl::Status& why) override {
    end_ = why;
    Tell("ended " + Word(why));
  }

  std::mutex mutex_;
  std::condition_variable told_;
  std::deque<std::string> texts_;
  absl::Status end_;
};

}  // namespace socketeer
