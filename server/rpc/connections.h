// The daemon's own listeners, and who is at the other end of each control connection.
//
// We accept ourselves and hand the descriptors to gRPC: so the peer's uid is known, the number of connections is
// bounded, and a daemon that ran out of descriptors serves again when there are some (gRPC's listener would stay deaf).
// gRPC names a connection by its descriptor, "fd:N"; N is taken from a rotating range, so that it does not soon mean
// somebody else. One with TLS it names by the peer's address, so at any time one connection has an address.
#pragma once

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "server/base/clock.h"
#include "server/base/counters.h"
#include "server/base/fd.h"
#include "server/base/result.h"
#include "server/net/event_loop.h"
#include "server/rpc/fair_queue.h"
#include "server/rpc/listener.h"

namespace socketeer::rpc {

// Each connection is pinged this often. A third of the shortest lease, and of what a caller's death may go unnoticed.
inline constexpr std::chrono::milliseconds kPingInterval{333};
// One that does not answer them for so long, or does not take what is sent to it, is cut. Leases, which may be shorter,
// look by themselves.
inline constexpr std::chrono::milliseconds kPingTimeout{20'000};

// What a connection alone says of who is there.
enum class Transport { kUnknown, kUnix, kPlainTcp, kTls };
struct Peer {
  Transport transport = Transport::kUnknown;
  std::string identity;     // "" when the connection does not say it: over TLS the certificate does
  uint64_t connection = 0;  // unique among those that are open
  bool over_limit = false;  // its connection is one too many: its calls are refused, which tells it why
  bool proven = false;      // it keeps its place
  std::shared_ptr<const std::string> address{};  // for people: "unix:uid=0,pid=42", "127.0.0.1:40123"
};

// Since the daemon serves.
struct ConnectionCounters {
  base::Counter accepted;
  base::Counter over_limit;  // of them: one too many, which is told so by its calls, or closed at once
  base::Counter cut_off;     // who had proven nothing gave way to a new one
};

class Connections {
 public:
  // Connections get descriptors from `first_fd` up to `end_fd`. The loop must outlive this object, and be stopped
  // before it is destroyed.
  Connections(net::EventLoop& loop, uint32_t max_connections, int first_fd, int end_fd);
  ~Connections();

  // Before the loop runs. `server` must outlive the loop's run. With `tls`, every TCP listener's connections go there.
  using TlsAcceptor = std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor>;
  base::Status Serve(std::vector<Listener> listeners, grpc::Server* server, TlsAcceptor tls);
  // No more connections are accepted, and the listeners' paths are gone. On the loop's thread.
  void StopListening();

  // Who is there, by grpc::ServerContext::peer() of a call. Any thread.
  Peer PeerOf(const std::string& peer);
  // A caller over it has said who he is, and was believed: it keeps its place from now on. Any thread.
  void Prove(uint64_t connection);
  // The last proof that somebody lives at the other end: a time that is past, or absent when the connection is closed
  // or says nothing now. Any thread.
  std::optional<base::MonotonicTime> Heard(uint64_t connection);
  // How many connections are open. Any thread.
  uint32_t Count();
  // Any thread.
  const ConnectionCounters& counters() const { return counters_; }

 private:
  class Acceptor;
  struct Connection {
    uint64_t socket = 0;  // the inode: tells this connection from a later one with the same number
    Peer peer;
    std::string name{};    // gRPC's, of one with TLS
    std::string source{};  // of that, see eviction.h
  };

  // One with TLS waits for its turn, and others for nothing: who makes many handshakes must not keep others waiting.
  void Queue(base::Fd accepted);
  void AdmitNext();
  void Admit(base::Fd accepted);
  void HandOver(int fd, bool tls);
  // A descriptor in the range; -1 when there is none.
  int Renumber(int fd);
  void ForgetClosed();  // precondition, here and below: mutex_ held
  bool HasRoom() const;
  bool IsOpen(int fd) const;
  using Found = std::unordered_map<int, Connection>::iterator;
  Found Find(const std::string& peer);
  // Forgets those that are closed, or else cuts off one of those who have proven nothing.
  void MakeRoom();
  void CutOffOne();
  void Forget(int fd);

  net::EventLoop& loop_;
  const uint32_t max_connections_;
  const int first_fd_;
  const int end_fd_;
  int next_fd_;
  grpc::Server* server_ = nullptr;
  TlsAcceptor tls_;
  std::vector<std::unique_ptr<Acceptor>> acceptors_;
  FairQueue queue_;                          // the loop's
  base::MonotonicTime looked_for_closed_{};  // the loop's
  ConnectionCounters counters_;

  std::mutex mutex_;
  std::unordered_map<int, Connection> connections_;  // guarded by mutex_
  std::unordered_map<std::string, int> by_name_;     // those with TLS; guarded by mutex_
  uint32_t over_limit_ = 0;                          // of them; guarded by mutex_
};

}  // namespace socketeer::rpc
