#include "server/rpc/trail.h"

#include <unistd.h>

#include <utility>

#include "server/rpc/describe.h"

namespace socketeer::rpc {
namespace {

constexpr uint32_t kRefusalsPerSecond = 100;
// After a failure that was left out, at the latest.
constexpr std::chrono::seconds kTellLeftOutAfter{5};
// Of a daemon that stops.
constexpr std::chrono::milliseconds kFinishLimit{500};

void DescribeBy(const registry::Closer* by, audit::Event* event) {
  if (by != nullptr) event->Text("caller", by->caller).Text("request_id", by->request_id);
}

}  // namespace

base::Result<std::unique_ptr<Trail>> Trail::Open(const std::string& path, const base::Clock& clock, const Log& log) {
  if (path.empty()) return std::make_unique<Trail>(nullptr, clock);
  auto audit = audit::Audit::Open(path, clock, [log](bool failure, const std::string& line) {
    log(failure ? Severity::kError : Severity::kInfo, line);
  });
  if (!audit.ok()) return std::move(audit).error();
  return std::make_unique<Trail>(*std::move(audit), clock);
}

void Trail::RecordRefusal(audit::Event event) {
  {
    std::lock_guard lock(mutex_);
    if (const base::MonotonicTime now = clock_.Now(); now - second_ >= std::chrono::seconds(1)) {
      second_ = now;
      told_ = 0;
    }
    if (told_ == kRefusalsPerSecond) {
      ++left_out_;
      return;
    }
    ++told_;
    if (left_out_ > 0) event.Number("left_out", std::exchange(left_out_, 0));
  }
  Record(event);
}

std::optional<uint64_t> Trail::MayTellFailure(const std::string& identity) {
  const auto left_out = failures_.Ask(identity, clock_.Now());
  if (!left_out && control_ != nullptr && !will_tell_.exchange(true)) {
    control_->Post([this] { control_->RunAt(control_->Now() + kTellLeftOutAfter, [this] { TellLeftOut(); }); });
  }
  return left_out;
}

void Trail::TellLeftOut() {
  will_tell_.store(false);  // first: what is left out from here on has a timer of its own
  for (const auto& each : failures_.TakeLeftOut()) {
    Record(Begin("left_out").Text("identity", each.identity).Number("count", each.count));
  }
}

void Trail::TellOfStart(const std::vector<std::string>& addresses, const std::string& policy) const {
  if (!on()) return;
  audit::Event event = Begin("start");
  event.Text("version", SOCKETEER_VERSION).Number("pid", getpid()).Texts("listen", addresses);
  Record(event.Text("policy", policy));
}

void Trail::TellOfShadow(const guard::Denial& denial) {
  if (!on()) return;
  RecordRefusal(Begin("deny")
                    .Text("result", "ALLOWED")
                    .Text("mode", "shadow")
                    .Text("identity", denial.identity)
                    .Text("request", denial.request)
                    .Text("rule", denial.rule));
}

void Trail::TellOfReload(const char* what, bool ok, std::string_view message, size_t sockets) const {
  if (!on()) return;
  audit::Event event = Begin("reload");
  event.Text("what", what).Text("result", ok ? "OK" : "FAILED").Text("message", message);
  event.Number("open_sockets", sockets);
  if (ok && std::string_view(what) == "policy") event.Text("effect", "open sockets stay; each next act is judged anew");
  Record(event);
}

void Trail::TellOfSessionEnd(const registry::Session& session, size_t sockets, const registry::Closer* by) const {
  if (!on()) return;
  audit::Event event = Begin("session_end");
  event.Text("result", "OK").Text("identity", session.owner());
  DescribeBy(by, &event);
  event.Text("session", session.name()).Text("why", CloseReasonWord(session.ended())).Number("sockets", sockets);
  Record(event.Microseconds("lifetime_us", clock_.WallNow() - session.create_time()));
}

void Trail::TellOfStanding(const registry::Session& session) const {
  if (!on()) return;
  audit::Event event = Begin("session_create");
  event.Text("result", "OK").Text("identity", session.owner()).Text("session", session.name());
  Record(event.Microseconds("ttl_us", session.terms().ttl));
}

void Trail::TellOfClose(const registry::View& socket, const registry::Closer* by) const {
  if (!on()) return;
  audit::Event event = Begin("close");
  event.Text("result", "OK").Text("identity", socket.owner);
  DescribeBy(by, &event);
  DescribeClosed(socket, &event);
  Record(event);
}

void Trail::Reopen() const {
  if (on()) audit_->Reopen();
}

void Trail::Stop() {
  if (!on()) return;
  TellLeftOut();
  audit::Event event = Begin("stop");
  {
    std::lock_guard lock(mutex_);
    event.Number("left_out", left_out_);
  }
  Record(event.Number("lost", audit_->lost()));
  audit_->Finish(kFinishLimit);
}

}  // namespace socketeer::rpc
