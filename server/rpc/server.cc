#include "server/rpc/server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <pthread.h>

#include <algorithm>
#include <functional>
#include <latch>
#include <string_view>
#include <utility>

#include "proto/wire/http2.h"
#include "server/guard/load.h"
#include "server/metrics/port.h"
#include "server/quota/quota_file.h"
#include "server/rpc/coordination_service.h"
#include "server/rpc/core.h"
#include "server/rpc/frame_guard.h"
#include "server/rpc/health_port.h"
#include "server/rpc/host_service.h"
#include "server/rpc/leases.h"
#include "server/rpc/listeners.h"
#include "server/rpc/measurements.h"
#include "server/rpc/pulse.h"
#include "server/rpc/request_gate.h"
#include "server/rpc/session_service.h"
#include "server/rpc/socket_service.h"

namespace socketeer::rpc {
namespace {

constexpr size_t kCloserThreads = 64;  // each may be held for the seconds of an SO_LINGER
// A caller may ping us as often as this without being cut off: agents that guard their connections.
constexpr int kMinPingMs = 1'000;

}  // namespace

// In the order of their making; destroyed in reverse, so that whatever is used goes last.
struct Server::Parts {
  net::Syscalls& syscalls;
  base::Limits limits;
  Log log;
  std::unique_ptr<Trail> trail;  // from the start on
  const std::string policy_file;
  guard::Guard guard;
  const std::string quota_file;
  std::unique_ptr<quota::Quotas> quotas;  // null: there is no file
  registry::Registry registry;
  registry::Sessions sessions;
  coordination::Barriers barriers;
  coordination::Values values;
  std::unique_ptr<base::WorkerPool> closers = std::make_unique<base::WorkerPool>(kCloserThreads);
  net::RetainedBudget retained;
  std::unique_ptr<net::EventLoop> control;
  std::vector<std::unique_ptr<net::Shard>> shards;
  std::unique_ptr<Pulse> pulse;
  net::Resolver resolver;
  std::unique_ptr<Connections> connections;
  std::unique_ptr<Credentials> credentials;
  std::unique_ptr<Core> core;
  std::unique_ptr<Leases> leases;
  std::unique_ptr<SocketService> socket_service;
  std::unique_ptr<SessionService> session_service;
  std::unique_ptr<HostService> host_service;
  std::unique_ptr<CoordinationService> coordination_service;
  RequestGates gates;
  std::unique_ptr<grpc::Server> grpc;
  std::unique_ptr<HealthPort> health;      // null: none was asked for
  std::unique_ptr<metrics::Port> metrics;  // null: as well
  std::thread control_thread;
  bool drained = false;

  Parts(const ServerSettings& settings, net::Syscalls& calls, const base::Clock& clock)
      : syscalls(calls),
        limits(settings.limits),
        log(settings.log ? settings.log : [](Severity, const std::string&) {}),
        policy_file(settings.policy),
        guard([this](const guard::Denial& denial) { TellOfShadow(denial); }),
        quota_file(settings.quotas),
        quotas(quota_file.empty() ? nullptr : std::make_unique<quota::Quotas>(clock)),
        registry(limits, clock, &guard),
        sessions(limits, clock, quotas.get()),
        values(limits, clock),
        retained(limits.max_retained_bytes_per_socket, limits.max_retained_bytes),
        resolver(limits) {}

  // What is in force now.
  base::Result<std::string> EnforcePolicy() {
    auto loaded = guard::LoadPolicy(policy_file);
    if (!loaded.ok()) return std::move(loaded).error();
    const bool shadow = (*loaded)->mode == policy::Mode::kShadow;
    const std::string rules = std::to_string((*loaded)->rules.size());
    guard.Enforce(*std::move(loaded));
    std::string told = "policy " + policy_file + ": " + rules + " rules are in force" +
                       (shadow ? "; mode is shadow: nothing is denied, only told" : "");
    log(Severity::kInfo, told);
    return told;
  }

