#include "server/rpc/outcome.h"

#include <algorithm>
#include <array>

#include "server/net/errno_table.h"
#include "server/quota/allowance.h"

namespace socketeer::rpc {
namespace {

// The words of error.proto but for CANCELLED, in the order of the alphabet.
constexpr std::array kReasons = {"ACCEPTED_BY_ANOTHER",
                                 "BARRIER_BROKEN",
                                 "BARRIER_GENERATION",
                                 "BARRIER_PARTIES_DIFFER",
                                 "BARRIER_PARTY_EXISTS",
                                 "CALL_WAITING",
                                 "CERTIFICATE_EXPIRED",
                                 "CERTIFICATE_WITHOUT_IDENTITY",
                                 "CREDENTIALS_MISSING",
                                 "CREDIT_EXCEEDED",
                                 "DRAINING",
                                 "GRANT_INSUFFICIENT",
                                 "GRANT_NOT_FOUND",
                                 "GRANT_WITHDRAWN",
                                 "IDENTITY_REMOVED",
                                 "INVALID_FIELD",
                                 "LIMIT_REACHED",
                                 "NAME_NOT_RESOLVED",
                                 "OFFSET_OUT_OF_RANGE",
                                 "PATH_CHANGED",
                                 "POLICY_DENIED",
                                 "REQUEST_ID_REUSED",
                                 "REVISION_TOO_OLD",
                                 "SESSION_ENDED",
                                 "SESSION_EXISTS",
                                 "SESSION_NOT_FOUND",
                                 "SOCKET_ATTACHED",
                                 "SOCKET_CLOSED",
                                 "SOCKET_EXISTS",
                                 "SOCKET_NOT_FOUND",
                                 "TAKEN_OVER",
                                 "TOKEN_IN_PLAIN_TEXT",
                                 "TOKEN_UNKNOWN",
                                 "UID_MISMATCH",
                                 "UNKNOWN_CALLER",
                                 "UNKNOWN_FIELD",
                                 "VALUE_EXISTS",
                                 "VALUE_NOT_FOUND",
                                 "WRONG_KIND",
                                 "WRONG_STATE"};
constexpr size_t kMaxErrno = 133;
constexpr Outcome kOther = 4;

struct Words {
  Words() {
    all = {"OK", "TIMED_OUT", "REPEATED", "CANCELLED", "OTHER"};
    first_reason = all.size();
    for (const char* const reason : kReasons) all.emplace_back(reason);
    for (const net::ErrnoRow& row : net::ErrnoTable()) {
      if (static_cast<size_t>(row.number) >= by_errno.size()) continue;
      by_errno[static_cast<size_t>(row.number)] = static_cast<Outcome>(all.size());
      all.emplace_back(row.name);
    }
  }
  std::vector<std::string> all;
  size_t first_reason = 0;
  std::array<Outcome, kMaxErrno + 1> by_errno{};  // 0: none
};

const Words& TheWords() {
  static const Words words;
  return words;
}

}  // namespace

Outcome OutcomeOf(const base::Error& error) {
  const Words& words = TheWords();
  if (error.errno_number > 0) {
    const auto number = static_cast<size_t>(error.errno_number);
    const Outcome found = number < words.by_errno.size() ? words.by_errno[number] : Outcome{0};
    return found == 0 ? kOther : found;
  }
  if (error.reason == "CANCELLED") return kCancelledOutcome;
  const auto found = std::ranges::lower_bound(kReasons, std::string_view(error.reason), {},
                                              [](const char* word) { return std::string_view(word); });
  if (found == kReasons.end() || error.reason != *found) return kOther;
  return static_cast<Outcome>(words.first_reason + static_cast<size_t>(found - kReasons.begin()));
}

const std::vector<std::string>& OutcomeWords() { return TheWords().all; }

const std::vector<std::string>& LimitNames() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all = {"max_sockets",
                                    "max_connections",
                                    "max_calls",
                                    "max_labels",
                                    "max_label_bytes",
                                    "max_waiting_calls_per_direction",
                                    "max_resolutions",
                                    "max_resolutions_per_identity",
                                    "max_sessions",
                                    "max_retained_bytes_per_socket",
                                    "max_retained_bytes",
                                    "max_send_window_bytes",
                                    "max_grants_per_socket",
                                    "max_request_bytes",
                                    "max_request_weight",
                                    "max_values",
                                    "max_values_per_identity"};
    for (size_t i = 0; i < quota::kCounts; ++i) {
      all.push_back(std::string("quota.") + quota::NameOf(static_cast<quota::Count>(i)));
    }
    for (size_t i = 0; i < quota::kRates; ++i) {
      all.push_back(std::string("quota.") + quota::NameOf(static_cast<quota::Rate>(i)));
    }
    return all;
  }();
  return names;
}

const std::vector<std::string>& AuthenticationReasons() {
  static const std::vector<std::string> reasons = {"CERTIFICATE_EXPIRED", "CERTIFICATE_WITHOUT_IDENTITY",
                                                   "CREDENTIALS_MISSING", "IDENTITY_REMOVED",
                                                   "TOKEN_IN_PLAIN_TEXT", "TOKEN_UNKNOWN",
                                                   "UNKNOWN_CALLER"};
  return reasons;
}

size_t PlaceOf(const std::vector<std::string>& words, std::string_view word) {
  return static_cast<size_t>(std::ranges::find(words, word) - words.begin());
}

}  // namespace socketeer::rpc
