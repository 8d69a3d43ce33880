#include "server/net/resolver.h"

#include <netdb.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

namespace socketeer::net {
namespace {

// What getaddrinfo says, with these flags besides.
struct Looked {
  int failure = 0;  // EAI_...
  std::vector<SocketAddress> addresses;
};

Looked LookUp(const Resolver::Query& query, int flags) {
  addrinfo hints{};
  hints.ai_family = query.family;
  hints.ai_socktype = query.type;
  hints.ai_flags = flags | AI_NUMERICSERV | (query.both_families ? AI_V4MAPPED : 0);
  addrinfo* found = nullptr;
  const std::string port = std::to_string(query.port);
  Looked looked;
  looked.failure = getaddrinfo(query.host.c_str(), port.c_str(), &hints, &found);
  if (looked.failure != 0) return looked;
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, &freeaddrinfo);
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    auto address = SocketAddress::FromKernel(each->ai_addr, each->ai_addrlen);
    if (std::ranges::find(looked.addresses, address) == looked.addresses.end()) {
      looked.addresses.push_back(std::move(address));
    }
  }
  return looked;
}

Resolver::Answer AnswerOf(const Resolver::Query& query, Looked looked) {
  if (looked.failure == 0) return std::move(looked.addresses);
  return base::NameNotResolved(query.host, gai_strerror(looked.failure), looked.failure == EAI_AGAIN);
}

}  // namespace

Resolver::Answer Resolver::AskSystem(const Query& query) { return AnswerOf(query, LookUp(query, 0)); }

std::optional<Resolver::Answer> Resolver::Numeric(const Query& query) {
  Looked looked = LookUp(query, AI_NUMERICHOST);
  if (looked.failure == EAI_NONAME) return std::nullopt;
  return AnswerOf(query, std::move(looked));
}

Resolver::Resolver(const base::Limits& limits, Ask ask, uint32_t threads_per_identity, uint32_t threads)
    : max_places_(limits.max_resolutions),
      max_places_per_identity_(limits.max_resolutions_per_identity),
      max_asking_per_identity_(threads_per_identity),
      max_workers_(threads),
      ask_(std::move(ask)),
      pool_(threads) {}

Resolver::~Resolver() {
  std::deque<Waiting> dropped;  // torn down without the lock
  std::lock_guard lock(mutex_);
  stopping_ = true;
  turns_.clear();
  for (auto& [identity, lane] : lanes_) {
    std::ranges::move(lane.waiting, std::back_inserter(dropped));
    lane.waiting.clear();
  }
}

std::optional<base::Error> Resolver::Refusal(const std::string& identity) const {
  if (const auto lane = lanes_.find(identity); lane != lanes_.end()) {
    if (lane->second.waiting.size() + lane->second.asking >= max_places_per_identity_) {
      return base::LimitReached("max_resolutions_per_identity", max_places_per_identity_);
    }
  }
  if (places_ >= max_places_) return base::LimitReached("max_resolutions", max_places_);
  return std::nullopt;
}

void Resolver::Resolve(const Asker& asker, Query query, Done done) {
  bool more_work = false;
  std::optional<base::Error> refusal;
  {
    std::lock_guard lock(mutex_);
    refusal = Refusal(asker.identity);
    if (!refusal) {
      const auto lane = lanes_.try_emplace(asker.identity).first;
      lane->second.waiting.push_back({asker.call, std::move(query), std::move(done)});
      ++places_;
      Settle(lane);
      more_work = !turns_.empty() && workers_ < max_workers_;
      if (more_work) ++workers_;
    }
  }
  if (refusal) return std::move(done)(*std::move(refusal));
  if (more_work) pool_.Run([this] { Work(); });
}

void Resolver::Forget(const Asker& asker) {
  std::optional<Waiting> forgotten;  // torn down without the lock: it may hold the last share in its call's things
  std::lock_guard lock(mutex_);
  const auto lane = lanes_.find(asker.identity);
  if (lane == lanes_.end()) return;
  auto& waiting = lane->second.waiting;
  const auto found = std::ranges::find(waiting, asker.call, &Waiting::call);
  if (found == waiting.end()) return;
  forgotten.emplace(std::move(*found));
  waiting.erase(found);
  --places_;
  Settle(lane);
}

// The lane has changed: it may ask or not, or is not needed any more.
void Resolver::Settle(Lanes::iterator lane) {
  Lane& its = lane->second;
  const bool may_ask = !stopping_ && !its.waiting.empty() && its.asking < max_asking_per_identity_;
  if (may_ask && !its.has_turn) turns_.push_back(lane);
  if (!may_ask && its.has_turn) std::erase(turns_, lane);
  its.has_turn = may_ask;
  if (its.waiting.empty() && its.asking == 0) lanes_.erase(lane);
}

std::optional<std::pair<Resolver::Lanes::iterator, Resolver::Waiting>> Resolver::TakeNext() {
  if (turns_.empty()) return std::nullopt;
  const auto lane = turns_.front();
  turns_.pop_front();
  lane->second.has_turn = false;
  ++lane->second.asking;
  std::pair taken{lane, std::move(lane->second.waiting.front())};
  lane->second.waiting.pop_front();
  Settle(lane);  // behind the others
  return taken;
}

// One thread, as long as there is something that it may ask: then whoever makes that so starts one.
void Resolver::Work() {
  std::unique_lock lock(mutex_);
  while (auto next = TakeNext()) {
    lock.unlock();
    auto& [lane, query] = *next;
    Answer answer = ask_(query.query);
    lock.lock();
    --lane->second.asking;
    --places_;
    Settle(lane);
    lock.unlock();
    std::move(query.done)(std::move(answer));
    next.reset();  // what it holds may be torn down without the lock only
    lock.lock();
  }
  --workers_;
}

}  // namespace socketeer::net
