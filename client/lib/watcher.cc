#include "socketeer/watcher.h"

#include <utility>

#include "client/lib/answer_stream.h"
#include "socketeer/host.h"
#include "socketeer/status_macros.h"

namespace socketeer {
namespace {

using WatchService = v1::SocketService::StubInterface;

}  // namespace

struct Watcher::Stream {
  internal::AnswerStream<WatchService, v1::WatchSocketsRequest, v1::WatchSocketsResponse> answers;
};

Watcher::Watcher(std::shared_ptr<internal::Connection> connection, std::optional<uint64_t> revision,
                 Cancellation* cancellation)
    : stream_(new Stream{{connection, connection->stubs().sockets, &WatchService::WatchSockets, cancellation}}) {
  if (revision.has_value()) request_.set_revision(*revision);
}

Watcher::Watcher(Watcher&& other) noexcept = default;
Watcher& Watcher::operator=(Watcher&& other) noexcept = default;
Watcher::~Watcher() = default;

absl::StatusOr<v1::WatchSocketsResponse> Watcher::Next() {
  SOCKETEER_ASSIGN_OR_RETURN(v1::WatchSocketsResponse response, stream_->answers.Next(request_));
  if (response.revision() != 0) request_.set_revision(response.revision());
  return response;
}

std::optional<uint64_t> Watcher::revision() const {
  return request_.has_revision() ? std::optional<uint64_t>(request_.revision()) : std::nullopt;
}

Watcher Host::Watch(std::optional<uint64_t> revision, const CallOptions& options) const {
  return Watcher(connection_, revision, options.cancellation);
}

}  // namespace socketeer
