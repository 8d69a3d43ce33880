// The daemon's own listeners, and who is at the other end of each control connection.
//
// We accept ourselves and hand the descriptors to gRPC: so the peer's uid is known, the number of connections is
// bounded, and a daemon that ran out of descriptors serves again when there are some (gRPC's listener would stay deaf).
// gRPC names a connection by its descriptor, "fd:N"; N is taken from a rotating range, so that it does not soon mean
// somebody else.
#pragma once

#include <grpcpp/server.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "server/base/clock.h"
#include "server/base/fd.h"
#include "server/base/result.h"
#include "server/net/event_loop.h"
#include "server/rpc/listener.h"

namespace socketeer::rpc {

// Each connection is pinged this often. A third of the shortest lease, and of what a caller's death may go unnoticed.
inline constexpr std::chrono::milliseconds kPingInterval{333};

struct Caller {
  std::string identity;     // "" when it is not known
  uint64_t connection = 0;  // unique among those that are open
  bool over_limit = false;  // its connection is one too many: its calls are refused, which tells it why
};

class Connections {
 public:
  // Connections get descriptors from `first_fd` up to `end_fd`. The loop must outlive this object, and be stopped
  // before it is destroyed.
  Connections(net::EventLoop& loop, uint32_t max_connections, int first_fd, int end_fd);
  ~Connections();

  // Before the loop runs. `server` must outlive the loop's run.
  base::Status Serve(std::vector<Listener> listeners, grpc::Server* server);
  // No more connections are accepted, and the listeners' paths are gone. On the loop's thread.
  void StopListening();

  // Who calls, by grpc::ServerContext::peer(). Any thread.
  Caller CallerOf(const std::string& peer);
  // The last proof that somebody lives at the other end: a time that is past, or absent when the connection is closed
  // or says nothing now. Any thread.
  std::optional<base::MonotonicTime> Heard(uint64_t connection);
  // How many connections are open. Any thread.
  uint32_t Count();

 private:
  class Acceptor;
  struct Connection {
    uint64_t socket = 0;  // the inode: tells this connection from a later one with the same number
    Caller caller;
  };

  void Admit(base::Fd accepted, std::string identity);
  // A descriptor in the range; -1 when there is none.
  int Renumber(int fd);
  void ForgetClosed();  // precondition, here and below: mutex_ held
  bool HasRoom() const;

  net::EventLoop& loop_;
  const uint32_t max_connections_;
  const int first_fd_;
  const int end_fd_;
  int next_fd_;
  grpc::Server* server_ = nullptr;
  std::vector<std::unique_ptr<Acceptor>> acceptors_;

  std::mutex mutex_;
  std::unordered_map<int, Connection> connections_;  // guarded by mutex_
  uint32_t over_limit_ = 0;                          // of them; guarded by mutex_
};

}  // namespace socketeer::rpc
