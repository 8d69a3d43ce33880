// How sockets come to be, change and go.
#include <sys/socket.h>

#include <atomic>
#include <memory>
#include <utility>

#include "server/net/connection_operations.h"
#include "server/rpc/accept_call.h"
#include "server/rpc/convert.h"
#include "server/rpc/describe.h"
#include "server/rpc/open_call.h"
#include "server/rpc/socket_service.h"

namespace socketeer::rpc {
namespace {

// Both live as long as the call.
template <typename Request, typename Response>
auto Told(const char* event, const Request* request, const Response* response) {
  return [=]() -> Telling {
    return {.event = event, .describe = [=](audit::Event* out) { Describe(*request, *response, out); }};
  };
}

// How a socket closed, the registry tells.
Telling ToldIfItFails() {
  return {.event = "close", .describe = [](audit::Event*) {}, .failures_only = true};
}

}  // namespace

void SocketService::Show(const Call& call, const registry::RecordPtr& record, v1::Socket* out) {
  const auto view = core_.registry.LookAs(record, call.identity());
  if (view) return ToProto(*view, out);
  out->set_name(record->name());
}

SocketService::Reactor* SocketService::OpenSocket(Context* context, const v1::OpenSocketRequest* request,
                                                  v1::OpenSocketResponse* response) {
  return ServeOnce(
      core_, *context, Method::kOpenSocket, *request, response,
      [=](Call& call) { return StartOpen(call, *request, response); }, Told("open", request, response));
}

SocketService::Reactor* SocketService::BindSocket(Context* context, const v1::BindSocketRequest* request,
                                                  v1::Socket* response) {
  const auto begin = [=, this](Call& call) -> base::Status {
    auto record = call.Find(request->name(), request->uid());
    if (!record.ok()) return std::move(record).error();
    const net::SocketKind kind = core_.registry.KindOf(*record);
    return ResolveAll(call, {{request->local(), "local", true}}, kind,
                      [=, this, &call, record = *record](std::vector<Addresses> found) {
                        call.Post(record, [=, this, &call](net::Socket& socket) {
                          call.Answer(socket.Bind(found[0].list[0]), [&](base::Unit) { Show(call, record, response); });
                        });
                      });
  };
  return ServeOnce(core_, *context, Method::kBindSocket, *request, response, begin, Told("bind", request, response));
}

SocketService::Reactor* SocketService::ConnectSocket(Context* context, const v1::ConnectSocketRequest* request,
                                                     v1::ConnectSocketResponse* response) {
  const auto begin = [=, this](Call& call) -> base::Status {
    auto record = call.Find(request->name(), request->uid());
    if (!record.ok()) return std::move(record).error();
    auto mode = FromProto(request->mode());
    if (!mode.ok()) return std::move(mode).error();
    auto timeout = TimeoutOf(*request);
    if (!timeout.ok()) return std::move(timeout).error();
    if (request->target_case() == v1::ConnectSocketRequest::TARGET_NOT_SET ||
        (request->has_disconnect() && !request->disconnect())) {
      return base::InvalidField("target", "", "peer, or disconnect: true");
    }
    if (request->has_disconnect()) {
      call.Post(*record, [=, this, &call, record = *record](net::Socket& socket) {
        call.Answer(socket.Disconnect(), [&](base::Unit) { Show(call, record, response->mutable_socket()); });
      });
      return base::Ok();
    }
    const net::SocketKind kind = core_.registry.KindOf(*record);
    return ResolveAll(
        call, {{request->peer(), "peer", false}}, kind,
        [=, this, &call, record = *record, mode = *mode, timeout = *timeout](std::vector<Addresses> found) {
          call.Post(record, [=, this, &call, base = call.OperationOf(mode, timeout)](net::Socket& socket) {
            socket.Start(std::make_unique<net::ConnectOperation>(
                base, found[0].list[0], [=, this, &call](base::Result<net::ConnectResult> result) {
                  call.Answer(std::move(result), [&](net::ConnectResult connected) {
                    response->set_timed_out(connected.timed_out);
                    Show(call, record, response->mutable_socket());
                  });
                }));
          });
        });
  };
  return ServeOnce(core_, *context, Method::kConnectSocket, *request, response, begin,
                   Told("connect", request, response));
}

SocketService::Reactor* SocketService::ListenSocket(Context* context, const v1::ListenSocketRequest* request,
                                                    v1::Socket* response) {
  const auto begin = [=, this](Call& call) -> base::Status {
    auto record = call.Find(request->name(), request->uid());
    if (!record.ok()) return std::move(record).error();
    auto backlog = BacklogOf(request->has_backlog() ? std::optional(request->backlog()) : std::nullopt, "backlog");
    if (!backlog.ok()) return std::move(backlog).error();
    call.Post(*record, [=, this, &call, record = *record](net::Socket& socket) {
      call.Answer(socket.Listen(*backlog), [&](base::Unit) { Show(call, record, response); });
    });
    return base::Ok();
  };
  return ServeOnce(core_, *context, Method::kListenSocket, *request, response, begin,
                   Told("listen", request, response));
}

SocketService::Reactor* SocketService::AcceptSocket(Context* context, const v1::AcceptSocketRequest* request,
                                                    v1::AcceptSocketResponse* response) {
  return Serve(
      core_, *context, Method::kAcceptSocket, *request,
      [=](Call& call) { return StartAccept(call, *request, response); }, Told("accept", request, response));
}

SocketService::Reactor* SocketService::ShutdownSocket(Context* context, const v1::ShutdownSocketRequest* request,
                                                      v1::ShutdownSocketResponse* response) {
  return ServeOnce(core_, *context, Method::kShutdownSocket, *request, response, [=, this](Call& call) -> base::Status {
    auto record = call.Find(request->name(), request->uid());
    if (!record.ok()) return std::move(record).error();
    auto timeout = TimeoutOf(*request);
    if (!timeout.ok()) return std::move(timeout).error();
    if (request->direction() < v1::DIRECTION_READ || request->direction() > v1::DIRECTION_BOTH) {
      return base::InvalidField("direction", std::to_string(request->direction()),
                                "DIRECTION_READ (1), DIRECTION_WRITE (2) or DIRECTION_BOTH (3)");
    }
    const int how = request->direction() - v1::DIRECTION_READ;  // SHUT_RD, SHUT_WR, SHUT_RDWR
    const auto base = call.OperationOf(net::Mode::kWait, *timeout);
    call.Post(*record, [=, this, &call, record = *record](net::Socket& socket) {
      auto done = [=, this, &call](base::Result<net::ShutdownResult> result) {
        call.Answer(std::move(result), [&](net::ShutdownResult shut) {
          response->set_timed_out(shut.timed_out);
          Show(call, record, response->mutable_socket());
        });
      };
      if (how != SHUT_RD) {
        socket.Start(std::make_unique<net::ShutdownOperation>(base, how, std::move(done)));
        return;
      }
      auto status = socket.Shutdown(SHUT_RD);
      done(status.ok() ? base::Result(net::ShutdownResult{}) : std::move(status).error());
    });
    return base::Ok();
  });
}

SocketService::Reactor* SocketService::CloseSocket(Context* context, const v1::CloseSocketRequest* request,
                                                   v1::CloseSocketResponse* response) {
  const auto begin = [=, this](Call& call) -> base::Status {
    auto record = call.Find(request->name(), request->uid(), registry::Access::kOwn);
    if (!record.ok()) return std::move(record).error();
    // Not through call.Post(): a close is not taken back when its caller gives up. But the caller need not wait for one
    // that lingers, nor need a daemon that stops.
    net::Shard& shard = (*record)->shard();
    const auto answered = std::make_shared<std::atomic<bool>>(false);
    const OnceClaim claim = call.TakeClaim();
    const auto closer = std::make_shared<std::unique_ptr<const registry::Closer>>(call.Closer());
    call.SetEnder([&call, answered](base::Error why) {
      if (!answered->exchange(true)) call.Fail(std::move(why));
    });
    shard.RunOrPost([=, this, &call, &shard, record = *record] {
      const bool there = shard.Find(record->handle()) != nullptr;
      core_.registry.WillClose(record, registry::CloseReason::kOwner, std::move(*closer));
      const char* const why = CloseReasonWord(registry::CloseReason::kOwner);
      shard.Close(record->handle(), base::SocketClosedWhileWaiting(why), [=, this, &call] {
        v1::CloseSocketResponse closed;
        ToProto(core_.registry.Look(record), closed.mutable_socket());  // the owner's; the call may be gone
        there ? claim.Succeed(closed) : claim.Forget();
        if (answered->exchange(true)) return;
        if (!there) {
          return call.Fail(base::SocketGone(record->id(), CloseReasonWord(core_.registry.Look(record).close_reason)));
        }
        response->Swap(&closed);
        call.Succeed();
      });
    });
    return base::Ok();
  };
  return ServeOnce(core_, *context, Method::kCloseSocket, *request, response, begin, ToldIfItFails);
}

}  // namespace socketeer::rpc
