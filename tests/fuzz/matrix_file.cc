// A reachability matrix: read or refused with its place; of one that was read, no cell asks for what no probe can do.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "client/probe/matrix.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace socketeer::probe;  // NOLINT: a target of one function
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto matrix = ReadMatrix(text, "f/m");
  if (!matrix.ok()) {
    if (!std::string(matrix.status().message()).starts_with("f/m:")) std::abort();
    return 0;
  }
  if (matrix->cells.empty()) std::abort();
  for (const Cell& cell : matrix->cells) {
    if (cell.from == cell.to || cell.port.number == 0) std::abort();
    if (!std::ranges::count(matrix->from, cell.from) || !std::ranges::count(matrix->to, cell.to)) std::abort();
    const auto again = ParsePort(PortText(cell.port));
    if (!again.ok() || !(*again == cell.port)) std::abort();
  }
  if (matrix->timeout.has_value() && (*matrix->timeout < kMinTimeout || *matrix->timeout > kMaxProbeTimeout)) {
    std::abort();
  }
  return 0;
}
