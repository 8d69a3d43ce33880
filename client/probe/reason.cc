#include "client/probe/reason.h"

#include <cerrno>
#include <utility>

#include "socketeer/error.h"
#include "socketeer/text.h"

namespace socketeer::probe {
namespace {

constexpr std::string_view kBlocked = "blocked";

constexpr std::pair<Reason, std::string_view> kWords[] = {
    {Reason::kOpen, "open"},
    {Reason::kRefused, "refused"},
    {Reason::kTimeout, "timeout"},
    {Reason::kUnreachable, "unreachable"},
    {Reason::kReset, "reset"},
    {Reason::kDropped, "dropped"},
    {Reason::kRejected, "rejected"},
    {Reason::kOneWay, "one-way"},
    {Reason::kSomebodyElse, "somebody-else"},
    {Reason::kNoAnswer, "no-answer"},
    {Reason::kDns, "dns"},
    {Reason::kDenied, "denied"},
    {Reason::kNoDaemon, "no-daemon"},
    {Reason::kFailed, "failed"},
};

Expected AllBlocked() {
  Expected all;
  for (const auto& [reason, word] : kWords) {
    if (IsBlocked(reason)) all.insert(reason);
  }
  return all;
}

Reason ReasonOfErrno(int number, bool far_listens) {
  switch (number) {
    case ECONNREFUSED:
    case ENOENT:  // of a UNIX socket
      return far_listens ? Reason::kRejected : Reason::kRefused;
    case ETIMEDOUT:
      return far_listens ? Reason::kDropped : Reason::kTimeout;
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EHOSTDOWN:
    case ENETDOWN:
    case ENOPROTOOPT:  // ICMP's protocol unreachable
    case EACCES:       // a route that prohibits
      return Reason::kUnreachable;
    case ECONNRESET:
    case ECONNABORTED:
    case EPIPE:
      return Reason::kReset;
    case EPERM:  // netfilter's, to who sends
      return Reason::kDropped;
    default:
      return Reason::kFailed;
  }
}

}  // namespace

std::string_view ReasonWord(Reason reason) {
  for (const auto& [each, word] : kWords) {
    if (each == reason) return word;
  }
  return "failed";
}

bool IsBlocked(Reason reason) {
  switch (reason) {
    case Reason::kRefused:
    case Reason::kTimeout:
    case Reason::kUnreachable:
    case Reason::kReset:
    case Reason::kDropped:
    case Reason::kRejected:
      return true;
    default:
      return false;
  }
}

absl::StatusOr<Expected> ParseExpected(std::string_view word) {
  if (word == kBlocked) return AllBlocked();
  std::string known;
  for (const auto& [reason, each] : kWords) {
    if (each == word) return Expected{reason};
    known += std::string(each) + ", ";
  }
  return absl::InvalidArgumentError(Quoted(word) + " is not what a probe finds: " + known + std::string(kBlocked));
}

std::string ExpectedText(const Expected& expected) {
  if (expected == AllBlocked()) return std::string(kBlocked);
  std::string text;
  for (const Reason reason : expected) text += (text.empty() ? "" : " or ") + std::string(ReasonWord(reason));
  return text;
}

Reason ReasonOfError(const absl::Status& status, bool far_listens) {
  switch (Classify(status)) {
    case ErrorKind::kKernel:
      return ReasonOfErrno(ErrnoOf(status), far_listens);
    case ErrorKind::kTimedOut:
      return far_listens ? Reason::kDropped : Reason::kTimeout;
    case ErrorKind::kPolicy:
      return Reason::kDenied;
    case ErrorKind::kDraining:
    case ErrorKind::kUnreachable:
    case ErrorKind::kTls:
    case ErrorKind::kProtocol:
      return Reason::kNoDaemon;
    case ErrorKind::kDaemon:
      if (ReasonOf(status) == "NAME_NOT_RESOLVED") return Reason::kDns;
      // Who is taken for nobody, or for somebody who may not.
      if (absl::IsUnauthenticated(status) || absl::IsPermissionDenied(status)) return Reason::kDenied;
      return Reason::kFailed;
    default:
      return Reason::kFailed;
  }
}

}  // namespace socketeer::probe
