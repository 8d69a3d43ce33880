// send(2) and recv(2) on a stream socket.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/net/operation.h"

namespace socketeer::net {

struct SendResult {
  uint64_t bytes_sent = 0;  // with those that were skipped
  uint64_t bytes_skipped = 0;
  uint64_t next_offset = 0;
  bool timed_out = false;
};

class SendOperation final : public OperationOf<SendResult> {
 public:
  // `data` is borrowed until `done` is called. `offset`: of its first byte; what is below the stream's end is skipped.
  SendOperation(const OperationBase& base, std::string_view data, std::optional<uint64_t> offset, Done done)
      : OperationOf(base, Side::kWrite, std::move(done)), data_(data), offset_(offset) {}

  const char* verb() const override { return "send"; }
  Progress Try(Socket& socket) override;
  void Settle(Socket& socket) override;
  void Fail(Socket& socket, base::Error error) override;

 private:
  // False: it is done, all was skipped or the offset cannot be had.
  bool Skip(Socket& socket);

  const std::string_view data_;
  const std::optional<uint64_t> offset_;
  bool let_in_ = false;  // by its owner's quota
};

struct ReceiveResult {
  std::string data;
  uint64_t offset = 0;    // of data's first byte
  bool replayed = false;  // some of data was given out before
  bool end_of_stream = false;
  bool timed_out = false;
};

class ReceiveOperation final : public OperationOf<ReceiveResult> {
 public:
  struct Want {
    uint32_t max_bytes = 0;  // 1 to kMaxPayloadBytes
    uint32_t min_bytes = 0;  // kWhole: 1 to max_bytes
    bool peek = false;       // not with kWhole
    std::optional<uint64_t> offset = {};
  };
  ReceiveOperation(const OperationBase& base, Want want, Done done)
      : OperationOf(base, Side::kRead, std::move(done)), want_(want) {}

  const char* verb() const override { return "receive"; }
  Progress Try(Socket& socket) override;
  void Settle(Socket& socket) override;
  void Fail(Socket& socket, base::Error error) override;

 private:
  // Its turn has come: what does it acknowledge, where does it begin? False: it has an error.
  bool Begin(Socket& socket);
  // kDone: it may go on; else what Try() is to return.
  bool MayGoOn(Socket& socket, Progress* otherwise);
  Progress Peek(Socket& socket);
  Progress EndAtTheBound(Socket& socket, base::Error error);
  Progress EndWithError(Socket& socket, int number);
  bool named() const { return want_.offset.has_value(); }

  const Want want_;
  bool begun_ = false;
  bool let_in_ = false;  // by its owner's quota
  bool looked_ = false;  // the kernel has something that must not be taken before it is sure to be given out
};

}  // namespace socketeer::net
