// send(2) and recv(2) on a stream socket.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "server/net/operation.h"

namespace socketeer::net {

struct SendResult {
  uint64_t bytes_sent = 0;
  bool timed_out = false;
};

class SendOperation final : public OperationOf<SendResult> {
 public:
  // `data` is borrowed until `done` is called.
  SendOperation(const OperationBase& base, std::string_view data, Done done)
      : OperationOf(base, Side::kWrite, std::move(done)), data_(data) {}

  const char* verb() const override { return "send"; }
  Progress Try(Socket& socket) override;
  void Fail(Socket& socket, base::Error error) override;

 private:
  const std::string_view data_;
};

struct ReceiveResult {
  std::string data;
  bool end_of_stream = false;
  bool timed_out = false;
};

class ReceiveOperation final : public OperationOf<ReceiveResult> {
 public:
  struct Want {
    uint32_t max_bytes = 0;  // 1 to kMaxPayloadBytes
    uint32_t min_bytes = 0;  // kWhole: 1 to max_bytes
    bool peek = false;       // not with kWhole
  };
  ReceiveOperation(const OperationBase& base, Want want, Done done)
      : OperationOf(base, Side::kRead, std::move(done)), want_(want) {}

  const char* verb() const override { return "receive"; }
  Progress Try(Socket& socket) override;
  // A cancelled receive puts back what it took.
  void Fail(Socket& socket, base::Error error) override;

 private:
  Progress EndWithError(Socket& socket, int number);

  const Want want_;
};

}  // namespace socketeer::net
