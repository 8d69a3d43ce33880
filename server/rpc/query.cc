// What is asked of sockets: options, one, many, labels.
#include <utility>

#include "server/rpc/await.h"
#include "server/rpc/convert.h"
#include "server/rpc/describe.h"
#include "server/rpc/page_token.h"
#include "server/rpc/socket_service.h"
#include "server/rpc/watch.h"

namespace socketeer::rpc {
namespace {

// A mask path to the change it stands for. `labels`: the request's.
base::Result<std::function<void(registry::Labels&)>> LabelChange(const std::string& path, registry::Labels labels) {
  if (path == "labels") {
    return std::function([labels = std::move(labels)](registry::Labels& own) { own = labels; });
  }
  constexpr std::string_view kPrefix = "labels.";
  const std::string key = path.starts_with(kPrefix) ? path.substr(kPrefix.size()) : "";
  if (!registry::IsLabelKey(key)) {
    return base::InvalidField("update_mask", path, "labels, or labels.KEY");
  }
  return std::function([key, labels = std::move(labels)](registry::Labels& own) {
    const auto found = labels.find(key);
    if (found == labels.end()) {
      own.erase(key);
    } else {
      own[key] = found->second;
    }
  });
}

}  // namespace

SocketService::Reactor* SocketService::GetSocketOptions(Context* context, const v1::GetSocketOptionsRequest* request,
                                                        v1::SocketOptions* response) {
  return Serve(core_, *context, Method::kGetSocketOptions, *request, [=](Call& call) -> base::Status {
    auto record = call.Find(request->name(), request->uid(), registry::Access::kObserve);
    if (!record.ok()) return std::move(record).error();
    call.Post(*record, [=, &call](net::Socket& socket) {
      call.Answer(socket.GetOptions(), [&](const net::OptionList& options) { ToProto(options, response); });
    });
    return base::Ok();
  });
}

SocketService::Reactor* SocketService::SetSocketOptions(Context* context, const v1::SetSocketOptionsRequest* request,
                                                        v1::SocketOptions* response) {
  return ServeOnce(core_, *context, Method::kSetSocketOptions, *request, response, [=](Call& call) -> base::Status {
    auto record = call.Find(request->name(), request->uid());
    if (!record.ok()) return std::move(record).error();
    auto options = FromProto(request->options());
    if (!options.ok()) return std::move(options).error();
    if (options->empty()) return base::InvalidField("options", "none", "at least one option");
    call.Post(*record, [=, &call, options = *std::move(options)](net::Socket& socket) {
      if (auto status = socket.SetOptions(options); !status.ok()) {
        return call.Fail(std::move(status).error());
      }
      call.Answer(socket.GetOptions(), [&](const net::OptionList& all) { ToProto(all, response); });
    });
    return base::Ok();
  });
}

SocketService::Reactor* SocketService::AwaitSockets(Context* context, const v1::AwaitSocketsRequest* request,
                                                    v1::AwaitSocketsResponse* response) {
  return Serve(core_, *context, Method::kAwaitSockets, *request,
               [=](Call& call) { return StartAwait(call, *request, response); });
}

SocketService::Reactor* SocketService::GetSocket(Context* context, const v1::GetSocketRequest* request,
                                                 v1::Socket* response) {
  return Serve(core_, *context, Method::kGetSocket, *request, [=, this](Call& call) -> base::Status {
    auto record = call.FindToLook(request->name(), request->uid());
    if (record.ok()) {
      // Whether he may, and what he sees, are of one moment.
      const auto view = core_.registry.LookAs(*record, call.identity(), true);
      if (!view) return base::SocketNotFound((*record)->id());
      ToProto(*view, response);
    } else {
      // It is no error to ask what became of one.
      if (record.error().reason != "SOCKET_CLOSED") return std::move(record).error();
      auto id = SocketIdOf(request->name(), "name");
      const auto closed = core_.registry.FindClosed(*id, request->uid(), call.identity());
      if (!closed) return std::move(record).error();
      ToProto(*closed, response);
    }
    call.Succeed();
    return base::Ok();
  });
}

SocketService::Reactor* SocketService::ListSockets(Context* context, const v1::ListSocketsRequest* request,
                                                   v1::ListSocketsResponse* response) {
  return Serve(core_, *context, Method::kListSockets, *request, [=, this](Call& call) -> base::Status {
    auto size = PageSizeOf(request->page_size(), core_.limits);
    if (!size.ok()) return std::move(size).error();
    auto filter = registry::Filter::Parse(request->filter());
    if (!filter.ok()) return std::move(filter).error();
    auto after = ReadPageToken(request->page_token(), request->filter());
    if (!after.ok()) return std::move(after).error();
    auto [page, more] = core_.registry.List(call.identity(), *filter, *after, *size);
    for (const registry::View& view : page) ToProto(view, response->add_sockets());
    if (more) {
      auto last = SocketIdOf(page.back().name, "name");
      response->set_next_page_token(MakePageToken(*last, request->filter()));
    }
    call.Succeed();
    return base::Ok();
  });
}

SocketService::Reactor* SocketService::UpdateSocket(Context* context, const v1::UpdateSocketRequest* request,
                                                    v1::Socket* response) {
  return ServeOnce(core_, *context, Method::kUpdateSocket, *request, response, [=, this](Call& call) -> base::Status {
    const v1::Socket& socket = request->socket();
    auto id = SocketIdOf(socket.name(), "socket.name");
    if (!id.ok()) return std::move(id).error();
    auto record = call.Find(socket.name(), socket.uid(), registry::Access::kOwn);
    if (!record.ok()) return std::move(record).error();
    if (request->update_mask().paths().empty()) {
      return base::InvalidField("update_mask", "empty", "labels, or labels.KEY");
    }
    const registry::Labels labels(socket.labels().begin(), socket.labels().end());
    std::vector<std::function<void(registry::Labels&)>> changes;
    for (const std::string& path : request->update_mask().paths()) {
      auto change = LabelChange(path, labels);
      if (!change.ok()) return std::move(change).error();
      changes.push_back(*std::move(change));
    }
    auto view = core_.registry.UpdateLabels(*record, [&changes](registry::Labels& own) {
      for (const auto& change : changes) change(own);
    });
    if (!view.ok()) return std::move(view).error();
    ToProto(*view, response);
    call.Succeed();
    return base::Ok();
  });
}

SocketService::Reactor* SocketService::TransferSocket(Context* context, const v1::TransferSocketRequest* request,
                                                      v1::Socket* response) {
  const auto transfer = [=, this](Call& call) -> base::Status {
    auto id = SessionIdOf(request->session(), "session");
    if (!id.ok()) return std::move(id).error();
    auto record = call.Find(request->name(), request->uid(), registry::Access::kOwn);
    if (!record.ok()) return std::move(record).error();
    auto session = core_.sessions.Find(call.identity(), *id);
    if (!session.ok()) return std::move(session).error();
    auto view = core_.registry.Transfer(*record, *session);
    if (!view.ok()) return std::move(view).error();
    ToProto(*view, response);
    call.Succeed();
    return base::Ok();
  };
  return ServeOnce(core_, *context, Method::kTransferSocket, *request, response, transfer, [=]() -> Telling {
    return {.event = "transfer", .describe = [=](auto* event) { Describe(*request, *response, event); }};
  });
}

grpc::ServerWriteReactor<v1::WatchSocketsResponse>* SocketService::WatchSockets(
    Context* context, const v1::WatchSocketsRequest* request) {
  return StartWatch(core_, *context, *request);
}

}  // namespace socketeer::rpc
