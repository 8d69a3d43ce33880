#include "client/cli/nc_plan.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "client/cli/arguments.h"
#include "client/cli/cli.h"
#include "socketeer/duration.h"
#include "socketeer/endpoint.h"
#include "socketeer/kind.h"
#include "socketeer/status_macros.h"
#include "socketeer/text.h"

namespace socketeer::cli {
namespace {

constexpr uint32_t kMaxPort = 65535;

absl::Status CheckFlags(const NcFlags& flags) {
  if (flags.keep && !flags.listen) return UsageError("-k is for -l: it goes on with the next connection");
  if (flags.shut_down && flags.udp) return UsageError("-N is for streams: datagrams (-u) have no end to tell");
  if (flags.unix_domain && flags.source_port.has_value()) {
    return UsageError("-p " + Quoted(*flags.source_port) + ": a UNIX socket (-U) has no port");
  }
  if (flags.listen && flags.source.has_value()) {
    return UsageError("-s " + Quoted(*flags.source) + ": with -l the address to listen on is " +
                      (flags.unix_domain ? "PATH" : "HOST"));
  }
  if (flags.unix_domain && flags.udp && flags.keep) {
    return UsageError("-k does not go with -u and -U: there is but one socket, which stays");
  }
  return absl::OkStatus();
}

// Of bare numbers, seconds, as netcat's.
absl::StatusOr<absl::Duration> ParseWait(const std::optional<std::string>& text) {
  if (!text.has_value()) return absl::InfiniteDuration();
  const bool bare = !text->empty() && std::ranges::all_of(*text, [](char c) { return c >= '0' && c <= '9'; });
  const absl::StatusOr<absl::Duration> wait =
      ParseDuration(bare ? *text + "s" : *text, absl::Milliseconds(1), kMaxTimeout);
  if (wait.ok()) return *wait;
  return UsageError("-w: " + Quoted(*text) + " is not how long to wait: 1ms to 24h, as in 3 (seconds), 500ms, 2s, 1m");
}

absl::StatusOr<std::string> CheckPort(std::string_view argument, const std::string& port, bool any) {
  SOCKETEER_ASSIGN_OR_RETURN(const uint32_t number, ParseCount(std::string(argument), port, any ? 0 : 1, kMaxPort));
  return std::to_string(number);
}

// "HOST:PORT" as ParseEndpoint has it; netcat's IPv6 addresses stand without brackets.
std::string Joined(const std::string& host, const std::string& port) {
  const bool bare_ipv6 = host.find(':') != std::string::npos && !host.starts_with("[");
  return (bare_ipv6 ? "[" + host + "]" : host) + ":" + port;
}

absl::StatusOr<v1::Endpoint> HostEndpoint(std::string_view argument, const std::string& host, const std::string& port,
                                          EndpointUse use) {
  absl::StatusOr<v1::Endpoint> endpoint = ParseEndpoint(Joined(host, port), use);
  if (endpoint.ok() && !endpoint->has_unix_domain()) return endpoint;
  const bool path =
      host.starts_with("/") || host.starts_with("./") || host.starts_with("@") || host.starts_with("unix:");
  return UsageError(std::string(argument) + ": " + Quoted(host) +
                    " is neither an IPv4 nor an IPv6 address, nor a name, " +
                    "which has up to 253 letters, digits, '.', '-' and '_'" + (path ? "; a UNIX socket takes -U" : ""));
}

absl::StatusOr<v1::Endpoint> UnixEndpoint(std::string_view argument, const std::string& path, EndpointUse use) {
  if (path.empty()) return UsageError(std::string(argument) + ": it is empty; a UNIX path is 1 to 108 bytes");
  const bool prefixed = path.starts_with("@") || path.starts_with("unix:");
  const std::string text = prefixed ? path : "unix:" + path;
  absl::StatusOr<v1::Endpoint> endpoint = ParseEndpoint(text, use);
  if (endpoint.ok()) return endpoint;
  std::string why(endpoint.status().message());
  if (why.starts_with(Quoted(text))) why.erase(0, Quoted(text).size());
  return UsageError(std::string(argument) + ": " + Quoted(path) + why);
}

absl::Status OneTooMany(const NcFlags& flags, size_t index, std::string_view usage) {
  return UsageError(Quoted(flags.where[index]) + " is one argument too many: " + std::string(usage));
}

// HOST and PORT, from wherever they stand.
struct Target {
  std::string host;  // "": every address
  std::string port;
};

absl::StatusOr<Target> FindListenTarget(const NcFlags& flags) {
  const size_t given = flags.where.size() + (flags.source_port.has_value() ? 1 : 0);
  if (given == 0) return UsageError("PORT is missing: nc -l [HOST] PORT, where 0 lets the kernel choose");
  if (flags.where.size() > 2) return OneTooMany(flags, 2, "nc -l [HOST] PORT");
  if (given > 2) return UsageError("the port is given twice: -p " + Quoted(*flags.source_port) + " and PORT");
  Target target;
  if (given == 2) target.host = flags.where[0];
  if (given == 2 && target.host.empty()) return UsageError("HOST is empty; leave it out to listen on every address");
  SOCKETEER_ASSIGN_OR_RETURN(target.port, flags.source_port.has_value() ? CheckPort("-p", *flags.source_port, true)
                                                                        : CheckPort("PORT", flags.where.back(), true));
  return target;
}

absl::StatusOr<Target> FindConnectTarget(const NcFlags& flags) {
  if (flags.where.empty()) return UsageError("HOST and PORT are missing: nc HOST PORT");
  if (flags.where.size() == 1) return UsageError("PORT is missing: nc " + Printable(flags.where[0], 120) + " PORT");
  if (flags.where.size() > 2) return OneTooMany(flags, 2, "nc HOST PORT");
  if (flags.where[0].empty()) return UsageError("HOST is empty");
  SOCKETEER_ASSIGN_OR_RETURN(std::string port, CheckPort("PORT", flags.where[1], false));
  return Target{.host = flags.where[0], .port = std::move(port)};
}

// The port of `-p` must be the caller's again although an earlier connection lingers, as with netcat.
absl::Status FillSource(const NcFlags& flags, v1::OpenSocketRequest& open) {
  if (!flags.source.has_value() && !flags.source_port.has_value()) return absl::OkStatus();
  std::string port = "0";
  if (flags.source_port.has_value()) {
    SOCKETEER_ASSIGN_OR_RETURN(port, CheckPort("-p", *flags.source_port, true));
  }
  if (flags.source.has_value() && flags.source->empty()) return UsageError("-s: it is empty; it takes an address");
  SOCKETEER_ASSIGN_OR_RETURN(*open.mutable_bind(),
                             HostEndpoint("-s", flags.source.value_or(""), port, EndpointUse::kBind));
  // Of datagrams it would let others bind the same port, and take what comes.
  if (!flags.udp) open.mutable_options()->set_reuseaddr(true);
  return absl::OkStatus();
}

absl::Status FillInet(const NcFlags& flags, v1::OpenSocketRequest& open) {
  if (flags.listen) {
    SOCKETEER_ASSIGN_OR_RETURN(const Target target, FindListenTarget(flags));
    SOCKETEER_ASSIGN_OR_RETURN(*open.mutable_bind(),
                               HostEndpoint("HOST", target.host, target.port, EndpointUse::kBind));
    // Of datagrams it would let a second listener take them from the first.
    if (!flags.udp) open.mutable_options()->set_reuseaddr(true);
  } else {
    SOCKETEER_ASSIGN_OR_RETURN(const Target target, FindConnectTarget(flags));
    SOCKETEER_ASSIGN_OR_RETURN(*open.mutable_connect(),
                               HostEndpoint("HOST", target.host, target.port, EndpointUse::kConnect));
    SOCKETEER_RETURN_IF_ERROR(FillSource(flags, open));
  }
  return ApplyKind(flags.udp ? "udp" : "tcp", &open);
}

absl::Status FillUnix(const NcFlags& flags, v1::OpenSocketRequest& open) {
  if (flags.where.empty()) return UsageError("PATH is missing: nc -U PATH");
  if (flags.where.size() > 1) return OneTooMany(flags, 1, "nc -U PATH");
  const EndpointUse use = flags.listen ? EndpointUse::kBind : EndpointUse::kConnect;
  SOCKETEER_ASSIGN_OR_RETURN(v1::Endpoint where, UnixEndpoint("PATH", flags.where[0], use));
  (flags.listen ? *open.mutable_bind() : *open.mutable_connect()) = std::move(where);
  if (flags.source.has_value()) {
    SOCKETEER_ASSIGN_OR_RETURN(*open.mutable_bind(), UnixEndpoint("-s", *flags.source, EndpointUse::kBind));
  } else if (flags.udp && !flags.listen) {
    open.mutable_bind()->mutable_unix_domain();  // any name: a peer answers none that has no name
  }
  return ApplyKind(flags.udp ? "unix-dgram" : "unix", &open);
}

// What the addresses of a plan that was made were typed as.
void FillTyped(const NcFlags& flags, NcPlan& plan) {
  const std::string first = (flags.unix_domain ? "PATH " : "HOST ") + Quoted(flags.where.empty() ? "" : flags.where[0]);
  if (flags.listen) {
    plan.own = first;
    return;
  }
  plan.peer = first;
  if (flags.source.has_value()) plan.own = "-s " + Quoted(*flags.source);
  if (!flags.source_port.has_value()) return;
  plan.own += (plan.own.empty() ? "-p " : " -p ") + Quoted(*flags.source_port);
}

}  // namespace

absl::StatusOr<NcPlan> MakeNcPlan(const NcFlags& flags) {
  SOCKETEER_RETURN_IF_ERROR(CheckFlags(flags));
  NcPlan plan;
  SOCKETEER_ASSIGN_OR_RETURN(plan.wait, ParseWait(flags.wait));
  SOCKETEER_RETURN_IF_ERROR(flags.unix_domain ? FillUnix(flags, plan.open) : FillInet(flags, plan.open));
  if (flags.listen && !flags.udp) plan.open.mutable_listen();
  plan.listens = flags.listen;
  plan.datagrams = flags.udp;
  plan.unix_domain = flags.unix_domain;
  plan.shut_down = flags.shut_down;
  plan.keeps = flags.keep;
  FillTyped(flags, plan);
  return plan;
}

}  // namespace socketeer::cli
