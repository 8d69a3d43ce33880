// sendmsg(2) and recvmsg(2) for many datagrams or records.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "server/net/operation.h"
#include "server/net/socket.h"

namespace socketeer::net {

struct OutgoingDatagram {
  std::string_view payload;   // borrowed until the operation's `done` is called
  SocketAddress destination;  // empty: the connected peer
};

struct SendDatagramsResult {
  uint32_t datagrams_sent = 0;
  bool timed_out = false;
};

class SendDatagramsOperation final : public OperationOf<SendDatagramsResult> {
 public:
  // `datagrams` is not empty.
  SendDatagramsOperation(const OperationBase& base, std::vector<OutgoingDatagram> datagrams, Done done)
      : OperationOf(base, Side::kWrite, std::move(done)), datagrams_(std::move(datagrams)) {}

  const char* verb() const override { return "send"; }
  Progress Try(Socket& socket) override;
  void Fail(Socket& socket, base::Error error) override;

 private:
  // What the daemon refuses by itself, because the kernel would do something else than it says.
  std::optional<base::Error> Refuse(Socket& socket, const OutgoingDatagram& next) const;
  Progress EndWithError(Socket& socket, int number);

  const std::vector<OutgoingDatagram> datagrams_;
  uint64_t bytes_sent_ = 0;
};

struct ReceiveDatagramsResult {
  std::vector<IncomingDatagram> datagrams;
  bool end_of_stream = false;
  bool timed_out = false;
};

class ReceiveDatagramsOperation final : public OperationOf<ReceiveDatagramsResult> {
 public:
  struct Want {
    uint32_t max_datagrams = 1;
    uint32_t min_datagrams = 1;  // kWhole: 1 to max_datagrams
    uint32_t max_bytes = 0;      // of each, 1 to kMaxPayloadBytes
    bool peek = false;           // not with kWhole; max_datagrams is 1
  };
  ReceiveDatagramsOperation(const OperationBase& base, Want want, Done done)
      : OperationOf(base, Side::kRead, std::move(done)), want_(want) {}

  const char* verb() const override { return "receive"; }
  Progress Try(Socket& socket) override;
  void Fail(Socket& socket, base::Error error) override;
  void Complete() override;

 private:
  bool Full() const;
  Progress EndWithError(Socket& socket, int number);

  const Want want_;
  size_t payload_bytes_ = 0;
};

}  // namespace socketeer::net
