// What went wrong, in the domain's own terms. Free of gRPC and Protobuf; server/rpc turns it into a status with
// details.
//
// A plain value: copied and moved between threads like a string. (absl::Status shares a reference count that TSan
// cannot see through Debian's uninstrumented Abseil; docs/decisions/0002.)
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace socketeer::base {

// The status codes that an error may have; the numbers are gRPC's.
enum class Code {
  kCancelled = 1,
  kInvalidArgument = 3,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kUnauthenticated = 16,
};

// Who refused; the numbers are socketeer.v1.Origin's.
enum class Origin { kKernel = 1, kPolicy = 2, kRegistry = 3, kLimit = 4, kDaemon = 5 };

struct Error {
  Code code = Code::kInternal;
  Origin origin = Origin::kDaemon;
  // ErrorInfo.reason: the errno's name for a kernel error, else one of the words in error.proto.
  std::string reason;
  // For people: what failed, what was given, what is allowed.
  std::string message;
  // ErrorInfo.metadata: field, given, allowed, limit, ...
  std::map<std::string, std::string> metadata;

  // Of SocketError. Addresses are bytes of a sockaddr (net/address.h); empty: none.
  std::string operation;    // "bind"
  std::string system_call;  // "bind"; empty unless origin is kKernel
  int errno_number = 0;
  std::string socket;  // "sockets/{id}"
  int state = 0;       // socketeer.v1.State
  std::string local;
  std::string peer;
  uint64_t bytes_done = 0;
  uint32_t datagrams_done = 0;
};

// One named function for each error that is not the kernel's.

// `field` is the path in the request ("bind.inet.port"), `allowed` a phrase ("0 to 65535").
Error InvalidField(std::string field, std::string given, std::string allowed);
Error UnknownField(std::string field);
Error WrongKind(std::string operation, std::string kind, std::string use_instead);
Error WrongState(std::string operation, std::string why);
Error CallWaiting(std::string operation);
// The same for an attach.
Error CallsWaiting();
// A stream is attached to the socket.
Error SocketAttached();
// Another stream was attached to it.
Error TakenOver();
// A frame's last offset is beyond what its window allows.
Error CreditExceeded(std::string field, uint64_t given, uint64_t allowed);
Error SocketNotFound(const std::string& id);
// The socket was closed before the call. `why`: a word of socketeer.v1.CloseReason ("OWNER"); empty: not known.
Error SocketGone(const std::string& id, const std::string& why = "");
// The socket was closed while the call waited.
Error SocketClosedWhileWaiting(const std::string& why = "");
Error SessionNotFound(const std::string& id);
Error SessionExists(const std::string& id);
// The session had ended before the call; `why` as above.
Error SessionGone(const std::string& id, const std::string& why);
// It ended while the call was under way.
Error SessionEnded(const std::string& name, const std::string& why);
Error RequestIdReused(const std::string& request_id);
// `lowest` to `last`: reading may begin behind these revisions.
Error RevisionTooOld(uint64_t given, uint64_t lowest, uint64_t last);
Error SocketExists(const std::string& id);
Error UidMismatch(const std::string& id, const std::string& given);
// The socket is shared with the caller, but not for that. Words as OBSERVE, USE, OWNER.
Error GrantInsufficient(const std::string& id, const std::string& granted, const std::string& needed);
// The call was made by a grant that was withdrawn while it was under way. `name`: "sockets/{id}".
Error GrantWithdrawn(const std::string& name);
Error GrantNotFound(const std::string& id, const std::string& identity);
// A connection of a shared listener, which is another identity's socket.
Error AcceptedByAnother(uint64_t sequence);
// A party of a barrier went before all had arrived. `why`: the reason of its call's end.
struct BarrierBreak {
  uint64_t generation = 0;
  uint32_t arrived = 0;  // it included
  uint32_t parties = 0;
  std::string why;
  std::string party = {};  // its name; "": it has none
};
// `id`: the barrier's.
Error BarrierBroken(const std::string& id, const BarrierBreak& how);
Error BarrierPartiesDiffer(const std::string& id, uint32_t given, uint32_t parties);
Error BarrierPartyExists(const std::string& id, const std::string& party);
Error BarrierGeneration(const std::string& id, uint64_t given, uint64_t generation);
Error ValueNotFound(const std::string& id);
Error ValueExists(const std::string& id);
// `limit` is the field's name in socketeer.v1.Limits.
Error LimitReached(std::string limit, uint64_t allowed);
// A quota: `limit` is "quota.sockets", `whose` an identity, or "total" for that of all together.
Error QuotaReached(std::string limit, uint64_t allowed, const std::string& whose);
// An offset or a sequence number; those from `lowest` to `next` can be had.
Error OffsetOutOfRange(std::string field, uint64_t given, uint64_t lowest, uint64_t next);
Error NameNotResolved(std::string host, std::string reason, bool try_again);
// `request`: "connect tcp:10.0.0.1:80". `why`: the rule, or what else forbids it, as "no rule matches".
Error PolicyDenied(const std::string& request, const std::string& why);
// To connect to the daemon's own control socket. The same reason, also without a policy.
Error ControlSocketDenied(const std::string& request);
// The links of a path were changed between its judgement and the bind: the socket is of no use any more.
Error PathChanged(const std::string& judged);
Error UnknownCaller();
// It came over TLS, with neither a certificate nor a token.
Error CredentialsMissing();
// The certificate is good, but names nobody.
Error CertificateWithoutIdentity();
// Before the call, or while it was under way. `when`: "2026-11-22T18:10:45Z".
Error CertificateExpired(const std::string& when);
// `why`: a sentence without its end. Nothing of the token is repeated.
Error TokenUnknown(const std::string& why);
Error TokenInPlainText();
// The token that the call was made with was taken out of the daemon's file meanwhile.
Error IdentityRemoved();
Error Draining();
Error Cancelled();

}  // namespace socketeer::base
