#include "server/base/error.h"

#include <string_view>
#include <utility>

#include "server/base/printable.h"

namespace socketeer::base {
namespace {

constexpr int kStateClosed = 7;  // socketeer.v1.STATE_CLOSED

// What a caller gave is repeated to show which value it was, not to hand all of it back: an error
// has room for 4 KiB.
constexpr size_t kMaxGivenChars = 80;

std::string Short(std::string_view given) { return Printable(given, kMaxGivenChars); }
std::string Quoted(std::string_view given) { return '"' + Short(given) + '"'; }
std::string SocketName(std::string_view id) { return "sockets/" + Short(id); }
std::string BarrierName(std::string_view id) { return "barriers/" + Short(id); }

// ": its lease ran out", for a word of socketeer.v1.CloseReason.
std::string Because(std::string_view why) {
  if (why == "OWNER") return ", by its owner";
  if (why == "SESSION_ENDED") return ": its owner ended the session";
  if (why == "LEASE_EXPIRED") return ": the lease ran out";
  if (why == "DRAINING") return ": the daemon is stopping";
  return "";
}

Error Make(Code code, Origin origin, std::string reason, std::string message) {
  Error error;
  error.code = code;
  error.origin = origin;
  error.reason = std::move(reason);
  error.message = std::move(message);
  return error;
}

}  // namespace

Error InvalidField(std::string field, std::string given, std::string allowed) {
  field = Short(field);
  Error error = Make(Code::kInvalidArgument, Origin::kDaemon, "INVALID_FIELD",
                     field + " is " + Quoted(given) + "; it must be " + allowed);
  error.metadata = {{"field", field}, {"given", Short(given)}, {"allowed", std::move(allowed)}};
  return error;
}

Error UnknownField(std::string field) {
  field = Short(field);
  Error error = Make(Code::kInvalidArgument, Origin::kDaemon, "UNKNOWN_FIELD",
                     "the request holds a field that this daemon does not know: " + field);
  error.metadata = {{"field", field}};
  return error;
}

Error WrongKind(std::string operation, std::string kind, std::string use_instead) {
  std::string message = operation + " does not fit a " + kind + " socket";
  if (!use_instead.empty()) message += "; use " + use_instead;
  Error error = Make(Code::kFailedPrecondition, Origin::kDaemon, "WRONG_KIND", std::move(message));
  error.metadata["given"] = std::move(kind);
  if (!use_instead.empty()) error.metadata["allowed"] = std::move(use_instead);
  error.operation = std::move(operation);
  return error;
}

Error WrongState(std::string operation, std::string why) {
  Error error = Make(Code::kFailedPrecondition, Origin::kDaemon, "WRONG_STATE", operation + ": " + why);
  error.operation = std::move(operation);
  return error;
}

Error CallWaiting(std::string operation) {
  Error error = Make(Code::kFailedPrecondition, Origin::kDaemon, "CALL_WAITING",
                     operation + ": other calls wait in the same direction, and mode EXACT would " +
                         "overtake them; nothing was done; use mode WAIT or WHOLE");
  error.metadata = {{"field", "mode"}, {"given", "MODE_EXACT"}, {"allowed", "MODE_WAIT or MODE_WHOLE"}};
  error.operation = std::move(operation);
  return error;
}

Error CallsWaiting() {
  Error error = Make(Code::kFailedPrecondition, Origin::kDaemon, "CALL_WAITING",
                     "calls wait on the socket, and would never have their turn; cancel them, or say takeover");
  error.metadata = {{"field", "open.takeover"}, {"given", "false"}, {"allowed", "true"}};
  return error;
}

Error SocketAttached() {
  return Make(Code::kFailedPrecondition, Origin::kDaemon, "SOCKET_ATTACHED",
              "a stream is attached to the socket, and has its bytes; nothing was done; detach it, or take it over");
}

Error TakenOver() {
  return Make(Code::kAborted, Origin::kDaemon, "TAKEN_OVER", "another stream, or a call, has the socket's data now");
}

Error CreditExceeded(std::string field, uint64_t given, uint64_t allowed) {
  const std::string end = std::to_string(given), limit = std::to_string(allowed);
  Error error = Make(Code::kOutOfRange, Origin::kDaemon, "CREDIT_EXCEEDED",
                     field + " goes up to offset " + end + "; its window ends at " + limit);
  error.metadata = {{"field", std::move(field)}, {"given", end}, {"allowed", limit}};
  return error;
}

Error SocketNotFound(const std::string& id) {
  Error error =
      Make(Code::kNotFound, Origin::kRegistry, "SOCKET_NOT_FOUND", "there is no socket " + Quoted("sockets/" + id));
  error.socket = SocketName(id);
  return error;
}

Error SocketGone(const std::string& id, const std::string& why) {
  Error error = Make(Code::kNotFound, Origin::kRegistry, "SOCKET_CLOSED",
                     SocketName(id) + " was closed before this call" + Because(why));
  error.socket = SocketName(id);
  error.state = kStateClosed;
  if (!why.empty()) error.metadata["why"] = why;
  return error;
}

Error SocketClosedWhileWaiting(const std::string& why) {
  Error error = Make(Code::kAborted, Origin::kRegistry, "SOCKET_CLOSED",
                     "the socket was closed while the call waited" + Because(why));
  error.state = kStateClosed;
  if (!why.empty()) error.metadata["why"] = why;
  return error;
}

Error SessionNotFound(const std::string& id) {
  return Make(Code::kNotFound, Origin::kRegistry, "SESSION_NOT_FOUND",
              "there is no session " + Quoted("sessions/" + id));
}

Error SessionExists(const std::string& id) {
  Error error = Make(Code::kAlreadyExists, Origin::kRegistry, "SESSION_EXISTS",
                     "the session id " + Quoted(id) + " is taken; it must be one that no live session of yours has");
  error.metadata = {
      {"field", "session_id"}, {"given", Short(id)}, {"allowed", "an id that no live session of yours has"}};
  return error;
}

Error SessionGone(const std::string& id, const std::string& why) {
  Error error = Make(Code::kNotFound, Origin::kRegistry, "SESSION_ENDED",
                     "sessions/" + Short(id) + " ended before this call" + Because(why));
  error.metadata["why"] = why;
  return error;
}

Error SessionEnded(const std::string& name, const std::string& why) {
  Error error = Make(Code::kAborted, Origin::kRegistry, "SESSION_ENDED", name + " ended" + Because(why));
  error.metadata["why"] = why;
  return error;
}

Error RequestIdReused(const std::string& request_id) {
  Error error = Make(Code::kInvalidArgument, Origin::kDaemon, "REQUEST_ID_REUSED",
                     "request_id " + Quoted(request_id) + " was used in this session for another request");
  error.metadata = {{"field", "request_id"}, {"given", Short(request_id)}, {"allowed", "an id of its own"}};
  return error;
}

Error RevisionTooOld(uint64_t given, uint64_t lowest, uint64_t last) {
  const std::string why = given > last
                              ? "this daemon has come to revision " + std::to_string(last) + " only, so " +
                                    std::to_string(given) + " is of another one"
                              : "the changes behind revision " + std::to_string(given) + " are no longer remembered";
  Error error =
      Make(Code::kOutOfRange, Origin::kRegistry, "REVISION_TOO_OLD", why + "; watch again without a revision");
  error.metadata = {{"field", "revision"},
                    {"given", std::to_string(given)},
                    {"lowest", std::to_string(lowest)},
                    {"highest", std::to_string(last)}};
  return error;
}

Error SocketExists(const std::string& id) {
  Error error =
      Make(Code::kAlreadyExists, Origin::kRegistry, "SOCKET_EXISTS",
           "the socket id " + Quoted(id) + " is taken; it must be one that no live " + "socket of this daemon has");
  error.metadata = {
      {"field", "socket_id"}, {"given", Short(id)}, {"allowed", "an id that no live socket of this daemon has"}};
  error.socket = SocketName(id);
  return error;
}

Error UidMismatch(const std::string& id, const std::string& given) {
  Error error = Make(Code::kFailedPrecondition, Origin::kRegistry, "UID_MISMATCH",
                     SocketName(id) + " belongs to another socket than the one with uid " + Quoted(given));
  error.metadata = {{"field", "uid"}, {"given", Short(given)}};
  error.socket = SocketName(id);
  return error;
}

Error GrantInsufficient(const std::string& id, const std::string& granted, const std::string& needed) {
  const std::string name = SocketName(id);
  const std::string wanted = needed == "OWNER" ? "only its owner may do this" : "this needs " + needed;
  Error error = Make(Code::kPermissionDenied, Origin::kRegistry, "GRANT_INSUFFICIENT",
                     name + " is shared with the caller for " + granted + "; " + wanted);
  error.metadata = {{"granted", granted}, {"needed", needed}};
  error.socket = name;
  return error;
}

Error GrantWithdrawn(const std::string& name) {
  Error error = Make(Code::kAborted, Origin::kRegistry, "GRANT_WITHDRAWN",
                     name + " is no longer shared with the caller for this: its owner withdrew the grant");
  error.socket = name;
  return error;
}

Error GrantNotFound(const std::string& id, const std::string& identity) {
  Error error = Make(Code::kNotFound, Origin::kRegistry, "GRANT_NOT_FOUND",
                     SocketName(id) + " is not shared with " + Quoted(identity));
  error.metadata["identity"] = Short(identity);
  error.socket = SocketName(id);
  return error;
}

Error AcceptedByAnother(uint64_t sequence) {
  const std::string number = std::to_string(sequence);
  Error error = Make(Code::kFailedPrecondition, Origin::kRegistry, "ACCEPTED_BY_ANOTHER",
                     "connection " + number + " was accepted before by another identity, whose socket it is");
  error.metadata["sequence"] = number;
  return error;
}

Error BarrierBroken(const std::string& id, const BarrierBreak& how) {
  const std::string name = BarrierName(id);
  const std::string came = std::to_string(how.arrived), all = std::to_string(how.parties);
  const std::string which = std::to_string(how.generation);
  Error error = Make(Code::kAborted, Origin::kRegistry, "BARRIER_BROKEN",
                     name + " is broken in generation " + which + ": " +
                         (how.party.empty() ? "a party" : "party " + Quoted(how.party)) + " went (" + how.why +
                         ") when " + came + " of " + all + " had arrived");
  error.metadata = {{"barrier", name}, {"generation", which}, {"arrived", came}, {"parties", all}, {"why", how.why}};
  if (!how.party.empty()) error.metadata["party"] = Short(how.party);
  return error;
}

Error BarrierPartiesDiffer(const std::string& id, uint32_t given, uint32_t parties) {
  const std::string name = BarrierName(id), number = std::to_string(given), theirs = std::to_string(parties);
  Error error = Make(Code::kFailedPrecondition, Origin::kRegistry, "BARRIER_PARTIES_DIFFER",
                     "parties is " + number + "; those who wait at " + name + " say " + theirs);
  error.metadata = {{"barrier", name}, {"field", "parties"}, {"given", number}, {"allowed", theirs}};
  return error;
}

Error BarrierPartyExists(const std::string& id, const std::string& party) {
  const std::string name = BarrierName(id);
  Error error = Make(Code::kAlreadyExists, Origin::kRegistry, "BARRIER_PARTY_EXISTS",
                     "party " + Quoted(party) + " waits at " + name + " already");
  error.metadata = {{"barrier", name}, {"field", "party"}, {"party", Short(party)}};
  return error;
}

Error BarrierGeneration(const std::string& id, uint64_t given, uint64_t generation) {
  const std::string name = BarrierName(id), number = std::to_string(given), next = std::to_string(generation);
  Error error = Make(Code::kFailedPrecondition, Origin::kRegistry, "BARRIER_GENERATION",
                     "generation is " + number + "; " + name + " is at " + next);
  error.metadata = {{"barrier", name}, {"field", "generation"}, {"given", number}, {"allowed", next}};
  return error;
}

Error ValueNotFound(const std::string& id) {
  return Make(Code::kNotFound, Origin::kRegistry, "VALUE_NOT_FOUND", "there is no value " + Quoted("values/" + id));
}

Error ValueExists(const std::string& id) {
  Error error = Make(Code::kAlreadyExists, Origin::kRegistry, "VALUE_EXISTS",
                     "the name " + Quoted("values/" + id) + " is another identity's value");
  error.metadata = {{"field", "name"}, {"given", Short("values/" + id)}, {"allowed", "a name that nobody else has"}};
  return error;
}

Error LimitReached(std::string limit, uint64_t allowed) {
  const std::string count = std::to_string(allowed);
  Error error = Make(Code::kResourceExhausted, Origin::kLimit, "LIMIT_REACHED",
                     "the daemon's limit " + limit + " is reached; allowed: " + count);
  error.metadata = {{"limit", std::move(limit)}, {"allowed", count}};
  return error;
}

Error QuotaReached(std::string limit, uint64_t allowed, const std::string& whose) {
  const std::string count = std::to_string(allowed);
  Error error = Make(Code::kResourceExhausted, Origin::kLimit, "LIMIT_REACHED",
                     "the limit " + limit + " of " + whose + " is reached; allowed: " + count);
  error.metadata = {{"limit", std::move(limit)}, {"allowed", count}, {"identity", whose}};
  return error;
}

Error OffsetOutOfRange(std::string field, uint64_t given, uint64_t lowest, uint64_t next) {
  const std::string number = std::to_string(given), low = std::to_string(lowest), high = std::to_string(next);
  Error error = Make(Code::kOutOfRange, Origin::kDaemon, "OFFSET_OUT_OF_RANGE",
                     field + " is " + number + "; it must be " + (low == high ? low : low + " to " + high));
  error.metadata = {{"field", std::move(field)}, {"given", number}, {"lowest", low}, {"next", high}};
  return error;
}

Error NameNotResolved(std::string host, std::string reason, bool try_again) {
  // A resolver that cannot answer now is not an unreachable daemon, so it is not UNAVAILABLE
  // either.
  Error error = Make(try_again ? Code::kFailedPrecondition : Code::kNotFound, Origin::kDaemon, "NAME_NOT_RESOLVED",
                     "host " + Quoted(host) + " was not resolved: " + reason);
  error.metadata = {{"host", Short(host)}, {"error", std::move(reason)}};
  return error;
}

Error PolicyDenied(const std::string& request, const std::string& why) {
  Error error = Make(Code::kPermissionDenied, Origin::kPolicy, "POLICY_DENIED",
                     "the daemon's policy denies " + request + ": " + why);
  error.metadata = {{"request", request}, {"rule", why}};
  return error;
}

Error ControlSocketDenied(const std::string& request) {
  constexpr char kWhy[] = "nobody reaches the daemon's own control socket through the daemon";
  Error error = Make(Code::kPermissionDenied, Origin::kPolicy, "POLICY_DENIED", request + ": " + kWhy);
  error.metadata = {{"request", request}, {"rule", kWhy}};
  return error;
}

Error PathChanged(const std::string& judged) {
  return Make(Code::kPermissionDenied, Origin::kPolicy, "PATH_CHANGED",
              "no socket was made at " + Quoted(judged) +
                  ", which the policy had judged: the path was changed meanwhile; this socket can only be closed");
}

Error UnknownCaller() {
  return Make(Code::kPermissionDenied, Origin::kPolicy, "UNKNOWN_CALLER",
              "the kernel does not say who is at the other end of this connection");
}

Error CredentialsMissing() {
  return Make(Code::kUnauthenticated, Origin::kPolicy, "CREDENTIALS_MISSING",
              "the call came without a client certificate and without a token; this daemon wants one of them over TLS");
}

Error CertificateWithoutIdentity() {
  return Make(Code::kUnauthenticated, Origin::kPolicy, "CERTIFICATE_WITHOUT_IDENTITY",
              "the client certificate names nobody: it has no subject alternative name of type URI or DNS that can be "
              "an identity");
}

Error CertificateExpired(const std::string& when) {
  Error error = Make(Code::kUnauthenticated, Origin::kPolicy, "CERTIFICATE_EXPIRED",
                     "the client certificate that the connection was made with expired at " + when);
  error.metadata["expire_time"] = when;
  return error;
}

Error TokenUnknown(const std::string& why) {
  return Make(Code::kUnauthenticated, Origin::kPolicy, "TOKEN_UNKNOWN", why);
}

Error TokenInPlainText() {
  return Make(Code::kUnauthenticated, Origin::kPolicy, "TOKEN_IN_PLAIN_TEXT",
              "a token came over TCP without TLS, where others can read it: it is not accepted there, and should be "
              "replaced; use TLS or the daemon's UNIX socket");
}

Error IdentityRemoved() {
  return Make(Code::kUnauthenticated, Origin::kPolicy, "IDENTITY_REMOVED",
              "what proved the caller's identity counts no more: its token was removed or renamed, or the CA of its "
              "certificate was removed");
}

Error Draining() {
  return Make(Code::kUnavailable, Origin::kDaemon, "DRAINING", "the daemon is stopping and takes no more calls");
}

Error Cancelled() { return Make(Code::kCancelled, Origin::kDaemon, "CANCELLED", "the caller gave up"); }

}  // namespace socketeer::base
