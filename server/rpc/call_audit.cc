// What the audit is told of calls, and how their ends are counted.
#include <optional>
#include <string>

#include "server/rpc/call_scope.h"
#include "server/rpc/describe.h"

namespace socketeer::rpc {

void CallScope::Tell(const base::Error* error, const Telling& telling, std::string_view request_id) const {
  if (!core_.trail.on()) return;
  const bool denied = error != nullptr && error->reason == "POLICY_DENIED";
  const bool refused = error != nullptr && error->code == base::Code::kUnauthenticated;
  const bool asked = telling.describe != nullptr && (error != nullptr || !telling.failures_only);
  if (!denied && !refused && !asked) return;
  // Of nobody, or one of many that one call may bring: all have one rate. Any other failure has its caller's.
  const bool anybodys = refused || (denied && telling.bounded);
  std::optional<uint64_t> left_out = 0;
  if (error != nullptr && !anybodys) left_out = core_.trail.MayTellFailure(caller_.identity);
  if (!left_out) return;

  audit::Event event = core_.trail.Begin(denied ? "deny" : refused ? "auth" : telling.event);
  Describe(error, &event);
  Describe(caller_, &event);
  if (denied || refused) event.Text("verb", error->operation.empty() ? verb() : error->operation);
  if (denied) {
    event.Text("mode", "enforce");
    for (const char* const key : {"request", "rule"}) {
      if (const auto found = error->metadata.find(key); found != error->metadata.end()) event.Text(key, found->second);
    }
  }
  if (error != nullptr) event.Text("socket", error->socket);
  if (error != nullptr && own_session_) event.Text("session", own_session_->name());
  if (telling.describe) telling.describe(&event);
  event.Text("request_id", request_id).Text("traceparent", traceparent_).Microseconds("duration_us", now() - began_);
  if (*left_out > 0) event.Number("left_out", *left_out);
  anybodys ? core_.trail.RecordRefusal(std::move(event)) : core_.trail.Record(event);
}

void CallScope::NoteFailure(const base::Error& error) {
  outcome_ = OutcomeOf(error);
  core_.counters.Told(error);
}

void CallScope::CountEnd(int code) {
  // A stream that its caller has cut ends without an error.
  if (code == static_cast<int>(base::Code::kCancelled) && outcome_ == kOkOutcome) outcome_ = kCancelledOutcome;
  core_.counters.Ended(method_, code, outcome_, now() - began_);
}

}  // namespace socketeer::rpc
