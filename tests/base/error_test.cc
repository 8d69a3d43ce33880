#include "server/base/error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "server/base/result.h"

namespace socketeer::base {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr int kStateClosed = 7;  // socketeer.v1.STATE_CLOSED

struct ErrorCase {
  Error error;
  const char* reason;
  Code code;
  Origin origin;
};

// The reasons of error.proto, each with its code and origin.
TEST(Error, ReasonsHaveTheirCodesAndOrigins) {
  const ErrorCase cases[] = {
      {InvalidField("f", "1", "2"), "INVALID_FIELD", Code::kInvalidArgument, Origin::kDaemon},
      {UnknownField("f"), "UNKNOWN_FIELD", Code::kInvalidArgument, Origin::kDaemon},
      {WrongKind("send", "udp4", "SendDatagrams"), "WRONG_KIND", Code::kFailedPrecondition, Origin::kDaemon},
      {WrongState("shutdown", "it has no connection"), "WRONG_STATE", Code::kFailedPrecondition, Origin::kDaemon},
      {CallWaiting("send"), "CALL_WAITING", Code::kFailedPrecondition, Origin::kDaemon},
      {CallsWaiting(), "CALL_WAITING", Code::kFailedPrecondition, Origin::kDaemon},
      {SocketAttached(), "SOCKET_ATTACHED", Code::kFailedPrecondition, Origin::kDaemon},
      {TakenOver(), "TAKEN_OVER", Code::kAborted, Origin::kDaemon},
      {CreditExceeded("data", 9, 8), "CREDIT_EXCEEDED", Code::kOutOfRange, Origin::kDaemon},
      {SocketNotFound("a"), "SOCKET_NOT_FOUND", Code::kNotFound, Origin::kRegistry},
      {SocketGone("a"), "SOCKET_CLOSED", Code::kNotFound, Origin::kRegistry},
      {SocketClosedWhileWaiting(), "SOCKET_CLOSED", Code::kAborted, Origin::kRegistry},
      {SocketExists("a"), "SOCKET_EXISTS", Code::kAlreadyExists, Origin::kRegistry},
      {UidMismatch("a", "u"), "UID_MISMATCH", Code::kFailedPrecondition, Origin::kRegistry},
      {LimitReached("max_sockets", 7), "LIMIT_REACHED", Code::kResourceExhausted, Origin::kLimit},
      {NameNotResolved("h", "r", false), "NAME_NOT_RESOLVED", Code::kNotFound, Origin::kDaemon},
      {NameNotResolved("h", "r", true), "NAME_NOT_RESOLVED", Code::kFailedPrecondition, Origin::kDaemon},
      {CredentialsMissing(), "CREDENTIALS_MISSING", Code::kUnauthenticated, Origin::kPolicy},
      {CertificateWithoutIdentity(), "CERTIFICATE_WITHOUT_IDENTITY", Code::kUnauthenticated, Origin::kPolicy},
      {CertificateExpired("t"), "CERTIFICATE_EXPIRED", Code::kUnauthenticated, Origin::kPolicy},
      {TokenUnknown("why"), "TOKEN_UNKNOWN", Code::kUnauthenticated, Origin::kPolicy},
      {TokenInPlainText(), "TOKEN_IN_PLAIN_TEXT", Code::kUnauthenticated, Origin::kPolicy},
      {IdentityRemoved(), "IDENTITY_REMOVED", Code::kUnauthenticated, Origin::kPolicy},
      {PolicyDenied("connect tcp:10.0.0.1:80", "no rule matches"), "POLICY_DENIED", Code::kPermissionDenied,
       Origin::kPolicy},
      {PathChanged("/run/x"), "PATH_CHANGED", Code::kPermissionDenied, Origin::kPolicy},
      {UnknownCaller(), "UNKNOWN_CALLER", Code::kPermissionDenied, Origin::kPolicy},
      {Draining(), "DRAINING", Code::kUnavailable, Origin::kDaemon},
      {Cancelled(), "CANCELLED", Code::kCancelled, Origin::kDaemon},
  };
  for (const ErrorCase& test : cases) {
    SCOPED_TRACE(test.reason);
    EXPECT_EQ(test.error.reason, test.reason);
    EXPECT_EQ(test.error.code, test.code);
    EXPECT_EQ(test.error.origin, test.origin);
    EXPECT_FALSE(test.error.message.empty());
    EXPECT_EQ(test.error.errno_number, 0);
    EXPECT_THAT(test.error.system_call, IsEmpty());
  }
}

TEST(Error, InvalidFieldSaysWhichWhatAndWhatWouldBe) {
  const Error error = InvalidField("bind.inet.port", "70000", "0 to 65535");
  EXPECT_EQ(error.message, "bind.inet.port is \"70000\"; it must be 0 to 65535");
  EXPECT_THAT(error.metadata,
              ElementsAre(Pair("allowed", "0 to 65535"), Pair("field", "bind.inet.port"), Pair("given", "70000")));
}

TEST(Error, UnknownFieldNamesIt) {
  const Error error = UnknownField("options.#17");
  EXPECT_THAT(error.message, HasSubstr("options.#17"));
  EXPECT_THAT(error.metadata, ElementsAre(Pair("field", "options.#17")));
}

TEST(Error, WrongKindSaysWhatFits) {
  const Error error = WrongKind("send", "udp4", "SendDatagrams");
  EXPECT_EQ(error.message, "send does not fit a udp4 socket; use SendDatagrams");
  EXPECT_EQ(error.operation, "send");
  EXPECT_THAT(error.metadata, ElementsAre(Pair("allowed", "SendDatagrams"), Pair("given", "udp4")));
  EXPECT_EQ(WrongKind("listen", "udp4", "").message, "listen does not fit a udp4 socket");
}

TEST(Error, WrongStateSaysWhy) {
  const Error error = WrongState("shutdown", "it has no connection");
  EXPECT_EQ(error.message, "shutdown: it has no connection");
  EXPECT_EQ(error.operation, "shutdown");
}

TEST(Error, CallWaitingSaysThatNothingWasDone) {
  EXPECT_THAT(CallWaiting("receive").message, AllOf(HasSubstr("receive"), HasSubstr("nothing was done")));
  EXPECT_EQ(CallWaiting("receive").operation, "receive");
}

TEST(Error, SocketErrorsNameTheSocket) {
  for (const Error& error :
       {SocketNotFound("web-1"), SocketGone("web-1"), SocketExists("web-1"), UidMismatch("web-1", "0b7c")}) {
    EXPECT_EQ(error.socket, "sockets/web-1");
    EXPECT_THAT(error.message, HasSubstr("web-1"));
  }
  EXPECT_THAT(UidMismatch("web-1", "0b7c").message, HasSubstr("0b7c"));
}

TEST(Error, AClosedSocketIsClosed) {
  EXPECT_EQ(SocketGone("a").state, kStateClosed);
  EXPECT_EQ(SocketClosedWhileWaiting().state, kStateClosed);
  EXPECT_EQ(SocketNotFound("a").state, 0);
}

TEST(Error, LimitReachedNamesTheLimit) {
  const Error error = LimitReached("max_sockets", 19232);
  EXPECT_THAT(error.message, AllOf(HasSubstr("max_sockets"), HasSubstr("19232")));
  EXPECT_THAT(error.metadata, ElementsAre(Pair("allowed", "19232"), Pair("limit", "max_sockets")));
}

TEST(Error, OffsetOutOfRangeNamesTheRange) {
  const Error error = OffsetOutOfRange("offset", 9, 2, 5);
  EXPECT_EQ(error.message, "offset is 9; it must be 2 to 5");
  EXPECT_EQ(error.code, Code::kOutOfRange);
  EXPECT_THAT(error.metadata,
              ElementsAre(Pair("field", "offset"), Pair("given", "9"), Pair("lowest", "2"), Pair("next", "5")));
  EXPECT_EQ(OffsetOutOfRange("sequence", 9, 5, 5).message, "sequence is 9; it must be 5");
}

TEST(Error, NameNotResolvedKeepsTheResolversWords) {
  const Error error = NameNotResolved("db.example", "Name or service not known", false);
  EXPECT_EQ(error.message, "host \"db.example\" was not resolved: Name or service not known");
  EXPECT_THAT(error.metadata, ElementsAre(Pair("error", "Name or service not known"), Pair("host", "db.example")));
}

// An error must fit into 4 KiB and into Protobuf strings, whatever the caller sent.
TEST(Error, WhateverWasGivenIsShortAndPrintable) {
  const std::string bad = std::string("\xff\n\0", 3) + std::string(3 << 20, 'x');
  for (const Error& error : {InvalidField(bad, bad, "short"), UnknownField(bad), SocketNotFound(bad), SocketGone(bad),
                             SocketExists(bad), UidMismatch(bad, bad), NameNotResolved(bad, "r", false)}) {
    SCOPED_TRACE(error.reason);
    std::string all = error.message + error.socket;
    for (const auto& [key, value] : error.metadata) all += key + value;
    EXPECT_LT(all.size(), 800u);
    EXPECT_TRUE(std::ranges::all_of(all, [](char c) { return c >= ' ' && c <= '~'; })) << all;
  }
}

TEST(Result, HoldsAValueOrAnError) {
  Result<std::string> good = std::string("value");
  ASSERT_TRUE(good.ok());
  EXPECT_EQ(*good, "value");
  EXPECT_EQ(good->size(), 5u);
  EXPECT_EQ(*std::move(good), "value");

  Result<std::string> bad = Draining();
  ASSERT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().reason, "DRAINING");
  EXPECT_EQ(std::move(bad).error().reason, "DRAINING");
  EXPECT_TRUE(Ok().ok());
}

}  // namespace
}  // namespace socketeer::base
