// The daemon's audit as its calls see it: whether there is one, and what has a bounded rate in it.
//
// Thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "server/audit/audit.h"
#include "server/audit/refusal_rate.h"
#include "server/base/clock.h"
#include "server/base/result.h"
#include "server/guard/guard.h"
#include "server/net/event_loop.h"
#include "server/registry/record.h"
#include "server/rpc/log.h"

namespace socketeer::rpc {

class Trail {
 public:
  // `audit` may be null. `clock` must outlive this.
  Trail(std::unique_ptr<audit::Audit> audit, const base::Clock& clock) : audit_(std::move(audit)), clock_(clock) {}
  // An empty path: there is no audit. Errors as Audit::Open().
  static base::Result<std::unique_ptr<Trail>> Open(const std::string& path, const base::Clock& clock, const Log& log);

  // Is anything written? Else nobody need make an event.
  bool on() const { return audit_ != nullptr; }
  audit::Event Begin(std::string_view event) const { return {event, clock_.WallNow()}; }
  void Record(const audit::Event& event) const { audit_->Record(event); }
  // Of somebody who is nobody to us: so many of these a second are told, and the others counted, so that who may not
  // even call cannot fill the audit.
  void RecordRefusal(audit::Event event);

  // Of somebody whom we know, a call failed: is that to be told? With how many of his before that were not; absent: no,
  // it is counted (audit/refusal_rate.h).
  std::optional<uint64_t> MayTellFailure(const std::string& identity);
  // What was left out is told by a timer of that loop, where no other line does. It is stopped before this goes; before
  // the first call.
  void TellLeftOutBy(net::EventLoop& control) { control_ = &control; }

  // --- What is no call's. No effect without an audit. ---
  void TellOfStart(const std::vector<std::string>& addresses, const std::string& policy) const;
  // In mode shadow.
  void TellOfShadow(const guard::Denial& denial);
  // `what`: "policy". `message`: what is in force now, or why it is not what it should be. `sockets`: so many are open.
  void TellOfReload(const char* what, bool ok, std::string_view message, size_t sockets) const;
  // `by`: who ended it; null: nobody, or nobody knows.
  void TellOfSessionEnd(const registry::Session& session, size_t sockets, const registry::Closer* by) const;
  void TellOfStanding(const registry::Session& session) const;
  void TellOfClose(const registry::View& socket, const registry::Closer* by) const;
  void Reopen() const;
  // Lines that could not be written; 0 without an audit.
  uint64_t lost() const { return audit_ ? audit_->lost() : 0; }
  // The last line. What is not written by then is lost.
  void Stop();

 private:
  void TellLeftOut();

  const std::unique_ptr<audit::Audit> audit_;
  const base::Clock& clock_;
  audit::RefusalRate failures_;
  net::EventLoop* control_ = nullptr;
  std::atomic<bool> will_tell_{false};  // the timer is set
  std::mutex mutex_;                    // guards all below
  base::MonotonicTime second_{};
  uint32_t told_ = 0;      // refusals in that second
  uint64_t left_out_ = 0;  // since the last that was told
};

}  // namespace socketeer::rpc
