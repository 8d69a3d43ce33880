// Bytes through one stream of the bare server: gRPC and nothing else, one write under way, no windows but gRPC's own.
#pragma once

#include <algorithm>
#include <cstring>

#include "tests/bench/bare_stream.h"
#include "tests/bench/bulk_raw.h"

namespace socketeer::bench {

class BareMover final : public RawCall {
 public:
  BareMover(std::shared_ptr<grpc::Channel> channel, const Load& load)
      : RawCall(std::move(channel)), load_(load), left_(load.bytes) {
    Begin();
    connected_.get_future().wait();
  }
  ~BareMover() override { Join(); }

  void Start() override {
    const StreamOrder order{.send = load_.up ? 0 : load_.bytes, .frame = load_.frame};
    const grpc::Slice slice(&order, sizeof(order));
    outgoing_ = grpc::ByteBuffer(&slice, 1);
    StartWrite(&outgoing_);
  }

 private:
  void OnReadInitialMetadataDone(bool ok) override {
    if (!ok) Fail("the bare server does not answer");
    connected_.set_value();
  }

  void OnWriteDone(bool ok) override {
    if (!ok) Fail("the bare server does not read on");
    if (!load_.up) return;
    if (left_ == 0) {
      StartWritesDone();
      return;
    }
    const size_t count = std::min<uint64_t>(left_, load_.frame);
    left_ -= count;
    const grpc::Slice slice = Zeros(count);
    outgoing_ = grpc::ByteBuffer(&slice, 1);
    StartWrite(&outgoing_);
  }

  // The server ends the call when it has all, or when we have.
  void OnReadDone(bool ok) override {
    if (ok) {
      left_ -= incoming().Length();
      StartRead(&incoming());
      return;
    }
    if (left_ != 0) Fail("the bare server did not move all bytes");
    End();
    Finished();
  }

  const Load load_;
  uint64_t left_;  // to be sent, or to come
  std::promise<void> connected_;
  grpc::ByteBuffer outgoing_;
};

}  // namespace socketeer::bench
