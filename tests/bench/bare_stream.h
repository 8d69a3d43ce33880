// The bare server's stream: takes all that comes, or sends what its first message asks for.
#pragma once

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

namespace socketeer::bench {

// The first message of a stream, in the machine's own order.
struct StreamOrder {
  uint64_t send = 0;   // bytes that the server is to send; 0: it discards what comes
  uint64_t frame = 0;  // bytes of each message it sends
};

class BareStream final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  BareStream() {
    StartSendInitialMetadata();
    StartRead(&incoming_);
  }

 private:
  void OnReadDone(bool ok) override {
    if (ordered_) return ok ? StartRead(&incoming_) : Finish(grpc::Status::OK);
    grpc::Slice slice;  // it may have come in two
    if (!ok || !incoming_.DumpToSingleSlice(&slice).ok() || slice.size() != sizeof(order_)) {
      return Finish(grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "not an order"));
    }
    std::memcpy(&order_, slice.begin(), sizeof(order_));
    ordered_ = true;
    order_.send > 0 ? SendNext() : StartRead(&incoming_);
  }

  void OnWriteDone(bool ok) override { ok&& order_.send > 0 ? SendNext() : Finish(grpc::Status::OK); }

  void SendNext() {
    static const std::vector<char> zeros(1 << 20);
    const size_t count = std::min<uint64_t>({order_.send, order_.frame, zeros.size()});
    const grpc::Slice slice(zeros.data(), count, grpc::Slice::STATIC_SLICE);
    outgoing_ = grpc::ByteBuffer(&slice, 1);
    order_.send -= count;
    StartWrite(&outgoing_);
  }

  void OnDone() override { delete this; }

  bool ordered_ = false;
  StreamOrder order_;
  grpc::ByteBuffer incoming_, outgoing_;
};

}  // namespace socketeer::bench
