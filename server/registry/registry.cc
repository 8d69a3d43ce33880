#include "server/registry/registry.h"

#include <algorithm>
#include <utility>

#include "server/base/random.h"
#include "server/registry/transaction.h"

namespace socketeer::registry {

bool IsSocketId(std::string_view id) {
  if (id.empty() || id.size() > 63 || id[0] < 'a' || id[0] > 'z') return false;
  return std::ranges::all_of(id, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
}

void Record::OnChanged(const net::SocketInfo& info) { registry_.Changed(*this, info); }
base::Status Record::Permit(const net::Demand& demand) {
  return registry_.guard_ == nullptr ? base::Ok()
                                     : registry_.guard_->Judge(demand.by == nullptr ? owner_ : *demand.by, demand);
}
uint64_t Record::terms() const { return registry_.guard_ == nullptr ? 0 : registry_.guard_->terms(); }
void Record::OnClosing() { registry_.Closing(*this); }
void Record::OnClosed() { registry_.Gone(*this); }

Registry::Registry(const base::Limits& limits, const base::Clock& clock, guard::Guard* guard)
    : limits_(limits),
      clock_(clock),
      guard_(guard),
      // From the wall clock: so that revisions grow over the daemon's restarts, at less than one change in a
      // microsecond.
      log_(static_cast<uint64_t>(
               std::chrono::duration_cast<std::chrono::microseconds>(clock.WallNow().time_since_epoch()).count()),
           limits.max_remembered_changes) {}

base::Result<RecordPtr> Registry::Reserve(const std::string& id, const SessionPtr& session, Labels labels,
                                          net::Shard* shard, net::SocketHandle handle) {
  if (!id.empty() && !IsSocketId(id)) {
    return base::InvalidField("socket_id", id, "[a-z][a-z0-9-]{0,62}");
  }
  if (auto status = CheckLabels(labels, limits_, "labels"); !status.ok()) {
    return std::move(status).error();
  }
  auto record = std::make_shared<Record>(*this, id.empty() ? base::RandomSocketId() : id, base::RandomUid(), session,
                                         std::move(labels), clock_.WallNow(), shard, handle);
  std::lock_guard lock(mutex_);
  if (sockets_.contains(record->key())) return base::SocketExists(record->id());
  if (sockets_.size() >= limits_.max_sockets) {
    return base::LimitReached("max_sockets", limits_.max_sockets);
  }
  if (record->account_) {
    auto taken = record->account_->Take(quota::Count::kSockets);
    if (!taken.ok()) return std::move(taken).error();
    record->place_ = *std::move(taken);
  }
  sockets_.emplace(record->key(), record);
  return record;
}

base::Status Registry::Publish(const RecordPtr& record, const SessionPtr& elsewhere) {
  std::vector<Appeared> told;
  {
    const Transaction transaction(*this);
    if (record->phase_ != Record::Phase::kReserved) return base::Ok();
    if (elsewhere && elsewhere != record->content_->session) {
      auto content = std::make_shared<Content>(*record->content_);
      content->session = elsewhere;
      record->content_ = std::move(content);
    }
    Session& session = *record->content_->session;
    if (const CloseReason ended = session.ended(); ended != CloseReason::kNone) {
      return base::SessionEnded(session.name(), CloseReasonWord(ended));
    }
    record->phase_ = Record::Phase::kPublished;
    session.sockets().fetch_add(1);
    counters_.opened.Add();
    Log(ChangeKind::kOpened, *record);
    told = TakeNameWaiters(*record, record->owner());
  }
  for (const Appeared& appeared : told) appeared(record);
  return base::Ok();
}

void Registry::Abandon(const RecordPtr& record) {
  std::lock_guard lock(mutex_);
  if (record->phase_ != Record::Phase::kReserved) return;
  record->phase_ = Record::Phase::kGone;
  record->place_.GiveBack();
  sockets_.erase(record->key());
}

base::Result<RecordPtr> Registry::Find(const std::string& id, const std::string& uid, const std::string& identity,
                                       Access need) {
  std::lock_guard lock(mutex_);
  const auto found = sockets_.find(id);
  const bool visible = found != sockets_.end() && found->second->phase_ == Record::Phase::kPublished &&
                       AccessOf(*found->second, identity) != Access::kNone;
  if (visible) {
    if (!uid.empty() && uid != found->second->uid()) return base::UidMismatch(id, uid);
    if (auto status = Check(*found->second, identity, need); !status.ok()) return std::move(status).error();
    return found->second;
  }
  const auto closed = closed_.find(id);
  if (closed != closed_.end() && AccessOf(*closed->second.record, identity) != Access::kNone &&
      (uid.empty() || uid == closed->second.record->uid())) {
    return base::SocketGone(id, CloseReasonWord(closed->second.record->content_->close_reason));
  }
  return base::SocketNotFound(id);
}

std::optional<View> Registry::FindClosed(const std::string& id, const std::string& uid, const std::string& identity) {
  std::lock_guard lock(mutex_);
  const auto closed = closed_.find(id);
  if (closed == closed_.end()) return std::nullopt;
  const Record& record = *closed->second.record;
  const bool visible = AccessOf(record, identity) != Access::kNone;
  if (!visible || (!uid.empty() && uid != record.uid())) return std::nullopt;
  return ViewFor(record, *record.content_, identity);
}

View Registry::Look(const RecordPtr& record) {
  std::lock_guard lock(mutex_);
  return ViewOf(*record, *record->content_);
}

net::SocketKind Registry::KindOf(const RecordPtr& record) {
  std::lock_guard lock(mutex_);
  return record->content_->info.kind;
}

SessionPtr Registry::SessionOf(const RecordPtr& record) {
  std::lock_guard lock(mutex_);
  return record->content_->session;
}

View Registry::ViewOf(const Record& record, const Content& content) {
  const net::Gauges& gauges = record.gauges_;
  constexpr auto relaxed = std::memory_order_relaxed;
  return View{.name = record.name_,
              .uid = record.uid(),
              .owner = record.owner_,
              .labels = content.labels,
              .create_time = record.create_time_,
              .info = content.info,
              .session = content.session->name(),
              .close_reason = content.close_reason,
              .close_time = content.close_time,
              .bytes_sent = gauges.bytes_sent.load(relaxed),
              .bytes_received = gauges.bytes_received.load(relaxed),
              .datagrams_sent = gauges.datagrams_sent.load(relaxed),
              .datagrams_received = gauges.datagrams_received.load(relaxed),
              .accepted = gauges.accepted.load(relaxed),
              .retained_bytes = gauges.retained_bytes.load(relaxed),
              .waiting_reads = gauges.waiting_reads.load(relaxed),
              .waiting_writes = gauges.waiting_writes.load(relaxed)};
}

std::pair<std::vector<View>, bool> Registry::List(const std::string& identity, const Filter& filter,
                                                  const std::string& after, size_t limit) {
  std::vector<View> page;
  std::lock_guard lock(mutex_);
  for (auto it = sockets_.upper_bound(after); it != sockets_.end(); ++it) {
    const Record& record = *it->second;
    if (record.phase_ != Record::Phase::kPublished || AccessOf(record, identity) == Access::kNone) continue;
    const Content& content = *record.content_;
    // The caller has sessions of these names himself.
    const std::string_view session = record.owner() == identity ? std::string_view(content.session->name()) : "";
    if (!filter.Matches(content.info, content.labels, session)) continue;
    if (page.size() == limit) return {std::move(page), true};
    page.push_back(ViewFor(record, content, identity));
  }
  return {std::move(page), false};
}

base::Error Registry::GoneError(const Record& record) {
  return base::SocketGone(record.id(), CloseReasonWord(record.content_->close_reason));
}

base::Result<View> Registry::UpdateLabels(const RecordPtr& record, const std::function<void(Labels&)>& change) {
  const Transaction transaction(*this);
  if (record->phase_ != Record::Phase::kPublished) return GoneError(*record);
  auto content = std::make_shared<Content>(*record->content_);
  change(content->labels);
  if (auto status = CheckLabels(content->labels, limits_, "socket.labels"); !status.ok()) {
    return std::move(status).error();
  }
  const bool changed = content->labels != record->content_->labels;
  record->content_ = std::move(content);
  if (changed) Log(ChangeKind::kUpdated, *record);
  return ViewOf(*record, *record->content_);
}

base::Result<View> Registry::Transfer(const RecordPtr& record, const SessionPtr& session) {
  std::vector<Session::Ender> refused;
  auto view = Transfer(record, session, &refused);
  for (const Session::Ender& end : refused) end(*session);  // it ended just now
  return view;
}

base::Result<View> Registry::Transfer(const RecordPtr& record, const SessionPtr& session,
                                      std::vector<Session::Ender>* refused) {
  const Transaction transaction(*this);
  if (record->phase_ != Record::Phase::kPublished) return GoneError(*record);
  const SessionPtr from = record->content_->session;
  if (from == session) return ViewOf(*record, *record->content_);
  // A session that ends afterwards finds the socket in it; one that ended before must not get it, nor lose it: what
  // waited on it has been told to end.
  for (const SessionPtr& each : {session, from}) {
    const CloseReason ended = each->ended();
    if (ended != CloseReason::kNone) return base::SessionGone(each->id(), CloseReasonWord(ended));
  }
  if (record->closing_ != CloseReason::kNone) return base::SocketGone(record->id(), CloseReasonWord(record->closing_));
  auto content = std::make_shared<Content>(*record->content_);
  content->session = session;
  record->content_ = std::move(content);
  from->sockets().fetch_sub(1);
  session->sockets().fetch_add(1);
  *refused = from->MoveHolders(record.get(), *session);
  Log(ChangeKind::kUpdated, *record);
  return ViewOf(*record, *record->content_);
}

void Registry::WillClose(const RecordPtr& record, CloseReason why, std::unique_ptr<const Closer> closer) {
  std::lock_guard lock(mutex_);
  if (record->closing_ != CloseReason::kNone) return;
  record->closing_ = why;
  record->closer_ = std::move(closer);
}

std::vector<RecordPtr> Registry::WillCloseAll(const Session& session) {
  std::vector<RecordPtr> found;
  std::lock_guard lock(mutex_);
  for (const auto& [id, record] : sockets_) {
    if (record->phase_ != Record::Phase::kPublished || record->content_->session.get() != &session) continue;
    if (record->closing_ == CloseReason::kNone) record->closing_ = session.ended();
    found.push_back(record);
  }
  return found;
}

RecordPtr Registry::FindOrWait(const std::string& id, const std::string& uid, const std::string& identity,
                               net::WaiterId waiter, Appeared appeared) {
  std::lock_guard lock(mutex_);
  const auto found = sockets_.find(id);
  if (found != sockets_.end() && found->second->phase_ == Record::Phase::kPublished &&
      AccessOf(*found->second, identity) != Access::kNone && (uid.empty() || uid == found->second->uid())) {
    return found->second;
  }
  name_waiters_.emplace(std::pair(id, waiter),
                        NameWaiter{.uid = uid, .identity = identity, .appeared = std::move(appeared)});
  return nullptr;
}

void Registry::StopWaiting(const std::string& id, net::WaiterId waiter) {
  std::lock_guard lock(mutex_);
  name_waiters_.erase({id, waiter});
}

void Registry::EndNameWaits() {
  decltype(name_waiters_) waiters;
  {
    std::lock_guard lock(mutex_);
    waiters.swap(name_waiters_);
  }
  for (auto& [id, waiter] : waiters) waiter.appeared(nullptr);
}

size_t Registry::size() const {
  std::lock_guard lock(mutex_);
  return sockets_.size();
}

void Registry::Changed(Record& record, const net::SocketInfo& info) {
  const Transaction transaction(*this);
  if (info == record.content_->info) return;
  auto content = std::make_shared<Content>(*record.content_);
  content->info = info;
  record.content_ = std::move(content);
  if (record.phase_ == Record::Phase::kPublished) Log(ChangeKind::kUpdated, record);
}

void Registry::Closing(Record& record) {
  const bool was_there = Close(record);
  if (!was_there || !told_) return;
  std::unique_ptr<const Closer> closer;
  std::optional<View> closed;
  {
    std::lock_guard lock(mutex_);
    closer = std::move(record.closer_);
    closed = ViewOf(record, *record.content_);
  }
  told_(*closed, closer.get());
}

bool Registry::Close(Record& record) {
  const Transaction transaction(*this);
  auto content = std::make_shared<Content>(*record.content_);
  content->info.state = net::State::kClosed;
  content->close_reason = record.closing_ == CloseReason::kNone ? CloseReason::kDraining : record.closing_;
  content->close_time = clock_.WallNow();
  record.content_ = std::move(content);
  if (record.phase_ != Record::Phase::kPublished) return false;
  record.phase_ = Record::Phase::kClosing;
  counters_.closed[static_cast<size_t>(record.content_->close_reason)].Add();
  record.content_->session->sockets().fetch_sub(1);
  Log(ChangeKind::kClosed, record);
  Remember(record);
  return true;
}

void Registry::Gone(Record& record) {
  RecordPtr kept;  // outlives the lock: the map may hold the last reference
  std::lock_guard lock(mutex_);
  if (record.phase_ == Record::Phase::kGone) return;
  record.phase_ = Record::Phase::kGone;
  record.place_.GiveBack();
  const auto found = sockets_.find(record.key());
  kept = std::move(found->second);
  sockets_.erase(found);
}

void Registry::Log(ChangeKind kind, Record& record) { log_.Append(kind, record.shared_from_this(), record.content_); }

void Registry::Remember(Record& record) {
  const uint64_t number = ++closed_count_;
  closed_[record.id()] = Closed{.record = record.shared_from_this(), .number = number};
  closed_order_.emplace_back(number, record.id());
  if (closed_order_.size() <= base::kMaxClosedRemembered) return;
  const auto [oldest, id] = closed_order_.front();
  closed_order_.pop_front();
  const auto found = closed_.find(id);
  if (found != closed_.end() && found->second.number == oldest) closed_.erase(found);
}

}  // namespace socketeer::registry
