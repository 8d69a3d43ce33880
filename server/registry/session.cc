#include "server/registry/session.h"

#include <utility>

#include "server/base/limits.h"

namespace socketeer::registry {

const char* CloseReasonWord(CloseReason reason) {
  switch (reason) {
    case CloseReason::kNone:
      break;
    case CloseReason::kOwner:
      return "OWNER";
    case CloseReason::kSessionEnded:
      return "SESSION_ENDED";
    case CloseReason::kLeaseExpired:
      return "LEASE_EXPIRED";
    case CloseReason::kDraining:
      return "DRAINING";
  }
  return "UNSPECIFIED";
}

Session::Session(std::string id, std::string owner, Terms terms, base::WallTime create_time, base::MonotonicTime now,
                 quota::AccountPtr account, quota::Hold place)
    : id_(std::move(id)),
      name_("sessions/" + id_),
      owner_(std::move(owner)),
      terms_(terms),
      create_time_(create_time),
      account_(std::move(account)),
      alive_(now),
      answers_(base::kMaxRememberedRequests, base::kMaxRememberedAnswerBytes),
      place_(std::move(place)) {}

void Session::Renew(base::MonotonicTime alive) {
  base::MonotonicTime known = alive_.load();
  while (known < alive && !alive_.compare_exchange_weak(known, alive)) {
  }
}

base::MonotonicTime Session::Expires() const { return alive_.load() + terms_.ttl; }

bool Session::Hold(uint64_t id, Holder holder, Reason socket) {
  std::lock_guard lock(mutex_);
  if (ended() != CloseReason::kNone) return false;
  holders_.emplace(std::pair(socket, id), std::move(holder));
  return true;
}

void Session::Release(uint64_t id, Reason socket) {
  std::lock_guard lock(mutex_);
  holders_.erase({socket, id});
}

std::vector<Session::Ender> Session::MoveHolders(Reason socket, Session& to) {
  std::vector<std::pair<uint64_t, Holder>> moved;
  {
    std::lock_guard lock(mutex_);
    const auto first = holders_.lower_bound({socket, 0});
    auto last = first;
    for (; last != holders_.end() && last->first.first == socket; ++last) {
      moved.emplace_back(last->first.second, std::move(last->second));
    }
    holders_.erase(first, last);
  }
  std::vector<Ender> refused;
  for (auto& [id, holder] : moved) {
    if (!to.Hold(id, holder, socket)) refused.push_back(std::move(holder.end));
  }
  return refused;
}

size_t Session::holders() const {
  std::set<uint64_t> found;
  std::lock_guard lock(mutex_);
  for (const auto& [key, holder] : holders_) found.insert(key.second);
  return found.size();
}

std::set<uint64_t> Session::connections() const {
  std::set<uint64_t> found;
  std::lock_guard lock(mutex_);
  for (const auto& [key, holder] : holders_) {
    if (!holder.unproven || !holder.unproven->load()) found.insert(holder.connection);
  }
  return found;
}

std::vector<Session::Ender> Session::End(CloseReason why) {
  std::vector<Ender> ends;
  answers_.Close();  // memories of closed sockets keep the session for long
  std::lock_guard lock(mutex_);
  if (ended() != CloseReason::kNone) return ends;
  ended_.store(why);
  place_.GiveBack();
  for (auto& [key, holder] : holders_) ends.push_back(std::move(holder.end));
  holders_.clear();
  return ends;
}

}  // namespace socketeer::registry
