// What `socketeer probe` asks: of arrows on the command line, or of a matrix.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/probe/matrix.h"
#include "client/probe/probe.h"
#include "socketeer/hosts_file.h"

namespace socketeer::cli {

inline constexpr char kFromHere[] = ".";

// One arrow.
struct ProbeCell {
  std::string from{};  // of the hosts file; ".": the daemon of --host
  std::string to{};    // a host of the hosts file, an address, or a UNIX socket
  std::optional<uint16_t> port{};
  probe::Protocol protocol = probe::Protocol::kTcp;
  v1::Endpoint address{};  // what `to` and `port` lead to
  probe::Expected expected{};
};

// "b:80", "[fd00::1]:80", "/run/x.sock"
std::string ToText(const ProbeCell& cell);

struct ProbePlan {
  std::vector<ProbeCell> cells{};
  bool listen = false;
  absl::Duration timeout = probe::kDefaultTimeout;
};

// "10.0.0.2" or "fd00::1" or a name, and a port.
absl::StatusOr<v1::Endpoint> EndpointAt(const std::string& host, const std::string& port);

// "a->b:80,udp/53": a cell for each port. `udp`: ports that do not say are UDP's.
absl::StatusOr<std::vector<ProbeCell>> ParseArrow(const std::string& text, bool udp,
                                                  const std::optional<HostsFile>& hosts);
absl::StatusOr<std::vector<ProbeCell>> CellsOf(const probe::Matrix& matrix, const std::optional<HostsFile>& hosts);

// The hosts of the hosts file whose daemons are asked, each once.
absl::StatusOr<std::vector<HostEntry>> HostsOf(const ProbePlan& plan, const std::optional<HostsFile>& hosts);

}  // namespace socketeer::cli
