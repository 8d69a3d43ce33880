// sendmsg(2) and recvmsg(2) for many datagrams or records.
#pragma once

#include <cstdint>
#include <optional>
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
  uint32_t datagrams_sent = 0;  // with those that were skipped
  uint32_t datagrams_skipped = 0;
  uint64_t next_sequence = 0;
  bool timed_out = false;
};

class SendDatagramsOperation final : public OperationOf<SendDatagramsResult> {
 public:
  // `datagrams` is not empty. `sequence`: of the first; those below the next number are skipped.
  SendDatagramsOperation(const OperationBase& base, std::vector<OutgoingDatagram> datagrams,
                         std::optional<uint64_t> sequence, Done done)
      : OperationOf(base, Side::kWrite, std::move(done)), datagrams_(std::move(datagrams)), sequence_(sequence) {}

  const char* verb() const override { return "send"; }
  Progress Try(Socket& socket) override;
  void Settle(Socket& socket) override;
  void Fail(Socket& socket, base::Error error) override;

 private:
  // False: it is done, all were skipped or the number cannot be had.
  bool Skip(Socket& socket);
  // What the daemon refuses by itself, because the kernel would do something else than it says.
  std::optional<base::Error> Refuse(Socket& socket, const OutgoingDatagram& next) const;
  // False: its owner's quota says not now, and `*otherwise` is what Try() is to return.
  bool MayGoOn(Socket& socket, Progress* otherwise);
  Progress EndWithError(Socket& socket, int number);

  const std::vector<OutgoingDatagram> datagrams_;
  const std::optional<uint64_t> sequence_;
  uint64_t bytes_sent_ = 0;  // with those that were skipped
  bool let_in_ = false;      // by its owner's quota
};

struct ReceiveDatagramsResult {
  std::vector<IncomingDatagram> datagrams;
  uint64_t sequence = 0;  // of the first
  bool replayed = false;  // some were given out before
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
    std::optional<uint64_t> sequence = {};
  };
  ReceiveDatagramsOperation(const OperationBase& base, Want want, Done done)
      : OperationOf(base, Side::kRead, std::move(done)), want_(want) {}

  const char* verb() const override { return "receive"; }
  Progress Try(Socket& socket) override;
  void Settle(Socket& socket) override;
  void Fail(Socket& socket, base::Error error) override;

 private:
  // As of ReceiveOperation.
  bool Begin(Socket& socket);
  bool MayGoOn(Socket& socket, Progress* otherwise);
  Progress Peek(Socket& socket);
  Progress EndAtTheBound(Socket& socket, base::Error error);
  Progress EndWithError(Socket& socket, int number);
  bool named() const { return want_.sequence.has_value(); }

  bool Full() const;
  size_t Enough() const { return mode() == Mode::kWhole ? want_.min_datagrams : 1; }
  // What is kept is part of the answer, up to an error, which ends it. False: there is one.
  bool CountKept(Socket& socket);
  // One more of those kept is part of the answer.
  void Count(const IncomingDatagram& datagram);
  // As it is given out.
  IncomingDatagram Cut(IncomingDatagram datagram) const;

  const Want want_;
  bool begun_ = false;
  bool let_in_ = false;     // by its owner's quota
  bool from_kept_ = false;  // it found enough to answer, and does not ask the kernel
  bool looked_ = false;
  bool failed_ = false;  // the next of those kept is an error, and there is nothing before it to answer with
  size_t count_ = 0;
  size_t payload_bytes_ = 0;
};

}  // namespace socketeer::net
