#include "client/cli/probe_plan.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "client/cli/cli.h"
#include "socketeer/endpoint.h"
#include "socketeer/names.h"
#include "socketeer/status_macros.h"
#include "socketeer/text.h"

namespace socketeer::cli {
namespace {

bool IsUnix(const std::string& text) {
  return text.starts_with("/") || text.starts_with("./") || text.starts_with("@") || text.starts_with("unix:");
}

bool IsIpv6(const std::string& host) { return host.find(':') != host.npos; }

absl::StatusOr<HostEntry> FindHost(const std::string& name, const std::optional<HostsFile>& hosts) {
  if (hosts.has_value()) return hosts->Find(name);
  return UsageError("there is no hosts file that says where " + Quoted(name) + " is");
}

// Of a host of the hosts file, or of any other: "10.0.0.2", "fd00::1", "example".
absl::StatusOr<v1::Endpoint> AddressOf(const std::string& to, uint16_t port, const std::optional<HostsFile>& hosts) {
  std::string host = to;
  if (hosts.has_value() && CheckHostName(to).ok()) {
    if (const absl::StatusOr<HostEntry> entry = hosts->Find(to); entry.ok()) {
      host = DataAddressOf(*entry);
      if (host.empty()) {
        return UsageError("where " + to + " is reached is not known: its daemon is at " + Printable(entry->address) +
                          ", and it has no data_address in the hosts file");
      }
    }
  }
  return EndpointAt(host, std::to_string(port));
}

absl::StatusOr<probe::Port> ParseArrowPort(const std::string& text, bool udp) {
  SOCKETEER_ASSIGN_OR_RETURN(probe::Port port, probe::ParsePort(text));
  if (udp && text.find('/') == text.npos) port.protocol = probe::Protocol::kUdp;
  return port;
}

absl::Status CheckFrom(const std::string& from, const std::optional<HostsFile>& hosts) {
  return from == kFromHere ? absl::OkStatus() : FindHost(from, hosts).status();
}

}  // namespace

std::string ToText(const ProbeCell& cell) {
  if (!cell.port.has_value()) return Printable(cell.to);
  return (IsIpv6(cell.to) ? "[" + cell.to + "]" : cell.to) + ":" + std::to_string(*cell.port);
}

absl::StatusOr<v1::Endpoint> EndpointAt(const std::string& host, const std::string& port) {
  return ParseEndpoint((IsIpv6(host) ? "[" + host + "]" : host) + ":" + port, EndpointUse::kConnect);
}

absl::StatusOr<std::vector<ProbeCell>> ParseArrow(const std::string& text, bool udp,
                                                  const std::optional<HostsFile>& hosts) {
  const size_t arrow = text.find("->");
  if (arrow == text.npos) {
    return UsageError(Quoted(text) +
                      " is no arrow; write 'FROM->TO:PORT', in quotation marks: to the shell > is a file");
  }
  ProbeCell cell{.from = std::string(absl::StripAsciiWhitespace(text.substr(0, arrow)))};
  SOCKETEER_RETURN_IF_ERROR(CheckFrom(cell.from, hosts));
  const std::string to(absl::StripAsciiWhitespace(text.substr(arrow + 2)));
  if (IsUnix(to)) {
    cell.to = to;
    if (udp) return UsageError("--udp does not go with a UNIX socket");
    SOCKETEER_ASSIGN_OR_RETURN(cell.address, ParseEndpoint(to, EndpointUse::kConnect));
    return std::vector{cell};
  }
  const size_t colon = to.rfind(':');
  if (colon == to.npos || colon == 0) return UsageError(Quoted(text) + ": behind the arrow stands HOST:PORT");
  cell.to = to.substr(0, colon);
  const bool bracketed = cell.to.size() > 2 && cell.to.front() == '[' && cell.to.back() == ']';
  if (bracketed) cell.to = cell.to.substr(1, cell.to.size() - 2);
  if (IsIpv6(cell.to) && !bracketed) return UsageError(Quoted(text) + ": an IPv6 address stands in brackets: [::1]:80");
  std::vector<ProbeCell> cells;
  for (const std::string& each : std::vector<std::string>(absl::StrSplit(to.substr(colon + 1), ','))) {
    SOCKETEER_ASSIGN_OR_RETURN(const probe::Port port, InArgument(Quoted(text), ParseArrowPort(each, udp)));
    cell.port = port.number;
    cell.protocol = port.protocol;
    SOCKETEER_ASSIGN_OR_RETURN(cell.address, AddressOf(cell.to, port.number, hosts));
    cells.push_back(cell);
  }
  return cells;
}

absl::StatusOr<std::vector<ProbeCell>> CellsOf(const probe::Matrix& matrix, const std::optional<HostsFile>& hosts) {
  std::vector<ProbeCell> cells;
  for (const std::string& from : matrix.from) SOCKETEER_RETURN_IF_ERROR(CheckFrom(from, hosts));
  for (const probe::Cell& each : matrix.cells) {
    SOCKETEER_ASSIGN_OR_RETURN(v1::Endpoint address, AddressOf(each.to, each.port.number, hosts));
    cells.push_back({.from = each.from,
                     .to = each.to,
                     .port = each.port.number,
                     .protocol = each.port.protocol,
                     .address = std::move(address),
                     .expected = each.expected});
  }
  return cells;
}

absl::StatusOr<std::vector<HostEntry>> HostsOf(const ProbePlan& plan, const std::optional<HostsFile>& hosts) {
  std::set<std::string> names;
  for (const ProbeCell& cell : plan.cells) {
    if (cell.from != kFromHere) names.insert(cell.from);
    if (!plan.listen) continue;
    if (!CheckHostName(cell.to).ok() || !FindHost(cell.to, hosts).ok()) {
      return UsageError("to listen at " + Quoted(ToText(cell)) + " a daemon is needed there, and " + Quoted(cell.to) +
                        " is no host of the hosts file");
    }
    names.insert(cell.to);
  }
  std::vector<HostEntry> entries;
  for (const std::string& name : names) {
    SOCKETEER_ASSIGN_OR_RETURN(HostEntry entry, FindHost(name, hosts));
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace socketeer::cli
