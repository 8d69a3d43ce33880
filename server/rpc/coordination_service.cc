#include "server/rpc/coordination_service.h"

#include <memory>
#include <utility>

#include "server/rpc/await_barrier.h"
#include "server/rpc/convert.h"
#include "server/rpc/describe.h"
#include "server/rpc/page_token.h"
#include "server/rpc/rendezvous.h"

namespace socketeer::rpc {
namespace {

constexpr char kValuePages[] = "values";  // tells its page tokens from those of sockets

// As `identity` may see it; in a list without its data.
void Show(const coordination::Value& value, const std::string& identity, v1::Value* out, bool with_data = true) {
  out->set_name("values/" + value.id);
  out->set_owner(value.owner());
  if (value.owner() == identity) out->set_session(value.session->name());
  if (with_data) out->set_data(value.data);
  out->set_size(static_cast<uint32_t>(value.data.size()));
  out->set_revision(value.revision);
  out->set_shared(value.shared);
  *out->mutable_publish_time() = ToProto(value.publish_time);
}

// May it be told? Nobody asks for what is one's own.
base::Status Judge(Core& core, const coordination::Value& value, const std::string& identity) {
  return value.owner() == identity ? base::Ok() : core.guard.JudgeToObserve(identity);
}

template <typename Request>
base::Result<coordination::Wanted> WantedBy(const Call& call, const Request& request) {
  auto id = ValueIdOf(request.name(), "name");
  if (!id.ok()) return std::move(id).error();
  return coordination::Wanted{.id = *std::move(id), .identity = call.identity(), .owner = request.owner()};
}

class ForValue final : public Rendezvous {
 public:
  ForValue(Call& call, std::optional<std::chrono::nanoseconds> timeout, coordination::Wanted wanted,
           v1::AwaitValueResponse* response)
      : Rendezvous(call, timeout), id_(call.scope().id()), wanted_(std::move(wanted)), response_(response) {}

 private:
  base::Status Arrive() override {
    const auto self = std::static_pointer_cast<ForValue>(shared_from_this());
    const auto appeared = [self](const coordination::ValuePtr& value) { self->Answer(*value); };
    if (const auto found = core().values.FindOrWait(wanted_, id_, appeared)) Answer(*found);
    return base::Ok();
  }

  bool Leave(const base::Error* why) override {
    if (!core().values.StopWaiting(wanted_.id, id_)) return false;
    if (why == nullptr) response_->set_timed_out(true);
    return true;
  }

  void Answer(const coordination::Value& value) {
    if (auto status = Judge(core(), value, wanted_.identity); !status.ok()) return Fail(std::move(status).error());
    Show(value, wanted_.identity, response_->mutable_value());
    Succeed();
  }

  const net::OperationId id_;
  const coordination::Wanted wanted_;
  v1::AwaitValueResponse* const response_;  // the call's
};

// For the audit. The data is the caller's alone.
template <typename Request>
auto Told(const char* event, const Request* request, const v1::Value* response) {
  return [=]() -> Telling {
    return {
        .event = event, .describe = [=](audit::Event* out) {
          out->Text("value", request->name());
          if (response->name().empty()) return;
          out->Text("session", response->session()).Number("bytes", response->size()).Yes("shared", response->shared());
        }};
  };
}

}  // namespace

CoordinationService::Reactor* CoordinationService::AwaitBarrier(Context* context,
                                                                const v1::AwaitBarrierRequest* request,
                                                                v1::AwaitBarrierResponse* response) {
  return ServeOnce(core_, *context, Method::kAwaitBarrier, *request, response,
                   [=](Call& call) { return StartBarrier(call, *request, response); });
}

CoordinationService::Reactor* CoordinationService::PublishValue(Context* context,
                                                                const v1::PublishValueRequest* request,
                                                                v1::Value* response) {
  const auto publish = [=, this](Call& call) -> base::Status {
    auto id = ValueIdOf(request->name(), "name");
    if (!id.ok()) return std::move(id).error();
    const uint32_t most = core_.limits.max_value_bytes;
    if (request->data().size() > most) {
      return base::InvalidField("data", std::to_string(request->data().size()) + " bytes",
                                "at most " + std::to_string(most) + " bytes");
    }
    auto value = core_.values.Publish(call.session(), *id, request->data(), request->shared());
    if (!value.ok()) return std::move(value).error();
    Show(**value, call.identity(), response, false);  // he has just sent it
    call.Succeed();
    return base::Ok();
  };
  return ServeOnce(core_, *context, Method::kPublishValue, *request, response, publish,
                   Told("publish", request, response));
}

CoordinationService::Reactor* CoordinationService::WithdrawValue(Context* context,
                                                                 const v1::WithdrawValueRequest* request,
                                                                 v1::Value* response) {
  const auto withdraw = [=, this](Call& call) -> base::Status {
    auto id = ValueIdOf(request->name(), "name");
    if (!id.ok()) return std::move(id).error();
    auto value = core_.values.Withdraw(call.identity(), *id, request->revision());
    if (!value.ok()) return std::move(value).error();
    Show(**value, call.identity(), response);
    call.Succeed();
    return base::Ok();
  };
  return ServeOnce(core_, *context, Method::kWithdrawValue, *request, response, withdraw,
                   Told("withdraw", request, response));
}

CoordinationService::Reactor* CoordinationService::GetValue(Context* context, const v1::GetValueRequest* request,
                                                            v1::Value* response) {
  return Serve(core_, *context, Method::kGetValue, *request, [=, this](Call& call) -> base::Status {
    auto wanted = WantedBy(call, *request);
    if (!wanted.ok()) return std::move(wanted).error();
    const coordination::ValuePtr value = core_.values.Find(*wanted);
    if (!value) return base::ValueNotFound(wanted->id);
    if (auto status = Judge(core_, *value, call.identity()); !status.ok()) return status;
    Show(*value, call.identity(), response);
    call.Succeed();
    return base::Ok();
  });
}

CoordinationService::Reactor* CoordinationService::AwaitValue(Context* context, const v1::AwaitValueRequest* request,
                                                              v1::AwaitValueResponse* response) {
  return Serve(core_, *context, Method::kAwaitValue, *request, [=](Call& call) -> base::Status {
    auto wanted = WantedBy(call, *request);
    if (!wanted.ok()) return std::move(wanted).error();
    wanted->after_revision = request->after_revision();
    auto timeout = TimeoutOf(*request);
    if (!timeout.ok()) return std::move(timeout).error();
    return std::make_shared<ForValue>(call, *timeout, *std::move(wanted), response)->Start();
  });
}

CoordinationService::Reactor* CoordinationService::ListValues(Context* context, const v1::ListValuesRequest* request,
                                                              v1::ListValuesResponse* response) {
  return Serve(core_, *context, Method::kListValues, *request, [=, this](Call& call) -> base::Status {
    auto size = PageSizeOf(request->page_size(), core_.limits);
    if (!size.ok()) return std::move(size).error();
    auto after = ReadPageToken(request->page_token(), kValuePages);
    if (!after.ok()) return std::move(after).error();
    const bool with_shared = core_.guard.JudgeToObserve(call.identity()).ok();
    const auto [page, more] = core_.values.List(call.identity(), with_shared, *after, *size);
    for (const auto& value : page) Show(*value, call.identity(), response->add_values(), false);
    if (more) response->set_next_page_token(MakePageToken(page.back()->id, kValuePages));
    call.Succeed();
    return base::Ok();
  });
}

}  // namespace socketeer::rpc
