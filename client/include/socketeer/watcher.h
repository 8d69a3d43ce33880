// What happens to a daemon's sockets.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "socketeer/call_options.h"
#include "socketeer/v1/watch.pb.h"

namespace socketeer {

namespace internal {
class Connection;
}

// A reader of changes, made by Host::Watch. Move-only; for one thread, and ended from others by the Cancellation that
// it was given.
//
//   socketeer::Watcher watcher = host.Watch();
//   for (auto answer = watcher.Next(); answer.ok(); answer = watcher.Next()) {
//     for (const socketeer::v1::SocketChange& change : answer->changes()) Apply(change);
//   }
class Watcher {
 public:
  Watcher(Watcher&& other) noexcept;
  Watcher& operator=(Watcher&& other) noexcept;
  ~Watcher();

  // Waits for what the daemon tells next. An answer may be without changes: the watch stands. Errors:
  //   kUnreachable, kDraining  the connection broke, or there was none. Call again to go on behind revision(): nothing
  //                            is missed and nothing comes twice. It pauses before it tries, and how often is up to you
  //   REVISION_TOO_OLD         (ReasonOf) the daemon no longer knows what came behind revision(), or it was started
  //   anew:
  //                            begin again with Host::Watch()
  //   kCancelled               the caller gave up
  absl::StatusOr<v1::WatchSocketsResponse> Next();

  // Everything up to it was told. Nullopt until the snapshot is complete: then there is nothing to go on from, and a
  // Next after a failure begins with a snapshot.
  std::optional<uint64_t> revision() const;

 private:
  friend class Host;
  struct Stream;

  Watcher(std::shared_ptr<internal::Connection> connection, std::optional<uint64_t> revision,
          Cancellation* cancellation);

  v1::WatchSocketsRequest request_;  // to go on with
  std::unique_ptr<Stream> stream_;
};

}  // namespace socketeer
