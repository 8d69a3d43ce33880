// A port that the probe opens itself on the host to be reached, so that what arrives there is known.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "socketeer/host.h"
#include "socketeer/v1/endpoint.pb.h"

namespace socketeer::probe {

enum class Protocol { kTcp, kUdp };

// Takes connections, or datagrams, from as many as come, and answers each token that it issued with the word that goes
// with it. Thread-safe, but for the destructor, which closes all.
class FarEnd {
 public:
  // What one probe sends, and what it must get for it: random, so that nobody else can have said it.
  struct Words {
    std::string token;
    std::string reply;
  };

  // Binds to `at`, whose name (or address that is not the host's own: it is translated on the way) stands for every
  // address of the host. EADDRINUSE: somebody else has the port.
  static absl::StatusOr<std::unique_ptr<FarEnd>> Open(const Host& host, const v1::Endpoint& at, Protocol protocol,
                                                      const CallOptions& calls);

  FarEnd(RemoteSocket socket, Protocol protocol);
  FarEnd(const FarEnd&) = delete;
  FarEnd& operator=(const FarEnd&) = delete;
  ~FarEnd();

  // Words that no far end knows.
  static Words NewWords();
  Words Issue();
  // Whether the token came; if so, whether the reply could be sent.
  std::optional<absl::Status> Arrival(const std::string& token) const;
  // Whether a connection came from that address.
  bool HasPeer(const std::string& address) const;
  // Why it no longer answers; OK: it does.
  absl::Status Health() const;

 private:
  void Accept();
  void Serve(RemoteSocket socket);
  void Answer();
  // The reply; nullopt: it is no token of this far end.
  std::optional<std::string> Take(const std::string& token);
  void NoteReply(const std::string& token, const absl::Status& status);
  void End(const absl::Status& status);

  RemoteSocket socket_;
  Cancellation over_;
  mutable std::mutex mutex_;
  std::map<std::string, std::string> issued_;    // reply by token
  std::map<std::string, absl::Status> arrived_;  // by token: of its reply
  std::set<std::string> peers_;
  absl::Status health_;
  std::vector<std::thread> served_;  // of the thread below, then the destructor's
  std::thread thread_;
};

}  // namespace socketeer::probe
