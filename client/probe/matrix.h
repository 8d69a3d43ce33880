// Which hosts must reach which ports, as a file says: docs/probe.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/probe/far_end.h"
#include "client/probe/reason.h"

namespace socketeer::probe {

inline constexpr size_t kMaxMatrixBytes = 1 << 20;

struct Port {
  Protocol protocol = Protocol::kTcp;
  uint16_t number = 0;
};
bool operator==(const Port& one, const Port& other);
// "80" and "tcp/80"; "udp/53". INVALID_ARGUMENT for anything else.
absl::StatusOr<Port> ParsePort(std::string_view text);
// "tcp/80".
std::string PortText(const Port& port);

// One host, one port of another, and what must be found.
struct Cell {
  std::string from{};  // a host's name
  std::string to{};    // a host's name; without `listen` also an IP address or a name of the network
  Port port{};
  Expected expected{};
};

struct Matrix {
  std::vector<std::string> from{};
  std::vector<std::string> to{};
  std::vector<Port> ports{};
  std::vector<Cell> cells{};  // by port, then from, then to; none of a host to itself
  bool listen = false;
  std::optional<absl::Duration> timeout{};
};

// INVALID_ARGUMENT: the first mistake, "matrix.yaml:3:5: ...". Whether there are such hosts is not its affair.
absl::StatusOr<Matrix> ReadMatrix(const std::string& text, const std::string& file);

// The shortest and the longest that a probe can take.
inline constexpr absl::Duration kMinTimeout = absl::Milliseconds(10);
inline constexpr absl::Duration kMaxProbeTimeout = absl::Minutes(10);

}  // namespace socketeer::probe
