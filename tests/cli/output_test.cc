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

TEST(ParseHex, TakesPairsOfDigits) {
  EXPECT_EQ(ParseHex("").value(), "");
  EXPECT_EQ(ParseHex("00fF 17:0a").value(), std::string("\x00\xff\x17\x0a", 4));
  for (const std::string bad : {"0", "0g", "0x17", "1 7", "zz"}) {
    EXPECT_EQ(ParseHex(bad).status().code(), absl::StatusCode::kInvalidArgument) << bad;
  }
}

}  // namespace
}  // namespace socketeer::cli
