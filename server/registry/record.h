// One socket, as the registry knows it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/clock.h"
#include "server/base/random.h"
#include "server/net/shard.h"
#include "server/registry/grants.h"
#include "server/registry/labels.h"
#include "server/registry/session.h"

namespace socketeer::registry {

class Registry;

// What changes about a socket. Never changed itself: each change makes a new one, which the log of changes shares.
struct Content {
  net::SocketInfo info;
  Labels labels;
  SessionPtr session;
  CloseReason close_reason = CloseReason::kNone;
  base::WallTime close_time;  // with a reason
};
using ContentPtr = std::shared_ptr<const Content>;

// Everything about a socket at one moment: a value.
struct View {
  std::string name;  // "sockets/{id}"
  std::string uid;
  std::string owner;
  Labels labels;
  base::WallTime create_time;
  net::SocketInfo info;
  std::string session;  // "sessions/{id}"
  CloseReason close_reason = CloseReason::kNone;
  base::WallTime close_time;  // with a reason
  uint64_t bytes_sent = 0;
  uint64_t bytes_received = 0;
  uint64_t datagrams_sent = 0;
  uint64_t datagrams_received = 0;
  uint64_t accepted = 0;
  uint64_t retained_bytes = 0;
  uint32_t waiting_reads = 0;
  uint32_t waiting_writes = 0;
  Access access = Access::kOwn;  // of whoever looks
  std::vector<Grant> grants{};   // if they were asked for: those that he may see
};

// By whom a socket is closed, for the audit.
struct Closer {
  std::string caller;  // where the call came from
  std::string request_id;
};

// Shared by the registry, the socket (which tells it what happens), and calls under way. The constant part may be read
// by any thread; the rest belongs to the registry and is under its mutex. The registry must outlive it.
class Record final : public net::SocketObserver, public std::enable_shared_from_this<Record> {
 public:
  // Owned by the session's owner, for ever.
  Record(Registry& registry, const std::string& id, const base::Uid& uid, SessionPtr session, Labels labels,
         base::WallTime create_time, net::Shard* shard, net::SocketHandle handle)
      : registry_(registry),
        name_(kPrefix + id),
        uid_(uid),
        owner_(session->owner()),
        account_(session->account()),
        create_time_(create_time),
        shard_(shard),
        handle_(handle),
        content_(std::make_shared<Content>(
            Content{.info = {}, .labels = std::move(labels), .session = std::move(session), .close_time = {}})) {}

  std::string id() const { return std::string(key()); }
  std::string_view key() const { return std::string_view(name_).substr(sizeof(kPrefix) - 1); }  // the id
  const std::string& name() const override { return name_; }
  std::string uid() const { return base::TextOf(uid_); }
  const std::string& owner() const { return owner_; }
  net::Shard& shard() const { return *shard_; }
  net::SocketHandle handle() const { return handle_; }
  net::Gauges& gauges() override { return gauges_; }
  base::Status Permit(const net::Demand& demand) override;
  uint64_t terms() const override;
  quota::Account* account() const override { return account_.get(); }

  // On the shard's thread.
  void OnChanged(const net::SocketInfo& info) override;
  void OnClosing() override;
  void OnClosed() override;

 private:
  friend class Registry;
  static constexpr char kPrefix[] = "sockets/";
  enum class Phase {
    kReserved,   // the name is taken, the socket is being made: nobody sees it
    kPublished,  // there
    kClosing,    // the name is still taken, but no call reaches it: for callers it is closed
    kGone,       // closed, or never came to be
  };

  Registry& registry_;
  const std::string name_;
  const base::Uid uid_;
  const std::string owner_;
  const quota::AccountPtr account_;
  const base::WallTime create_time_;
  net::Shard* const shard_;
  const net::SocketHandle handle_;
  net::Gauges gauges_;

  // Guarded by the registry's mutex.
  Phase phase_ = Phase::kReserved;
  quota::Hold place_;                         // among the owner's sockets, until it is gone
  CloseReason closing_ = CloseReason::kNone;  // why it is about to be closed
  std::unique_ptr<const Closer> closer_;      // with closing_; may be null
  ContentPtr content_;
  std::unique_ptr<Grants> grants_;  // null: it is not shared; of a closed socket those that it had
};

using RecordPtr = std::shared_ptr<Record>;

}  // namespace socketeer::registry
