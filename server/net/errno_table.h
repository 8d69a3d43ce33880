// The one table from errno to name and status code (docs/errors.md is made from it).
#pragma once

#include <span>
#include <string>

#include "server/base/error.h"

namespace socketeer::net {

struct ErrnoRow {
  int number;
  const char* name;  // "ECONNREFUSED"
  base::Code code;
};

// Every errno of Linux (errno-base.h and errno.h), by number. No code in it is kUnavailable, kCancelled or kInternal:
// those speak of the RPC.
std::span<const ErrnoRow> ErrnoTable();

// "ECONNREFUSED"; a number that Linux does not have: "E4095".
std::string ErrnoName(int number);
// kFailedPrecondition for a number that is not in the table.
base::Code ErrnoCode(int number);

// A kernel error without the socket's part: code, origin, reason, message ("bind: Address already in use
// (EADDRINUSE)"), operation, system_call, errno_number.
base::Error KernelError(std::string operation, std::string system_call, int number);

}  // namespace socketeer::net
