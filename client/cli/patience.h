// How long a verb that stays, goes on without its daemon.
#pragma once

#include <optional>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "client/cli/cli.h"

namespace socketeer::cli {

// Forgives a broken connection for --timeout, each time anew. A daemon that was not there from the beginning is not
// forgiven.
class Patience {
 public:
  // `cli` outlives this.
  explicit Patience(const Cli& cli) : cli_(cli) {}

  // The daemon answered, be it that it refused.
  void Answered();
  // OK: try again. Else the failure, which is to be the last.
  absl::Status Forgive(const absl::Status& failure);

 private:
  const Cli& cli_;
  bool answered_ = false;
  std::optional<absl::Time> broken_since_;
};

}  // namespace socketeer::cli