  void TellOfShadow(const guard::Denial& denial) const {
    log(Severity::kInfo, "shadow: " + denial.identity + " " + denial.request + ": denied: " + denial.rule);
    trail->TellOfShadow(denial);
  }
  void TellRegistry() {
    if (!trail->on()) return;
    registry.TellClosed([this](const auto& socket, const auto* by) { trail->TellOfClose(socket, by); });
    sessions.TellStanding([this](const auto& session) { trail->TellOfStanding(session); });
  }
  // What becomes of the operator's files while the daemon serves.
  Log LogOfReloads() const {
    return [this](Severity severity, const std::string& line) {
      log(severity, line);
      trail->TellOfReload("credentials", severity == Severity::kInfo, line, registry.size());
    };
  }

  base::Status EnforceQuotas() {
    auto loaded = quota::LoadQuotas(quota_file, limits);
    if (!loaded.ok()) return std::move(loaded).error();
    quotas->Enforce(*std::move(loaded));
    log(Severity::kInfo, "quotas " + quota_file + " are in force");
    return base::Ok();
  }

  // He believes what comes from the daemon's process, whoever wished it sent.
  base::Status KeepOffSupervisor(const std::string& name) {
    if (name.empty()) return base::Ok();
    auto address = name.starts_with('@') ? net::SocketAddress::UnixAbstract(std::string_view(name).substr(1))
                                         : net::SocketAddress::UnixPath(name);
    if (!address.ok()) return base::InvalidField("NOTIFY_SOCKET", name, "a path, or @ and an abstract name");
    return guard.KeepDatagramsOff(*address);
  }

  // Its services, and what bounds whoever calls them.
  void Configure(grpc::ServerBuilder& builder) {
    gates.Register<v1::SocketService>(builder, *socket_service);
    gates.Register<v1::SessionService>(builder, *session_service);
    gates.Register<v1::HostService>(builder, *host_service);
    gates.Register<v1::CoordinationService>(builder, *coordination_service);
    builder.SetMaxReceiveMessageSize(static_cast<int>(base::kMaxMessageBytes));
    builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, kMinPingMs);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, static_cast<int>(kPingInterval.count()));
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, static_cast<int>(kPingTimeout.count()));
    builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
    builder.AddChannelArgument(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, wire::kStreamLookaheadBytes);
    builder.AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 0);
    builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxStreams);
    // A message of a megabyte may inflate to a gigabyte, and gRPC looks at its size after that.
    builder.AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
    builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
    builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_GZIP, false);
    grpc::ResourceQuota quota;
    builder.SetResourceQuota(quota.Resize(base::kMaxTransportBytes));
    builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS,
                               static_cast<int>(std::chrono::milliseconds(kHandshakeLimit).count()));
  }

  // Runs `task` on each shard's thread, and returns when it has run on all.
  void OnEachShard(const std::function<void(net::Shard&)>& task) {
    std::latch done(static_cast<std::ptrdiff_t>(shards.size()));
    for (const auto& shard : shards) {
      shard->Post([&task, &done, &shard = *shard] {
        task(shard);
        done.count_down();
      });
    }
    done.wait();
  }

  // It says until the end that the daemon is draining.
  void EndHealth() {
    if (!health) return;
    std::latch deaf(1);
    control->Post([this, &deaf] {
      health->StopListening();
      deaf.count_down();
    });
    deaf.wait();
    health->Shutdown();
  }
};

Protection ProtectionBy(const ServerSettings& settings) {
  const CredentialSettings& given = settings.credentials;
  return {.tls = given.tls.given(),
          .identities = !given.tls.client_ca.empty() || !given.token_file.empty(),
          .policy = !settings.policy.empty()};
}

