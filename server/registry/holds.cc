// Who holds the session of a socket: all under the registry's mutex, so that nobody is left behind in a session that
// the socket has left, or stays there for ever.
#include <utility>

#include "server/registry/registry.h"

namespace socketeer::registry {

base::Result<SessionPtr> Registry::Hold(const RecordPtr& record, uint64_t id, Session::Holder holder) {
  std::lock_guard lock(mutex_);
  const SessionPtr& session = record->content_->session;
  if (!session->Hold(id, std::move(holder), record.get())) {
    return base::SessionGone(session->id(), CloseReasonWord(session->ended()));
  }
  return session;
}

void Registry::Release(const RecordPtr& record, uint64_t id) {
  std::lock_guard lock(mutex_);
  record->content_->session->Release(id, record.get());
}

}  // namespace socketeer::registry
