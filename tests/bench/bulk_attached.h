// Bytes through a socket of the daemon that is attached: AttachSocket by hand.
//
// Sends when there is credit for a frame or a quarter of the window, and gives credit back by quarters: a window that
// is filled byte by byte would be emptied byte by byte.
#pragma once

#include <algorithm>
#include <mutex>
#include <optional>

#include "socketeer/v1/socket_service.pb.h"
#include "tests/bench/bulk_frames.h"
#include "tests/bench/bulk_raw.h"
#include "tests/bench/flood.h"
#include "tests/bench/method.h"

namespace socketeer::bench {

// How a socket is to misbehave, for the sake of the others.
enum class Stall {
  kNone,
  kReader,  // it neither reads nor gives credit, and the far end sends
  kPeer,    // the far end does not read, and we send
};

// A socket of the daemon, connected to the far end; closed at the end.
class DaemonSocket {
 public:
  DaemonSocket(std::shared_ptr<grpc::Channel> channel, int port)
      : open_(channel, "OpenSocket"), close_(channel, "CloseSocket") {
    v1::OpenSocketRequest request;
    request.set_family(v1::FAMILY_INET);
    request.set_type(v1::SOCKET_TYPE_STREAM);
    request.mutable_connect()->mutable_inet()->set_ip("127.0.0.1");
    request.mutable_connect()->mutable_inet()->set_port(static_cast<uint32_t>(port));
    name_ = open_(request).socket().name();
  }
  ~DaemonSocket() {
    v1::CloseSocketRequest request;
    request.set_name(name_);
    close_(request);
  }

  const std::string& name() const { return name_; }

 private:
  const Method<v1::OpenSocketRequest, v1::OpenSocketResponse> open_;
  const Method<v1::CloseSocketRequest, v1::CloseSocketResponse> close_;
  std::string name_;
};

// What the daemon keeps because nobody has acknowledged it.
inline uint64_t RetainedBytes(const std::shared_ptr<grpc::Channel>& channel) {
  const Method<v1::ListSocketsRequest, v1::ListSocketsResponse> list(channel, "ListSockets");
  v1::ListSocketsRequest request;
  request.set_page_size(1'000);
  const v1::ListSocketsResponse held = list(request);
  uint64_t bytes = 0;
  for (const v1::Socket& socket : held.sockets()) bytes += socket.counters().retained_bytes();
  return bytes;
}

class AttachedMover final : public RawCall {
 public:
  AttachedMover(const std::shared_ptr<grpc::Channel>& channel, int port, const Load& load, Stall stall = Stall::kNone)
      : RawCall(channel), socket_(channel, port), load_(load), stall_(stall) {
    v1::AttachSocketRequest request;
    request.mutable_open()->set_name(socket_.name());
    request.mutable_open()->set_receive_window(kWindowBytes);
    request.mutable_open()->set_send_window(kWindowBytes);
    const grpc::Slice slice(request.SerializeAsString());
    writing_.emplace(&slice, 1);
    Begin();
    StartWrite(&*writing_);
    opened_.get_future().wait();
  }
  ~AttachedMover() override {
    if (stall_ != Stall::kNone) Cancel();
    if (stall_ == Stall::kReader) End();  // there is no read that would tell
    Join();
  }

  void Start() override {
    std::lock_guard lock(mutex_);
    started_ = true;
    Write();
  }

  // Sent, and not accepted by the kernel over there.
  uint64_t Unaccepted() {
    std::lock_guard lock(mutex_);
    return sent_ - accepted_;
  }

 private:
  void OnReadDone(bool ok) override {
    if (!ok) return Over();
    const Heard heard = FrameReader::Read(incoming());
    if (heard.frame == Frame::kOpened) {
      opened_.set_value();
      if (stall_ == Stall::kReader) return;
    } else {
      Handle(heard);
    }
    StartRead(&incoming());
  }

  void Handle(const Heard& heard) {
    std::lock_guard lock(mutex_);
    if (heard.frame == Frame::kAcknowledge) accepted_ = heard.offset;
    if (heard.frame == Frame::kData) received_ += heard.payload_bytes;
    if (heard.frame == Frame::kEndOfStream) {
      if (received_ != (load_.up ? 0 : load_.bytes)) Fail("the daemon did not bring all bytes");
      ended_ = true;
    }
    Write();
  }

  void OnWriteDone(bool ok) override {
    std::lock_guard lock(mutex_);
    writing_.reset();
    if (ok) Write();
  }

  // Whatever is next, if nothing is being written. With the mutex.
  void Write() {
    if (writing_ || detached_ || !started_) return;
    if (auto frame = Next()) StartWrite(&*(writing_ = std::move(frame)));
  }

  std::optional<grpc::ByteBuffer> Next() {
    if (sent_ == 0) return Header();
    if (received_ - acknowledged_ >= kWindowBytes / 4) return AcknowledgeFrame(acknowledged_ = received_);
    if (ended_) {
      detached_ = true;
      return EmptyFrame(Frame::kDetach);
    }
    const uint64_t end = sizeof(uint64_t) + (load_.up ? load_.bytes : 0);
    if (sent_ < end) return Data(end - sent_);
    if (shut_ || !load_.up) return std::nullopt;
    shut_ = true;
    return EmptyFrame(Frame::kShutdown);
  }

  // What the far end reads first.
  grpc::ByteBuffer Header() {
    const uint64_t order = stall_ == Stall::kPeer ? kReadNothing : load_.up ? 0 : load_.bytes;
    sent_ = sizeof(order);
    return DataFrame(0, grpc::Slice(&order, sizeof(order)));
  }

  std::optional<grpc::ByteBuffer> Data(uint64_t left) {
    const uint64_t credit = accepted_ + kWindowBytes - sent_;
    const uint64_t wanted = std::min<uint64_t>(load_.frame, left);
    if (credit < std::min(wanted, kWindowBytes / 4)) return std::nullopt;
    const uint64_t count = std::min(wanted, credit);
    const uint64_t offset = std::exchange(sent_, sent_ + count);
    return DataFrame(offset, Zeros(count));
  }

  void Over() {
    End();
    if (stall_ != Stall::kNone) return;
    if (!detached_) Fail("the daemon ended the stream");
    Finished();
  }

  const DaemonSocket socket_;
  const Load load_;
  const Stall stall_;
  std::promise<void> opened_;
  std::mutex mutex_;
  std::optional<grpc::ByteBuffer> writing_;
  bool started_ = false, shut_ = false, ended_ = false, detached_ = false;
  uint64_t sent_ = 0, accepted_ = 0;          // offsets of what we send
  uint64_t received_ = 0, acknowledged_ = 0;  // and of what comes
};

}  // namespace socketeer::bench
