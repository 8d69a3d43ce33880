// What Abseil 20220623 lacks: to leave a function with the error that a call returned.
#pragma once

#include <utility>

#include "absl/status/status.h"

// Returns from the function when `expression`, an absl::Status, is not OK.
#define SOCKETEER_RETURN_IF_ERROR(expression)                                                             \
  do {                                                                                                    \
    if (absl::Status socketeer_status_ = (expression); !socketeer_status_.ok()) return socketeer_status_; \
  } while (false)

// Defines or assigns `target` from `expression`, an absl::StatusOr, or returns its error.
#define SOCKETEER_ASSIGN_OR_RETURN(target, expression) \
  SOCKETEER_ASSIGN_OR_RETURN_NAMED_(SOCKETEER_CONCAT_(socketeer_result_, __LINE__), target, expression)

#define SOCKETEER_ASSIGN_OR_RETURN_NAMED_(result, target, expression) \
  auto result = (expression);                                         \
  if (!result.ok()) return std::move(result).status();                \
  target = *std::move(result)

#define SOCKETEER_CONCAT_(left, right) SOCKETEER_CONCAT_AGAIN_(left, right)
#define SOCKETEER_CONCAT_AGAIN_(left, right) left##right
