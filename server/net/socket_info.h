// What is known of a socket outside its loop: values, safe to copy to any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "server/base/result.h"
#include "server/net/address.h"
#include "server/net/permit.h"
#include "server/quota/account.h"

namespace socketeer::net {

// The numbers are socketeer.v1.State's.
enum class State {
  kUnspecified = 0,
  kCreated = 1,
  kBound = 2,
  kListening = 3,
  kConnecting = 4,
  kConnected = 5,
  kDisconnected = 6,
  kClosed = 7,
};

// What socket(2) was called with.
struct SocketKind {
  int family = 0;
  int type = 0;
  int protocol = 0;
  bool dual = false;  // AF_INET6 with IPV6_V6ONLY off

  bool IsStream() const;  // a stream of bytes: SendData, ReceiveData
  bool IsInet() const;
  bool IsTcp() const { return IsInet() && IsStream(); }
  bool IsConnectionOriented() const;  // stream or seqpacket
  // "tcp4", "tcp6", "tcp", "udp4", "udp6", "udp", "unix", "unix-dgram", "unix-seqpacket".
  std::string Word() const;

  friend bool operator==(const SocketKind&, const SocketKind&) = default;
};

struct SocketInfo {
  SocketKind kind{};
  State state = State::kCreated;
  bool read_shutdown = false;
  bool write_shutdown = false;
  SocketAddress local{};
  SocketAddress peer{};

  friend bool operator==(const SocketInfo&, const SocketInfo&) = default;
};

// Counted on the loop's thread, read on any.
struct Gauges {
  std::atomic<uint64_t> bytes_sent{0};
  std::atomic<uint64_t> bytes_received{0};
  std::atomic<uint64_t> datagrams_sent{0};
  std::atomic<uint64_t> datagrams_received{0};
  std::atomic<uint64_t> accepted{0};
  std::atomic<uint64_t> retained_bytes{0};
  std::atomic<uint32_t> waiting_reads{0};
  std::atomic<uint32_t> waiting_writes{0};
};

// Follows one socket through its life; the registry's record is one. Called on the loop's thread.
class SocketObserver {
 public:
  virtual ~SocketObserver() = default;
  virtual void OnChanged(const SocketInfo& info) = 0;
  // No call reaches the socket any more. Its descriptor, and so its name, may stay for a while (SO_LINGER).
  virtual void OnClosing() {}
  // The last call: the descriptor is closed.
  virtual void OnClosed() = 0;
  virtual Gauges& gauges() = 0;
  // May the owner do that? Asked right before the system call that does it.
  virtual base::Status Permit(const Demand&) { return base::Ok(); }
  // What was permitted is so for as long as this does not change. 0: there is no policy, and all is permitted but to
  // connect to the daemon's own sockets.
  virtual uint64_t terms() const { return 0; }
  // What the owner may use, and uses; null: that is not counted. Lives as long as this.
  virtual quota::Account* account() const { return nullptr; }
  // "sockets/{id}", for errors.
  virtual const std::string& name() const = 0;
};

}  // namespace socketeer::net
