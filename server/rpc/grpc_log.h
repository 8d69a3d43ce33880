// gRPC's own log as lines of the daemon's: whoever may connect can make gRPC write one for each connection, so they
// have a rate.
#pragma once

#include <grpc/support/log.h>

#include <cstdint>
#include <mutex>
#include <string>

#include "server/base/clock.h"
#include "server/rpc/log.h"

namespace socketeer::rpc {

// Thread-safe.
class GrpcLog {
 public:
  // `all`: without a rate. `clock` must outlive this.
  GrpcLog(Log log, const base::Clock& clock, bool all);

  void Tell(const gpr_log_func_args& line);
  // Says what was left out since the last line; from now on nothing is told.
  void End();

 private:
  bool MayTell();

  const Log log_;
  const base::Clock& clock_;
  const bool all_;
  std::mutex mutex_;  // guards all below, and the log: nothing is told after End()
  uint32_t room_;     // lines that may be told at once
  base::MonotonicTime refilled_;
  uint64_t left_out_ = 0;
  bool ended_ = false;
};

// From now on gRPC writes there and not to the standard error. Once in a process, before gRPC is used. Which severities
// it writes is for GRPC_VERBOSITY, as in gRPC's documentation; who sets it to more than errors gets all lines.
void RouteGrpcLog(Log log);
// When `log` is about to go. gRPC's threads may go on.
void EndGrpcLog();

}  // namespace socketeer::rpc