Server::Server(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

base::Result<std::unique_ptr<Server>> Server::Start(const ServerSettings& settings, net::Syscalls& syscalls,
                                                    const base::Clock& clock) {
  auto parts = std::make_unique<Parts>(settings, syscalls, clock);
  if (!settings.policy.empty()) {
    if (auto policy = parts->EnforcePolicy(); !policy.ok()) return std::move(policy).error();
  }
  if (parts->quotas) {
    if (auto status = parts->EnforceQuotas(); !status.ok()) return std::move(status).error();
  }
  auto trail = Trail::Open(settings.audit, clock, parts->log);
  if (!trail.ok()) return std::move(trail).error();
  parts->trail = *std::move(trail);
  parts->TellRegistry();
  auto control = net::EventLoop::Create(syscalls, clock);
  if (!control.ok()) return std::move(control).error();
  parts->control = *std::move(control);
  parts->trail->TellLeftOutBy(*parts->control);
  for (int i = 0; i < settings.loops; ++i) {
    auto shard = net::Shard::Create(syscalls, clock, *parts->closers, settings.limits.max_waiting_calls_per_direction,
                                    parts->retained);
    if (!shard.ok()) return std::move(shard).error();
    parts->shards.push_back(*std::move(shard));
  }
  // Connections take their descriptors from the upper part, where sockets come last.
  const int span = static_cast<int>(settings.limits.max_connections) * 4;
  const int first = std::max(settings.descriptors - span, settings.descriptors / 2);
  parts->connections =
      std::make_unique<Connections>(*parts->control, settings.limits.max_connections, first, settings.descriptors);
  auto credentials =
      Credentials::Create(settings.credentials, *parts->control, *parts->connections, clock, parts->LogOfReloads());
  if (!credentials.ok()) return std::move(credentials).error();
  parts->credentials = *std::move(credentials);
  parts->core.reset(new Core{.limits = settings.limits,
                             .clock = clock,
                             .started = clock.Now(),
                             .registry = parts->registry,
                             .sessions = parts->sessions,
                             .barriers = parts->barriers,
                             .values = parts->values,
                             .shards = parts->shards,
                             .control = *parts->control,
                             .resolver = parts->resolver,
                             .retained = parts->retained,
                             .connections = *parts->connections,
                             .identities = parts->credentials->identities(),
                             .guard = parts->guard,
                             .trail = *parts->trail,
                             .call_log = settings.call_log});
  std::vector<net::EventLoop*> loops = {parts->control.get()};
  for (const auto& shard : parts->shards) loops.push_back(&shard->loop());
  parts->pulse = std::make_unique<Pulse>(std::move(loops));
  parts->leases = std::make_unique<Leases>(*parts->core);
  parts->leases->LookSoonEnoughFor(base::kStandingTtl);
  parts->socket_service = std::make_unique<SocketService>(*parts->core);
  parts->session_service = std::make_unique<SessionService>(*parts->core, *parts->leases);
  parts->host_service = std::make_unique<HostService>(*parts->core);
  parts->coordination_service = std::make_unique<CoordinationService>(*parts->core);

  Listener health;
  if (!settings.health.empty()) {
    auto listener = ListenInPlain(kHealthSetting, settings.health);
    if (!listener.ok()) return std::move(listener).error();
    health = *std::move(listener);
  }
  Listener metrics;
  if (!settings.metrics.empty()) {
    auto listener = ListenInPlain(kMetricsSetting, settings.metrics);
    if (!listener.ok()) return std::move(listener).error();
    metrics = *std::move(listener);
    if (auto kept_off = parts->guard.KeepOff(metrics.address); !kept_off.ok()) return std::move(kept_off).error();
  }
  if (auto status = parts->KeepOffSupervisor(settings.notify_socket); !status.ok()) return std::move(status).error();
  auto listeners = ListenAll(settings, parts->guard, syscalls);
  if (!listeners.ok()) return std::move(listeners).error();
  std::vector<std::string> addresses;
  for (const Listener& each : *listeners) addresses.push_back(each.ToString());

  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  parts->Configure(builder);
  Connections::TlsAcceptor tls;
  if (parts->credentials->tls() != nullptr) {
    tls = builder.experimental().AddExternalConnectionAcceptor(
        grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
        parts->credentials->tls()->credentials());
  }
  parts->grpc = builder.BuildAndStart();
  if (!parts->grpc) {
    base::Error error;
    error.message = "gRPC did not start";
    return error;
  }
  if (auto status = parts->connections->Serve(*std::move(listeners), parts->grpc.get(), std::move(tls)); !status.ok()) {
    return std::move(status).error();
  }
  if (health.fd) {
    auto port = HealthPort::Start(std::move(health), *parts->control);
    if (!port.ok()) return std::move(port).error();
    parts->health = *std::move(port);
  }
  const std::string metrics_address = metrics.fd ? metrics.ToString() : "";
  if (metrics.fd) {
    const auto make = [core = parts->core.get(), started = clock.WallNow()] { return Measure(*core, started); };
    auto port = metrics::Port::Start(std::move(metrics.fd), make, syscalls, clock);
    if (!port.ok()) return std::move(port).error();
    parts->metrics = *std::move(port);
  }
  parts->credentials->Start();
  parts->control_thread = std::thread([loop = parts->control.get()] {
    pthread_setname_np(pthread_self(), "control-loop");
    loop->Run();
  });
  std::unique_ptr<Server> server(new Server(std::move(parts)));
  server->addresses_ = std::move(addresses);
  if (server->parts_->health) server->health_address_ = server->parts_->health->address();
  server->metrics_address_ = metrics_address;
  server->parts_->trail->TellOfStart(server->addresses_, settings.policy);
  return server;
}

void Server::ReloadPolicy() {
  if (parts_->policy_file.empty()) return;
  const auto policy = parts_->EnforcePolicy();
  const std::string told = policy.ok() ? *policy : policy.error().message + "; the policy before it stays in force";
  if (!policy.ok()) parts_->log(Severity::kError, told);
  parts_->trail->TellOfReload("policy", policy.ok(), told, parts_->registry.size());
}

void Server::ReloadQuotas() {
  if (!parts_->quotas) return;
  const auto status = parts_->EnforceQuotas();
  const std::string told = status.ok() ? "quotas " + parts_->quota_file + " are in force"
                                       : status.error().message + "; the quotas before them stay in force";
  if (!status.ok()) parts_->log(Severity::kError, told);
  parts_->trail->TellOfReload("quotas", status.ok(), told, parts_->registry.size());
}

void Server::Reload() {
  parts_->trail->Reopen();
  parts_->credentials->ReloadTokens();
  ReloadPolicy();
  ReloadQuotas();
}

bool Server::LoopsTurn() { return parts_->pulse->Feel(); }

uint32_t Server::AwaitIdle(std::chrono::milliseconds limit, std::chrono::milliseconds step, const Progress& progress) {
  using Time = std::chrono::steady_clock;
  Core& core = *parts_->core;
  const auto end = Time::now() + limit;
  std::unique_lock lock(core.idle_mutex);
  while (core.calls.load() > 0) {
    const auto now = Time::now();
    if (now >= end) break;
    const auto idle = [&core] { return core.calls.load() == 0; };
    if (core.idle.wait_until(lock, std::min(end, now + step), idle)) break;
    lock.unlock();
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Time::now());
    progress(core.calls.load(), std::max(left, std::chrono::milliseconds(0)));
    lock.lock();
  }
  return core.calls.load();
}

