// docs/errors.md and error.proto say what the code does.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <tuple>
#include <vector>

#include "server/net/errno_table.h"

#ifndef SOCKETEER_SOURCE_DIR
#define SOCKETEER_SOURCE_DIR "."
#endif

namespace socketeer::net {
namespace {

using base::Code;
using base::Origin;

const std::map<Code, std::string> kCodeNames = {
    {Code::kCancelled, "CANCELLED"},
    {Code::kInvalidArgument, "INVALID_ARGUMENT"},
    {Code::kNotFound, "NOT_FOUND"},
    {Code::kAlreadyExists, "ALREADY_EXISTS"},
    {Code::kPermissionDenied, "PERMISSION_DENIED"},
    {Code::kResourceExhausted, "RESOURCE_EXHAUSTED"},
    {Code::kOutOfRange, "OUT_OF_RANGE"},
    {Code::kFailedPrecondition, "FAILED_PRECONDITION"},
    {Code::kAborted, "ABORTED"},
    {Code::kUnimplemented, "UNIMPLEMENTED"},
    {Code::kUnavailable, "UNAVAILABLE"},
    {Code::kUnauthenticated, "UNAUTHENTICATED"},
};
const std::map<Origin, std::string> kOriginNames = {{Origin::kPolicy, "POLICY"},
                                                    {Origin::kRegistry, "REGISTRY"},
                                                    {Origin::kLimit, "LIMIT"},
                                                    {Origin::kDaemon, "DAEMON"}};

std::vector<std::string> LinesOf(const std::string& file) {
  std::ifstream stream(SOCKETEER_SOURCE_DIR "/" + file);
  EXPECT_TRUE(stream) << file << ": run me in the source directory";
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

TEST(ErrorsDoc, HasTheErrnoTable) {
  const std::regex row(R"(\| ([A-Z_]+) \| (E[A-Z0-9]+(?:, E[A-Z0-9]+)*) \|)");
  std::vector<std::pair<std::string, std::string>> documented, expected;  // errno, code
  std::smatch match;
  for (const std::string& line : LinesOf("docs/errors.md")) {
    if (!std::regex_match(line, match, row)) continue;
    std::istringstream names(match[2]);
    for (std::string name; names >> name;) {
      if (name.back() == ',') name.pop_back();
      documented.emplace_back(name, match[1]);
    }
  }
  for (const ErrnoRow& each : ErrnoTable()) expected.emplace_back(each.name, kCodeNames.at(each.code));
  EXPECT_THAT(documented, ::testing::UnorderedElementsAreArray(expected));
}

using Reason = std::tuple<std::string, std::string, std::string>;  // reason, code, origin

std::set<Reason> ReasonsOfTheCode() {
  std::set<Reason> reasons;
  for (const base::Error& error : {base::InvalidField("f", "g", "a"),
                                   base::UnknownField("f"),
                                   base::WrongKind("send", "udp4", "SendDatagrams"),
                                   base::WrongState("shutdown", "why"),
                                   base::CallWaiting("send"),
                                   base::CallsWaiting(),
                                   base::SocketAttached(),
                                   base::TakenOver(),
                                   base::CreditExceeded("data", 2, 1),
                                   base::SocketNotFound("a"),
                                   base::SocketGone("a"),
                                   base::SocketClosedWhileWaiting(),
                                   base::SocketExists("a"),
                                   base::UidMismatch("a", "u"),
                                   base::GrantInsufficient("a", "OBSERVE", "USE"),
                                   base::GrantWithdrawn("sockets/a"),
                                   base::GrantNotFound("a", "uid:1"),
                                   base::AcceptedByAnother(1),
                                   base::SessionNotFound("s"),
                                   base::SessionExists("s"),
                                   base::SessionGone("s", "OWNER"),
                                   base::SessionEnded("sessions/s", "OWNER"),
                                   base::RequestIdReused("r"),
                                   base::BarrierBroken("b", {}),
                                   base::BarrierPartiesDiffer("b", 1, 2),
                                   base::BarrierPartyExists("b", "p"),
                                   base::BarrierGeneration("b", 1, 2),
                                   base::ValueNotFound("v"),
                                   base::ValueExists("v"),
                                   base::RevisionTooOld(1, 2, 3),
                                   base::LimitReached("max_sockets", 1),
                                   base::OffsetOutOfRange("offset", 1, 2, 3),
                                   base::NameNotResolved("h", "r", false),
                                   base::NameNotResolved("h", "r", true),
                                   base::Draining(),
                                   base::PolicyDenied("connect", "no rule matches"),
                                   base::PathChanged("/x"),
                                   base::UnknownCaller(),
                                   base::CredentialsMissing(),
                                   base::CertificateWithoutIdentity(),
                                   base::CertificateExpired("t"),
                                   base::TokenUnknown("why"),
                                   base::TokenInPlainText(),
                                   base::IdentityRemoved(),
                                   base::Cancelled()}) {
    reasons.emplace(error.reason, kCodeNames.at(error.code), kOriginNames.at(error.origin));
  }
  return reasons;
}

TEST(ErrorsDoc, HasTheReasonsWithCodeAndOrigin) {
  const std::regex row(R"(\| ([A-Z_]+) \| ([A-Z_]+) \| ([A-Z]+) \| .+ \|)");
  std::set<Reason> documented;
  std::smatch match;
  for (const std::string& line : LinesOf("docs/errors.md")) {
    if (std::regex_match(line, match, row)) documented.emplace(match[1], match[2], match[3]);
  }
  EXPECT_EQ(documented, ReasonsOfTheCode());
}

TEST(ErrorProto, ListsTheReasons) {
  const std::regex row("//   ([A-Z]+_[A-Z_]+|DRAINING|CANCELLED) +\\S.*");
  std::set<std::string> documented, expected;
  std::smatch match;
  for (const std::string& line : LinesOf("proto/socketeer/v1/error.proto")) {
    if (std::regex_match(line, match, row)) documented.insert(match[1]);
  }
  for (const auto& [reason, code, origin] : ReasonsOfTheCode()) expected.insert(reason);
  EXPECT_EQ(documented, expected);
}

}  // namespace
}  // namespace socketeer::net
