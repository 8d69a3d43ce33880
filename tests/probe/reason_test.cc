// What an error means for who asks whether a host is reached.
#include "client/probe/reason.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <string>

#include "absl/strings/cord.h"
#include "google/rpc/error_details.pb.h"
#include "socketeer/error.h"

namespace socketeer::probe {
namespace {

using ::testing::HasSubstr;

template <typename Message>
void Attach(const Message& message, absl::Status* status) {
  status->SetPayload("type.googleapis.com/" + message.GetDescriptor()->full_name(),
                     absl::Cord(message.SerializeAsString()));
}

absl::Status ErrorOf(v1::Origin origin, const std::string& reason, int number = 0,
                     absl::StatusCode code = absl::StatusCode::kFailedPrecondition) {
  absl::Status status(code, "as the daemon says");
  google::rpc::ErrorInfo info;
  info.set_domain("socketeer");
  info.set_reason(reason);
  Attach(info, &status);
  v1::SocketError error;
  error.set_origin(origin);
  error.set_errno_number(number);
  Attach(error, &status);
  return status;
}

Reason OfErrno(int number, bool far_listens = false) {
  return ReasonOfError(ErrorOf(v1::ORIGIN_KERNEL, "E", number), far_listens);
}

TEST(Reason, OfWhatTheKernelSays) {
  EXPECT_EQ(OfErrno(ECONNREFUSED), Reason::kRefused);
  EXPECT_EQ(OfErrno(ENOENT), Reason::kRefused);
  EXPECT_EQ(OfErrno(ETIMEDOUT), Reason::kTimeout);
  for (const int number : {EHOSTUNREACH, ENETUNREACH, ENETDOWN, EHOSTDOWN, ENOPROTOOPT, EACCES}) {
    EXPECT_EQ(OfErrno(number), Reason::kUnreachable) << number;
  }
  for (const int number : {ECONNRESET, ECONNABORTED, EPIPE}) EXPECT_EQ(OfErrno(number), Reason::kReset) << number;
  EXPECT_EQ(OfErrno(EPERM), Reason::kDropped);
  for (const int number : {EADDRNOTAVAIL, EMFILE, EINVAL}) EXPECT_EQ(OfErrno(number), Reason::kFailed) << number;
}

TEST(Reason, WhereAFarEndListensNobodyElseRefuses) {
  EXPECT_EQ(OfErrno(ECONNREFUSED, true), Reason::kRejected);
  EXPECT_EQ(OfErrno(ETIMEDOUT, true), Reason::kDropped);
  EXPECT_EQ(ReasonOfError(TimedOutError("connect"), true), Reason::kDropped);
  EXPECT_EQ(OfErrno(EHOSTUNREACH, true), Reason::kUnreachable);
}

TEST(Reason, OfTheCallsOwnTimeout) { EXPECT_EQ(ReasonOfError(TimedOutError("connect"), false), Reason::kTimeout); }

TEST(Reason, WhatADaemonRefuses) {
  EXPECT_EQ(ReasonOfError(ErrorOf(v1::ORIGIN_POLICY, "POLICY_DENIED"), false), Reason::kDenied);
  EXPECT_EQ(ReasonOfError(ErrorOf(v1::ORIGIN_DAEMON, "TOKEN_UNKNOWN", 0, absl::StatusCode::kUnauthenticated), false),
            Reason::kDenied);
  EXPECT_EQ(ReasonOfError(ErrorOf(v1::ORIGIN_DAEMON, "NAME_NOT_RESOLVED"), false), Reason::kDns);
  EXPECT_EQ(ReasonOfError(ErrorOf(v1::ORIGIN_LIMIT, "LIMIT_REACHED"), false), Reason::kFailed);
}

TEST(Reason, WhereNoDaemonAnswersNothingIsKnown) {
  EXPECT_EQ(ReasonOfError(ErrorOf(v1::ORIGIN_DAEMON, "DRAINING", 0, absl::StatusCode::kUnavailable), true),
            Reason::kNoDaemon);
  EXPECT_EQ(ReasonOfError(absl::UnavailableError("no"), true), Reason::kNoDaemon);
  EXPECT_EQ(ReasonOfError(absl::DeadlineExceededError("it stopped answering"), true), Reason::kNoDaemon);
  EXPECT_EQ(ReasonOfError(absl::UnauthenticatedError("TLS"), true), Reason::kNoDaemon);
}

TEST(Expected, EachWordIsItsReason) {
  int words = 0;
  for (int i = static_cast<int>(Reason::kOpen); i <= static_cast<int>(Reason::kFailed); ++i) {
    const auto reason = static_cast<Reason>(i);
    const absl::StatusOr<Expected> expected = ParseExpected(ReasonWord(reason));
    ASSERT_TRUE(expected.ok()) << ReasonWord(reason);
    EXPECT_EQ(*expected, Expected{reason});
    EXPECT_EQ(ExpectedText(*expected), ReasonWord(reason));
    ++words;
  }
  EXPECT_EQ(words, 14);
}

TEST(Expected, BlockedIsWhatTheNetworkDoes) {
  const Expected blocked = {Reason::kRefused, Reason::kTimeout, Reason::kUnreachable,
                            Reason::kReset,   Reason::kDropped, Reason::kRejected};
  EXPECT_EQ(*ParseExpected("blocked"), blocked);
  EXPECT_EQ(ExpectedText(blocked), "blocked");
  EXPECT_EQ(ExpectedText({Reason::kRefused, Reason::kTimeout}), "refused or timeout");
}

TEST(Expected, AnotherWordIsRefused) {
  const auto wrong = ParseExpected("shut");
  EXPECT_TRUE(absl::IsInvalidArgument(wrong.status()));
  EXPECT_THAT(std::string(wrong.status().message()), HasSubstr("\"shut\" is not what a probe finds: open, refused, "));
}

}  // namespace
}  // namespace socketeer::probe
