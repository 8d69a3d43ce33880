#include "server/rpc/session_service.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "server/rpc/convert.h"
#include "server/rpc/describe.h"
#include "server/rpc/page_token.h"
#include "server/rpc/stream_call.h"

namespace socketeer::rpc {
namespace {

constexpr char kSessionPages[] = "sessions";  // tells its page tokens from those of sockets

// A duration that is given as such, brought into [min, max].
base::Result<std::chrono::nanoseconds> Clamped(const google::protobuf::Duration& given, std::chrono::nanoseconds min,
                                               std::chrono::nanoseconds max, const std::string& field) {
  const bool valid = given.seconds() >= 0 && given.nanos() >= 0 && given.nanos() < 1'000'000'000;
  if (!valid) return base::InvalidField(field, given.ShortDebugString(), "a duration that is not negative");
  if (given.seconds() >= std::chrono::floor<std::chrono::seconds>(max).count()) return max;
  return std::max(min, std::chrono::seconds(given.seconds()) + std::chrono::nanoseconds(given.nanos()));
}

base::Result<registry::Terms> TermsOf(const v1::CreateSessionRequest& request) {
  registry::Terms terms{.ttl = base::kDefaultTtl, .grace = std::chrono::nanoseconds(0)};
  if (request.has_ttl()) {
    auto ttl = Clamped(request.ttl(), base::kMinTtl, base::kMaxTtl, "ttl");
    if (!ttl.ok()) return std::move(ttl).error();
    terms.ttl = *ttl;
  }
  if (request.has_grace()) {
    auto grace = Clamped(request.grace(), std::chrono::nanoseconds(0), base::kMaxGrace, "grace");
    if (!grace.ok()) return std::move(grace).error();
    terms.grace = *grace;
  }
  return terms;
}

base::Result<registry::SessionPtr> FindNamed(Core& core, const std::string& identity, const std::string& name) {
  auto id = SessionIdOf(name, "name");
  if (!id.ok()) return std::move(id).error();
  return core.sessions.Find(identity, *id);
}

// Holds a session: it is in it, for as long as it lives.
class Hold final : public StreamCall<v1::HoldSessionResponse> {
 public:
  Hold(Core& core, const grpc::CallbackServerContext& context) : StreamCall(core, context, Method::kHoldSession) {}

  void Start(const v1::HoldSessionRequest& request) {
    if (auto status = TryStart(request); !status.ok()) End(std::move(status).error());
  }

 private:
  base::Status TryStart(const v1::HoldSessionRequest& request) {
    if (auto status = Begin(request); !status.ok()) return status;
    auto session = FindNamed(core(), scope().identity(), request.name());
    if (!session.ok()) return std::move(session).error();
    if (auto status = scope().Enter(*session); !status.ok()) return status;
    ToProto(**session, core().clock, response_.mutable_session());
    Write(response_);
    return base::Ok();
  }

  v1::HoldSessionResponse response_;
};

}  // namespace

SessionService::Reactor* SessionService::CreateSession(Context* context, const v1::CreateSessionRequest* request,
                                                       v1::Session* response) {
  const auto create = [=, this](Call& call) -> base::Status {
    auto terms = TermsOf(*request);
    if (!terms.ok()) return std::move(terms).error();
    auto session = core_.sessions.Create(call.identity(), request->session_id(), *terms);
    if (!session.ok()) return std::move(session).error();
    leases_.LookSoonEnoughFor((*session)->terms().ttl);
    ToProto(**session, core_.clock, response);
    call.Succeed();
    return base::Ok();
  };
  return ServeOnce(core_, *context, Method::kCreateSession, *request, response, create, [=]() -> Telling {
    return {.event = "session_create", .describe = [=](auto* event) { Describe(*request, *response, event); }};
  });
}

grpc::ServerWriteReactor<v1::HoldSessionResponse>* SessionService::HoldSession(Context* context,
                                                                               const v1::HoldSessionRequest* request) {
  const auto hold = std::make_shared<Hold>(core_, *context);
  hold->Start(*request);
  return hold.get();
}

SessionService::Reactor* SessionService::EndSession(Context* context, const v1::EndSessionRequest* request,
                                                    v1::EndSessionResponse* response) {
  const auto end = [=, this](Call& call) -> base::Status {
    auto session = FindNamed(core_, call.identity(), request->name());
    if (!session.ok()) return std::move(session).error();
    // As with CloseSocket, nobody need wait for a close that lingers.
    const auto answered = std::make_shared<std::atomic<bool>>(false);
    const OnceClaim claim = call.TakeClaim();
    v1::EndSessionResponse ended;
    call.Leave(**session);  // if it is made in it: the end that it asks for is not to end this call
    ToProto(**session, core_.clock, ended.mutable_session());
    call.SetEnder([&call, answered](base::Error why) {
      if (!answered->exchange(true)) call.Fail(std::move(why));
    });
    const auto done = [&call, answered, claim, response, ended](uint32_t closed) mutable {
      ended.mutable_session()->set_sockets(closed);
      claim.Succeed(ended);
      if (answered->exchange(true)) return;
      response->Swap(&ended);
      call.Succeed();
    };
    const auto closer = call.Closer();
    if (rpc::EndSession(core_, *session, registry::CloseReason::kSessionEnded, done, closer.get())) return base::Ok();
    claim.Forget();
    if (answered->exchange(true)) return base::Ok();
    return base::SessionGone((*session)->id(), CloseReasonWord((*session)->ended()));
  };
  return ServeOnce(core_, *context, Method::kEndSession, *request, response, end, [=]() -> Telling {
    return {.event = "session_end",
            .describe = [=](auto* event) { event->Text("ask_session", request->name()); },
            .failures_only = true};  // EndSession() tells the rest
  });
}

SessionService::Reactor* SessionService::GetSession(Context* context, const v1::GetSessionRequest* request,
                                                    v1::Session* response) {
  return Serve(core_, *context, Method::kGetSession, *request, [=, this](Call& call) -> base::Status {
    auto session = FindNamed(core_, call.identity(), request->name());
    if (!session.ok()) return std::move(session).error();
    (*session)->Renew(core_.clock.Now());
    ToProto(**session, core_.clock, response);
    call.Succeed();
    return base::Ok();
  });
}

SessionService::Reactor* SessionService::ListSessions(Context* context, const v1::ListSessionsRequest* request,
                                                      v1::ListSessionsResponse* response) {
  return Serve(core_, *context, Method::kListSessions, *request, [=, this](Call& call) -> base::Status {
    auto size = PageSizeOf(request->page_size(), core_.limits);
    if (!size.ok()) return std::move(size).error();
    auto after = ReadPageToken(request->page_token(), kSessionPages);
    if (!after.ok()) return std::move(after).error();
    call.Leave(*call.session());  // to look is not to hold
    const auto [page, more] = core_.sessions.List(call.identity(), *after, *size);
    for (const registry::SessionPtr& session : page) ToProto(*session, core_.clock, response->add_sessions());
    if (more) response->set_next_page_token(MakePageToken(page.back()->id(), kSessionPages));
    call.Succeed();
    return base::Ok();
  });
}

}  // namespace socketeer::rpc
