// With whom a socket is shared.
#include <string>
#include <utility>

#include "server/policy/request.h"
#include "server/rpc/certificate_name.h"
#include "server/rpc/convert.h"
#include "server/rpc/describe.h"
#include "server/rpc/socket_service.h"

namespace socketeer::rpc {
namespace {

using registry::Access;

// An identity as a policy's file would have it, and as a caller may come by it.
base::Status CheckGrantee(const std::string& identity, const std::string& owner) {
  if (identity.size() > kMaxIdentityBytes) {
    return base::InvalidField("identity", std::to_string(identity.size()) + " bytes",
                              "at most " + std::to_string(kMaxIdentityBytes) + " bytes");
  }
  if (!policy::IsIdentity(identity)) {
    return base::InvalidField("identity", identity,
                              "a caller's: anonymous, or as uid:1000, token:ci, dns:ci.example or spiffe://lab/ci");
  }
  if (identity == owner) return base::InvalidField("identity", identity, "another than the owner's own");
  return base::Ok();
}

base::Result<Access> AccessFrom(v1::Access access) {
  if (access == v1::ACCESS_OBSERVE) return Access::kObserve;
  if (access == v1::ACCESS_USE) return Access::kUse;
  return base::InvalidField("access", std::to_string(access), "ACCESS_OBSERVE (1) or ACCESS_USE (2)");
}

// Answers when nothing that was begun by a grant that is gone can come to pass any more: it was told to end, and this
// comes behind it on the socket's loop.
base::Status SetGrant(Call& call, const registry::RecordPtr& record, const std::string& identity, Access access,
                      v1::Socket* response) {
  auto shared = call.core().registry.Share(record, identity, access);
  if (!shared.ok()) return std::move(shared).error();
  ToProto(shared->view, response);
  if (shared->took) {
    record->shard().Post([&call] { call.Succeed(); });
  } else {
    call.Succeed();
  }
  return base::Ok();
}

}  // namespace

SocketService::Reactor* SocketService::ShareSocket(Context* context, const v1::ShareSocketRequest* request,
                                                   v1::Socket* response) {
  const auto share = [=](Call& call) -> base::Status {
    auto record = call.Find(request->name(), request->uid(), Access::kOwn);
    if (!record.ok()) return std::move(record).error();
    if (auto status = CheckGrantee(request->identity(), (*record)->owner()); !status.ok()) return status;
    auto access = AccessFrom(request->access());
    if (!access.ok()) return std::move(access).error();
    return SetGrant(call, *record, request->identity(), *access, response);
  };
  return ServeOnce(core_, *context, Method::kShareSocket, *request, response, share, [=]() -> Telling {
    return {.event = "share", .describe = [=](auto* event) { Describe(*request, *response, event); }};
  });
}

SocketService::Reactor* SocketService::UnshareSocket(Context* context, const v1::UnshareSocketRequest* request,
                                                     v1::Socket* response) {
  const auto unshare = [=](Call& call) -> base::Status {
    auto record = call.Find(request->name(), request->uid(), Access::kOwn);
    if (!record.ok()) return std::move(record).error();
    if (auto status = CheckGrantee(request->identity(), (*record)->owner()); !status.ok()) return status;
    return SetGrant(call, *record, request->identity(), Access::kNone, response);
  };
  return ServeOnce(core_, *context, Method::kUnshareSocket, *request, response, unshare, [=]() -> Telling {
    return {.event = "share", .describe = [=](auto* event) { Describe(*request, *response, event); }};
  });
}

}  // namespace socketeer::rpc
