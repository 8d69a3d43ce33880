#include "client/cli/output.h"

#include <string>

#include "client/cli/hex.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace socketeer::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

v1::Socket Web() {
  v1::Socket socket;
  socket.set_name("sockets/web");
  socket.set_kind("tcp4");
  socket.set_state(v1::STATE_LISTENING);
  socket.mutable_local()->mutable_inet()->set_ip("127.0.0.1");
  socket.mutable_local()->mutable_inet()->set_port(43117);
  return socket;
}

TEST(SocketLine, HasTheNameAndTheAddresses) {
  EXPECT_EQ(SocketLine(Web()), "sockets/web  tcp4  LISTENING  127.0.0.1:43117  -");
}

TEST(ChangeLine, SaysWhatHappenedAndWhy) {
  v1::SocketChange change;
  change.set_kind(v1::CHANGE_KIND_OPENED);
  *change.mutable_socket() = Web();
  EXPECT_EQ(ChangeLine(change), "opened    sockets/web  tcp4  LISTENING  127.0.0.1:43117  -");
  change.set_kind(v1::CHANGE_KIND_CLOSED);
  change.mutable_socket()->set_state(v1::STATE_CLOSED);
  change.mutable_socket()->set_close_reason(v1::CLOSE_REASON_LEASE_EXPIRED);
  EXPECT_EQ(ChangeLine(change), "closed    sockets/web  tcp4  CLOSED  127.0.0.1:43117  -  LEASE_EXPIRED");
  change.set_kind(static_cast<v1::ChangeKind>(77));  // of a later daemon
  change.mutable_socket()->set_close_reason(static_cast<v1::CloseReason>(78));
  EXPECT_EQ(ChangeLine(change), "77        sockets/web  tcp4  CLOSED  127.0.0.1:43117  -  78");
}

TEST(SessionLine, HasItsTermsAndItsUse) {
  v1::Session session;
  session.set_name("sessions/demo");
  session.mutable_ttl()->set_seconds(90);
  session.mutable_grace()->set_nanos(500'000'000);
  session.set_sockets(2);
  session.set_holders(1);
  EXPECT_EQ(SessionLine(session), "sessions/demo  ttl 1m30s  grace 500ms  sockets 2  holders 1");
}

TEST(SocketTable, StandsInColumns) {
  v1::ListSocketsResponse list;
  *list.add_sockets() = Web();
  (*list.mutable_sockets(0)->mutable_labels())["app"] = "b\x1b[1m";
  (*list.mutable_sockets(0)->mutable_labels())["a"] = "";
  EXPECT_EQ(SocketTable(list),
            "NAME         KIND  STATE      LOCAL            PEER  LABELS\n"
            "sockets/web  tcp4  LISTENING  127.0.0.1:43117  -     a=,app=b\\x1b[1m\n");
}

TEST(FormatTable, CountsCharacters) {
  EXPECT_EQ(FormatTable({{"\xc3\xbc", "x"}, {"ab", "y"}}), "\xc3\xbc   x\nab  y\n");
}

TEST(ToJson, IsOneLineWithEveryFieldThatHasNoPresence) {
  EXPECT_EQ(ToJson(v1::ListSocketsResponse()), R"({"sockets":[],"nextPageToken":""})");
  v1::SocketOptions options;
  options.set_nodelay(false);
  EXPECT_EQ(ToJson(options), R"({"nodelay":false})");
  v1::ReceiveDataResponse received;
  received.set_data(std::string("\0\xff", 2));
  EXPECT_EQ(ToJson(received), R"({"data":"AP8=","endOfStream":false,"timedOut":false,"offset":"0","replayed":false})");
  EXPECT_THAT(ToJson(Web()), Not(HasSubstr("\"peer\"")));
}

TEST(JsonToYaml, KeepsTypes) {
  EXPECT_EQ(JsonToYaml(R"({"a":"1","b":1,"c":"true","d":true,"e":"web","f":"","g":null,)"
                       R"("h":"no","i":[],"j":{},"k":["x","-"],"l":"a: b","m":"\u0007\""})"),
            "a: \"1\"\n"
            "b: 1\n"
            "c: \"true\"\n"
            "d: true\n"
            "e: web\n"
            "f: \"\"\n"
            "g: ~\n"
            "h: \"no\"\n"
            "i: []\n"
            "j: {}\n"
            "k:\n"
            "  - x\n"
            "  - \"-\"\n"
            "l: \"a: b\"\n"
            "m: \"\\x07\\\"\"\n");
}

// What turns the direction of text: a terminal would show another text than is there.
TEST(JsonToYaml, NothingTurnsTheText) {
  v1::Socket socket;
  (*socket.mutable_labels())["k"] = "a\u202eb\u2066c\u061c\u00fc";
  const std::string json = ToJson(socket);
  EXPECT_THAT(json, HasSubstr(R"("a\u202eb\u2066c\u061c)"
                              "\u00fc\""));
  EXPECT_THAT(JsonToYaml(json), HasSubstr(R"(k: "a\u202eb\u2066c\u061c)"
                                          "\u00fc\""));
  EXPECT_THAT(JsonToYaml("{\"k\":\"\u2069\"}"), HasSubstr(R"(k: "\u2069")"));
}

TEST(ParseHex, TakesPairsOfDigits) {
  EXPECT_EQ(ParseHex("").value(), "");
  EXPECT_EQ(ParseHex("00fF 17:0a").value(), std::string("\x00\xff\x17\x0a", 4));
  for (const std::string bad : {"0", "0g", "0x17", "1 7", "zz"}) {
    EXPECT_EQ(ParseHex(bad).status().code(), absl::StatusCode::kInvalidArgument) << bad;
  }
}

}  // namespace
}  // namespace socketeer::cli
