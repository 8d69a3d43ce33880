#include "server/rpc/outcome.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>

#include "server/net/errno_table.h"
#include "server/rpc/method.h"
#include "socketeer/v1/coordination_service.pb.h"
#include "socketeer/v1/host_service.pb.h"
#include "socketeer/v1/session_service.pb.h"
#include "socketeer/v1/socket_service.pb.h"

namespace socketeer::rpc {
namespace {

std::string TextOf(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::set<std::string> Found(const std::string& text, const std::string& pattern) {
  const std::regex regex(pattern);
  std::set<std::string> found;
  for (std::sregex_iterator each(text.begin(), text.end(), regex), end; each != end; ++each) found.insert((*each)[1]);
  return found;
}

std::string WordOf(const base::Error& error) { return OutcomeWords()[OutcomeOf(error)]; }

// A reason that is not in the table would be counted as OTHER.
TEST(Outcomes, EveryReasonOfTheContractIsOne) {
  const auto reasons = Found(TextOf("proto/socketeer/v1/error.proto"), R"(//   ([A-Z_]{6,}) )");
  ASSERT_GT(reasons.size(), 30u);
  for (const std::string& reason : reasons) {
    base::Error error;
    error.reason = reason;
    EXPECT_EQ(WordOf(error), reason);
  }
}

TEST(Outcomes, EveryErrnoOfLinuxIsOne) {
  for (const net::ErrnoRow& row : net::ErrnoTable()) {
    EXPECT_EQ(WordOf(net::KernelError("send", "sendmsg", row.number)), row.name);
  }
}

TEST(Outcomes, WhatIsNoneOfThemIsOther) {
  EXPECT_EQ(WordOf(net::KernelError("send", "sendmsg", 4095)), "OTHER");
  for (const char* const reason : {"", "A", "SOCKET", "SOCKET_GONE", "ZZZ"}) {
    base::Error error;
    error.reason = reason;
    EXPECT_EQ(WordOf(error), "OTHER") << reason;
  }
}

TEST(Outcomes, TheirWordsDifferAndThereIsRoomForThem) {
  const std::set<std::string> words(OutcomeWords().begin(), OutcomeWords().end());
  EXPECT_EQ(words.size(), OutcomeWords().size());
  EXPECT_LE(OutcomeWords().size(), kMaxOutcomes);
  EXPECT_EQ(OutcomeWords()[kOkOutcome], "OK");
  EXPECT_EQ(OutcomeWords()[kTimedOutOutcome], "TIMED_OUT");
  EXPECT_EQ(OutcomeWords()[kRepeatedOutcome], "REPEATED");
  EXPECT_EQ(OutcomeWords()[kCancelledOutcome], "CANCELLED");
}

// A limit that is not in the list would be counted as "other".
TEST(Limits, EveryOneThatIsToldIsInTheList) {
  std::set<std::string> told;
  for (const auto& entry : std::filesystem::recursive_directory_iterator("server")) {
    if (entry.path().extension() == ".cc") told.merge(Found(TextOf(entry.path()), R"re(LimitReached\("(\w+)")re"));
  }
  ASSERT_GT(told.size(), 10u);
  for (const std::string& name : told) EXPECT_THAT(LimitNames(), ::testing::Contains(name));
  EXPECT_THAT(LimitNames(), ::testing::IsSupersetOf({"quota.sockets", "quota.bytes_per_second"}));
}

TEST(Reasons, EveryOneWhyACallerIsNotBelievedIsInTheList) {
  const auto unauthenticated = Found(TextOf("server/base/error.cc"), R"re(kUnauthenticated, \S+ "(\w+)")re");
  ASSERT_GT(unauthenticated.size(), 5u);
  for (const std::string& reason : unauthenticated) {
    EXPECT_THAT(AuthenticationReasons(), ::testing::Contains(reason));
  }
}

TEST(Methods, AreThoseOfTheContract) {
  std::set<std::pair<std::string, bool>> contract, ours;
  for (const auto* file :
       {v1::OpenSocketRequest::descriptor()->file(), v1::GetHostRequest::descriptor()->file(),
        v1::CreateSessionRequest::descriptor()->file(), v1::AwaitBarrierRequest::descriptor()->file()}) {
    for (int s = 0; s < file->service_count(); ++s) {
      for (int m = 0; m < file->service(s)->method_count(); ++m) {
        const auto* const method = file->service(s)->method(m);
        contract.emplace(method->name(), method->server_streaming());
      }
    }
  }
  for (const MethodRow& row : kMethodRows) ours.emplace(row.name, row.is_stream);
  EXPECT_EQ(ours, contract);
  EXPECT_EQ(kMethodRows.size(), contract.size());
  EXPECT_STREQ(RowOf(Method::kGetQuota).name, "GetQuota");
  EXPECT_STREQ(RowOf(Method::kWatchSockets).name, "WatchSockets");
  EXPECT_STREQ(RowOf(Method::kCreateSession).name, "CreateSession");
  EXPECT_STREQ(RowOf(Method::kListValues).name, "ListValues");
}

}  // namespace
}  // namespace socketeer::rpc
