#include "server/registry/answers.h"

#include <utility>

namespace socketeer::registry {

Answers::Claim Answers::TryClaim(const std::string& request_id, uint64_t fingerprint, Answer* answer, uint64_t who,
                                 Joined joined) {
  std::lock_guard lock(mutex_);
  const auto [found, first] = entries_.try_emplace(request_id);
  Entry& entry = found->second;
  if (first) {
    entry.fingerprint = fingerprint;
    return Claim::kRun;
  }
  if (entry.fingerprint != fingerprint) return Claim::kReused;
  if (entry.running) {
    entry.joined.emplace(who, std::move(joined));
    return Claim::kJoined;
  }
  *answer = entry.answer;
  return Claim::kAnswered;
}

void Answers::Leave(const std::string& request_id, uint64_t who) {
  std::lock_guard lock(mutex_);
  if (const auto found = entries_.find(request_id); found != entries_.end()) found->second.joined.erase(who);
}

void Answers::Settle(const std::string& request_id, Answer answer) {
  std::map<uint64_t, Joined> joined;
  {
    std::lock_guard lock(mutex_);
    Entry& entry = entries_.at(request_id);
    entry.running = false;
    entry.answer = answer;
    joined.swap(entry.joined);
    bytes_ += SizeOf(request_id, entry);
    settled_.push_back(request_id);
    Evict();
  }
  for (const auto& [who, each] : joined) each(&answer);
}

void Answers::Forget(const std::string& request_id) {
  std::map<uint64_t, Joined> joined;
  {
    std::lock_guard lock(mutex_);
    const auto found = entries_.find(request_id);
    joined.swap(found->second.joined);
    entries_.erase(found);
  }
  for (const auto& [who, each] : joined) each(nullptr);
}

void Answers::Close() {
  std::lock_guard lock(mutex_);
  max_answers_ = 0;
  Evict();
}

size_t Answers::SizeOf(const std::string& request_id, const Entry& entry) {
  const Answer& answer = entry.answer;
  return request_id.size() + answer.message.size() + answer.details.size() + answer.response.size();
}

void Answers::Evict() {
  while (settled_.size() > max_answers_ || bytes_ > max_bytes_) {
    const auto oldest = entries_.find(settled_.front());
    bytes_ -= SizeOf(oldest->first, oldest->second);
    entries_.erase(oldest);
    settled_.pop_front();
  }
}

}  // namespace socketeer::registry
