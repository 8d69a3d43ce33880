#include "server/rpc/host_service.h"

#include <sys/utsname.h>

#include "server/rpc/convert.h"

#ifndef SOCKETEER_VERSION
#error "SOCKETEER_VERSION comes from CMake's project(VERSION)"
#endif

namespace socketeer::rpc {
namespace {

void Fill(const base::Limits& limits, v1::Limits* out) {
  out->set_max_sockets(limits.max_sockets);
  out->set_max_connections(limits.max_connections);
  out->set_max_calls(limits.max_calls);
  out->set_max_waiting_calls_per_direction(limits.max_waiting_calls_per_direction);
  out->set_max_payload_bytes(limits.max_payload_bytes);
  out->set_max_datagrams_per_call(limits.max_datagrams_per_call);
  out->set_max_await_conditions(limits.max_await_conditions);
  out->set_max_labels(limits.max_labels);
  out->set_max_page_size(limits.max_page_size);
  out->set_max_resolutions(limits.max_resolutions);
  out->set_max_resolutions_per_identity(limits.max_resolutions_per_identity);
  out->set_max_label_bytes(limits.max_label_bytes);
  out->set_max_sessions(limits.max_sessions);
  out->set_max_remembered_requests(base::kMaxRememberedRequests);
  out->set_max_remembered_changes(limits.max_remembered_changes);
  out->set_max_retained_bytes_per_socket(limits.max_retained_bytes_per_socket);
  out->set_max_retained_bytes(limits.max_retained_bytes);
  out->set_max_send_window_bytes(limits.max_send_window_bytes);
  out->set_max_window_datagrams(limits.max_window_datagrams);
  out->set_max_grants_per_socket(limits.max_grants_per_socket);
  out->set_max_barrier_parties(limits.max_barrier_parties);
  out->set_max_values(limits.max_values);
  out->set_max_values_per_identity(limits.max_values_per_identity);
  out->set_max_value_bytes(limits.max_value_bytes);
}

void Fill(quota::Pool& pool, base::MonotonicTime now, v1::Quota* out) {
  for (size_t i = 0; i < quota::kCounts; ++i) {
    const auto count = static_cast<quota::Count>(i);
    v1::QuotaCount* const each = out->add_counts();
    each->set_name(quota::NameOf(count));
    each->set_used(pool.used(count));
    if (pool.allowed(count) != quota::kUnlimited) each->set_allowed(pool.allowed(count));
  }
  bool limited = false;
  for (size_t i = 0; i < quota::kRates; ++i) {
    const auto rate = static_cast<quota::Rate>(i);
    v1::QuotaRate* const each = out->add_rates();
    each->set_name(quota::NameOf(rate));
    const quota::RateTerms terms = pool.bucket(rate).terms();
    if (!terms.limited()) continue;
    limited = true;
    each->set_allowed(terms.per_second);
    each->set_burst(terms.burst);
    each->set_available(pool.bucket(rate).Available(now));
  }
  if (!limited) return;
  const bool refuses = pool.when_exceeded() == quota::WhenExceeded::kRefuse;
  out->set_when_exceeded(refuses ? v1::WHEN_EXCEEDED_REFUSE : v1::WHEN_EXCEEDED_DELAY);
}

}  // namespace

grpc::ServerUnaryReactor* HostService::GetHost(grpc::CallbackServerContext* context, const v1::GetHostRequest* request,
                                               v1::Host* response) {
  return Serve(core_, *context, Method::kGetHost, *request, [=, this](Call& call) {
    utsname system{};
    uname(&system);
    response->set_version(SOCKETEER_VERSION);
    response->set_host_name(system.nodename);
    response->set_kernel_release(system.release);
    *response->mutable_clock() = ToProto(core_.clock.WallNow());
    const auto uptime = core_.clock.Now() - core_.started;
    const auto seconds = std::chrono::floor<std::chrono::seconds>(uptime);
    response->mutable_uptime()->set_seconds(seconds.count());
    response->mutable_uptime()->set_nanos(static_cast<int32_t>((uptime - seconds).count()));
    response->set_identity(call.identity());
    Fill(core_.limits, response->mutable_limits());
    response->mutable_usage()->set_sockets(static_cast<uint32_t>(core_.registry.size()));
    response->mutable_usage()->set_connections(core_.connections.Count());
    response->mutable_usage()->set_calls(core_.calls.load());
    response->mutable_usage()->set_sessions(static_cast<uint32_t>(core_.sessions.size()));
    response->mutable_usage()->set_values(static_cast<uint32_t>(core_.values.size()));
    response->mutable_usage()->set_retained_bytes(core_.retained.used());
    call.Succeed();
    return base::Ok();
  });
}

grpc::ServerUnaryReactor* HostService::GetCaller(grpc::CallbackServerContext* context,
                                                 const v1::GetCallerRequest* request, v1::Caller* response) {
  return Serve(core_, *context, Method::kGetCaller, *request, [=](Call& call) {
    const Caller& caller = call.scope().caller();
    response->set_identity(caller.identity);
    response->set_proof(static_cast<v1::Proof>(caller.proof));
    response->set_session(call.session()->name());
    if (caller.expires) *response->mutable_certificate_expire_time() = ToProto(*caller.expires);
    call.Succeed();
    return base::Ok();
  });
}

grpc::ServerUnaryReactor* HostService::GetQuota(grpc::CallbackServerContext* context,
                                                const v1::GetQuotaRequest* request, v1::Quota* response) {
  return Serve(core_, *context, Method::kGetQuota, *request, [=, this](Call& call) {
    response->set_identity(call.identity());
    if (quota::Account* const account = call.session()->account().get()) {
      Fill(account->own(), core_.clock.Now(), response);
    }
    call.Succeed();
    return base::Ok();
  });
}

}  // namespace socketeer::rpc
