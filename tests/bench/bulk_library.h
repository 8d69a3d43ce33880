// Bytes through the client library's streams: AsyncStream, and Stream with a thread of its own.
#pragma once

#include <algorithm>
#include <cstring>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>

#include "absl/strings/cord.h"
#include "socketeer/async_stream.h"
#include "socketeer/host.h"
#include "socketeer/stream.h"
#include "socketeer/v1/socket_service.pb.h"
#include "tests/bench/bulk_mover.h"

namespace socketeer::bench {

template <typename T>
T Must(absl::StatusOr<T> result) {
  if (!result.ok()) Fail(std::string(result.status().message()));
  return *std::move(result);
}
inline void Must(const absl::Status& status) {
  if (!status.ok()) Fail(std::string(status.message()));
}

// A socket of the daemon, connected to the far end. Closed at the end.
inline RemoteSocket OpenTo(const Host& host, int port) {
  v1::OpenSocketRequest request;
  request.set_family(v1::FAMILY_INET);
  request.set_type(v1::SOCKET_TYPE_STREAM);
  request.mutable_connect()->mutable_inet()->set_ip("127.0.0.1");
  request.mutable_connect()->mutable_inet()->set_port(static_cast<uint32_t>(port));
  return Must(host.Open(request));
}

inline StreamOptions Windows() {
  StreamOptions options;
  options.receive_window = kWindowBytes;
  options.send_window = kWindowBytes;
  return options;
}

// What the far end reads first.
inline absl::Cord Order(const Load& load) {
  const uint64_t order = load.up ? 0 : load.bytes;
  return absl::Cord(absl::string_view(reinterpret_cast<const char*>(&order), sizeof(order)));
}

inline absl::Cord ZeroCord(size_t size) {
  return absl::MakeCordFromExternal(absl::string_view(kZeros.data(), size), [](absl::string_view) {});
}

class AsyncMover final : public Mover, private StreamObserver {
 public:
  AsyncMover(const Host& host, int port, const Load& load)
      : load_(load), socket_(OpenTo(host, port)), left_(load.up ? load.bytes : 0) {
    stream_.emplace(socket_.AttachAsync(Windows(), this));
    stream_->Start();
    opened_.get_future().wait();
  }
  ~AsyncMover() override {
    stream_.reset();
    Must(socket_.Close());
  }

  void Start() override {
    pending_ = Order(load_);
    started_ = true;
    SendOn();
  }

 private:
  // As much as there is room for, and the end behind it.
  void SendOn() {
    std::lock_guard lock(mutex_);
    while (started_ && !shut_) {
      if (pending_.empty() && left_ > 0) {
        pending_ = ZeroCord(std::min<uint64_t>(left_, load_.frame));
        left_ -= pending_.size();
      }
      if (pending_.empty()) {
        shut_ = load_.up;
        if (load_.up) stream_->Shutdown();
        return;
      }
      const size_t taken = Must(stream_->Send(pending_));
      if (taken == 0) return;
      pending_.RemovePrefix(taken);
    }
  }

  void OnOpened(const v1::AttachOpened&) override { opened_.set_value(); }
  void OnAccepted(uint64_t) override { SendOn(); }
  void OnReceived(absl::Cord bytes) override {
    received_ += bytes.size();
    stream_->Consume(bytes.size());
  }
  void OnEndOfStream() override {
    if (received_ != (load_.up ? 0 : load_.bytes)) Fail("not all bytes came");
    stream_->Detach();
  }
  void OnReceiveError(const absl::Status& error) override { Must(error); }
  void OnShutdown() override {}
  void OnSendError(const absl::Status& error) override { Must(error); }
  void OnBroken(const absl::Status& why) override { Must(why); }
  void OnEnded(const absl::Status& why) override {
    Must(why);
    Finished();
  }

  const Load load_;
  RemoteSocket socket_;
  std::optional<AsyncStream> stream_;
  std::promise<void> opened_;
  std::mutex mutex_;  // of what is to be sent
  bool started_ = false, shut_ = false;
  absl::Cord pending_;
  uint64_t left_;
  uint64_t received_ = 0;
};

class BlockingMover final : public Mover {
 public:
  // `copying`: by the Send that takes a string_view.
  BlockingMover(const Host& host, int port, const Load& load, bool copying)
      : load_(load), copying_(copying), socket_(OpenTo(host, port)), stream_(Must(socket_.Attach(Windows()))) {}
  ~BlockingMover() override {
    thread_.join();
    Must(socket_.Close());
  }

  void Start() override {
    thread_ = std::thread([this] {
      Run();
      Finished();
    });
  }

 private:
  void Run() {
    Must(stream_.Send(Order(load_)));
    for (uint64_t left = load_.up ? load_.bytes : 0; left > 0;) {
      const size_t count = std::min<uint64_t>(left, load_.frame);
      Must(copying_ ? stream_.Send(std::string_view(kZeros.data(), count)) : stream_.Send(ZeroCord(count)));
      left -= count;
    }
    if (load_.up) Must(stream_.Shutdown());
    uint64_t received = 0;
    while (true) {
      const absl::Cord bytes = Must(stream_.Receive());
      if (bytes.empty()) break;
      received += bytes.size();
    }
    if (received != (load_.up ? 0 : load_.bytes)) Fail("not all bytes came");
    Must(stream_.Detach());
  }

  const Load load_;
  const bool copying_;
  RemoteSocket socket_;
  Stream stream_;
  std::thread thread_;
};

}  // namespace socketeer::bench