uint32_t Server::Drain(std::chrono::milliseconds limit, std::chrono::milliseconds step, const Progress& progress) {
  if (std::exchange(parts_->drained, true)) return 0;
  if (auto* const health = parts_->grpc->GetHealthCheckService()) health->SetServingStatus(false);
  if (parts_->health) parts_->health->SayDraining();
  parts_->core->draining.store(true);
  parts_->registry.EndNameWaits();
  std::latch deaf(1);
  parts_->control->Post([this, &deaf] {
    parts_->connections->StopListening();
    deaf.count_down();
  });
  deaf.wait();
  // First all waiting ends, then sockets close: what one loop closes, calls on another would take for the network's
  // doing.
  parts_->OnEachShard([](net::Shard& shard) { shard.EndWaiting(base::Draining()); });
  parts_->OnEachShard([](net::Shard& shard) { shard.CloseAll(base::Draining()); });
  parts_->core->drain_hooks.RunAll();
  const uint32_t left = AwaitIdle(limit, step, progress);
  // What is left is gRPC's own, such as a watch of the health, or did not end in time: cancelled.
  parts_->grpc->Shutdown(std::chrono::system_clock::now());
  parts_->EndHealth();
  parts_->trail->Stop();
  return left;
}

Server::~Server() {
  Drain(std::chrono::milliseconds(0));
  parts_->metrics.reset();
  parts_->grpc.reset();
  parts_->OnEachShard([](net::Shard&) {});  // what calls left to do there needs the core
  parts_->control->Stop();
  if (parts_->control_thread.joinable()) parts_->control_thread.join();
  parts_->closers.reset();  // waits for closes that linger, while their loops still run
}

}  // namespace socketeer::rpc
