// connect(2), accept(2), and shutdown(2) of the write side.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "server/net/operation.h"
#include "server/net/socket_info.h"

namespace socketeer::net {

struct ConnectResult {
  bool timed_out = false;
};

// To wait for a connect is to call connect(2) again when the kernel announces a result: it then answers as a blocking
// connect would have, and clears its own state. (getsockopt(SO_ERROR) would leave a stale ECONNABORTED for the next
// connect.)
class ConnectOperation final : public OperationOf<ConnectResult> {
 public:
  ConnectOperation(const OperationBase& base, SocketAddress peer, Done done)
      : OperationOf(base, Side::kWrite, std::move(done)), peer_(std::move(peer)) {}

  const char* verb() const override { return "connect"; }
  Progress Try(Socket& socket) override;

 private:
  const SocketAddress peer_;
  bool waited_ = false;  // for TCP's handshake
};

struct AcceptResult {
  int fd = -1;  // the receiver of the result owns it; -1 if replayed
  SocketInfo info;
  std::shared_ptr<const Place> bound;      // of a listener at a UNIX path, under a policy
  std::shared_ptr<SocketObserver> became;  // of a call that named its number: the socket
  uint64_t sequence = 0;
  bool replayed = false;  // `became` was given out before
  bool timed_out = false;
};

class AcceptOperation final : public OperationOf<AcceptResult> {
 public:
  // `sequence`: of a call that names the connection it wants. `reserve` is asked, on the loop's thread, when there is a
  // new one: which socket will it become? If there cannot be one, the call fails, and the connection waits for the
  // next.
  struct Want {
    std::optional<uint64_t> sequence = {};
    std::function<base::Result<std::shared_ptr<SocketObserver>>()> reserve = {};
  };
  AcceptOperation(const OperationBase& base, Want want, Done done)
      : OperationOf(base, Side::kRead, std::move(done)), want_(std::move(want)) {}

  const char* verb() const override { return "accept"; }
  Progress Try(Socket& socket) override;
  void Settle(Socket& socket) override;
  void Fail(Socket& socket, base::Error error) override;

 private:
  // As of ReceiveOperation.
  bool Begin(Socket& socket);
  // Takes one from the kernel.
  Progress Take(Socket& socket);

  const Want want_;
  bool begun_ = false;
};

struct ShutdownResult {
  bool timed_out = false;
};

// Stands in the write queue, so that it cannot overtake data. (wasmtime PR 9225.)
class ShutdownOperation final : public OperationOf<ShutdownResult> {
 public:
  ShutdownOperation(const OperationBase& base, int how, Done done)
      : OperationOf(base, Side::kWrite, std::move(done)), how_(how) {}

  const char* verb() const override { return "shutdown"; }
  Progress Try(Socket& socket) override;

 private:
  const int how_;
};

}  // namespace socketeer::net
