// How long sockets live: session_service.proto.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "socketeer/call_options.h"
#include "socketeer/host.h"
#include "socketeer/v1/session_service.pb.h"

namespace socketeer {

// Holds the lease of a session while Next() waits, made by Host::HoldSession. Move-only; for one thread, and ended from
// others by the Cancellation that it was given.
class SessionHold {
 public:
  SessionHold(SessionHold&& other) noexcept;
  SessionHold& operator=(SessionHold&& other) noexcept;
  ~SessionHold();

  // Waits for news. The session: from now on it is held. An error: it no longer is.
  //   kUnreachable, kDraining           the connection broke, or there was none. Call again to hold it again: it pauses
  //                                     before it tries, and the session lives until its lease runs out
  //   SESSION_ENDED, SESSION_NOT_FOUND  (ReasonOf) it is over
  //   kCancelled                        the caller gave up
  absl::StatusOr<v1::Session> Next();

 private:
  friend class Host;
  struct Stream;

  SessionHold(std::shared_ptr<internal::Connection> connection, std::string_view session, Cancellation* cancellation);

  v1::HoldSessionRequest request_;
  std::unique_ptr<Stream> stream_;
};

// A session that lives as long as this object, made by Host::CreateSession: a thread of its own holds the lease, again
// after the connection broke; the destructor ends the session, and so closes its sockets, best effort, within a second.
// If the program dies, they close when the lease runs out. Move-only.
//
//   absl::StatusOr<socketeer::Session> session = host.CreateSession();
//   absl::StatusOr<socketeer::RemoteSocket> socket = session->host().Open(request);
//
// Held may be called from any thread; everything else needs the object for itself.
class Session {
 public:
  Session(Session&& other) noexcept;
  Session& operator=(Session&& other) noexcept;
  ~Session();

  // "sessions/{id}".
  const std::string& name() const { return session_.name(); }
  // The session as it was made.
  const v1::Session& session() const { return session_; }
  // The daemon, with calls made in this session. It may outlive this object, the session will not.
  const Host& host() const { return host_; }

  // OK while the session is held, and from the beginning. kUnreachable or kDraining: the connection broke, and it is
  // tried to hold it again, until the object ends. Anything else is the last word, such as SESSION_ENDED.
  absl::Status Held() const;

  // Closes the sockets and ends the session; the answer is how it was last. The object owns nothing afterwards, unless
  // the daemon could not be reached.
  absl::StatusOr<v1::Session> End(const CallOptions& options = {});
  // The session outlives the object, for as long as its lease.
  void Release() { owned_ = false; }

 private:
  friend class Host;
  class Keeper;

  Session(Host host, v1::Session session);
  void EndIfOwned();

  Host host_;
  v1::Session session_;
  std::unique_ptr<Keeper> keeper_;  // null after a move
  bool owned_ = true;
};

}  // namespace socketeer
