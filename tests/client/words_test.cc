// Kinds, timeouts, names, labels, options: what people write.
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "socketeer/duration.h"
#include "socketeer/endpoint.h"
#include "socketeer/kind.h"
#include "socketeer/names.h"
#include "socketeer/socket_options.h"
#include "socketeer/text.h"

namespace socketeer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

v1::Endpoint Bound(const std::string& text) { return ParseEndpoint(text, EndpointUse::kBind).value(); }

TEST(ApplyKind, EveryWordHasItsFamilyAndType) {
  struct Case {
    std::string word;
    v1::Family family;
    v1::SocketType type;
  };
  const std::vector<Case> cases = {
      {"tcp4", v1::FAMILY_INET, v1::SOCKET_TYPE_STREAM},
      {"tcp6", v1::FAMILY_INET6, v1::SOCKET_TYPE_STREAM},
      {"udp4", v1::FAMILY_INET, v1::SOCKET_TYPE_DGRAM},
      {"udp6", v1::FAMILY_INET6, v1::SOCKET_TYPE_DGRAM},
      {"unix", v1::FAMILY_UNIX, v1::SOCKET_TYPE_STREAM},
      {"unix-dgram", v1::FAMILY_UNIX, v1::SOCKET_TYPE_DGRAM},
      {"unix-seqpacket", v1::FAMILY_UNIX, v1::SOCKET_TYPE_SEQPACKET},
  };
  for (const Case& one : cases) {
    v1::OpenSocketRequest request;
    ASSERT_TRUE(ApplyKind(one.word, &request).ok()) << one.word;
    EXPECT_EQ(request.family(), one.family) << one.word;
    EXPECT_EQ(request.type(), one.type) << one.word;
    EXPECT_EQ(request.options().has_v6only(), one.family == v1::FAMILY_INET6) << one.word;
    EXPECT_EQ(request.options().v6only(), one.family == v1::FAMILY_INET6) << one.word;
  }
  EXPECT_EQ(KindWords().size(), cases.size() + 2);  // and tcp, udp
}

TEST(ApplyKind, AnOpenFamilyFollowsTheAddress) {
  v1::OpenSocketRequest request;
  *request.mutable_bind() = Bound("10.0.0.1:0");
  ASSERT_TRUE(ApplyKind("tcp", &request).ok());
  EXPECT_EQ(request.family(), v1::FAMILY_UNSPECIFIED);
  EXPECT_FALSE(request.has_options());
}

TEST(ApplyKind, AnOpenFamilyWithoutAddressIsBothAtOnce) {
  v1::OpenSocketRequest request;
  ASSERT_TRUE(ApplyKind("udp", &request).ok());
  EXPECT_EQ(request.family(), v1::FAMILY_INET6);
  EXPECT_TRUE(request.options().has_v6only());
  EXPECT_FALSE(request.options().v6only());
}

TEST(ApplyKind, LeavesTheUsersV6onlyAlone) {
  for (const std::string word : {"tcp", "tcp6"}) {
    v1::OpenSocketRequest request;
    request.mutable_options()->set_v6only(word == "tcp");
    ASSERT_TRUE(ApplyKind(word, &request).ok());
    EXPECT_EQ(request.options().v6only(), word == "tcp");
  }
}

TEST(ApplyKind, RefusesAnAddressOfAnotherFamily) {
  v1::OpenSocketRequest to_path;
  *to_path.mutable_bind() = Bound("/x");
  EXPECT_THAT(std::string(ApplyKind("tcp", &to_path).message()),
              HasSubstr("\"/x\" is not an address of a tcp socket: HOST:PORT"));
  v1::OpenSocketRequest to_port;
  *to_port.mutable_connect() = Bound("a:1");
  EXPECT_THAT(std::string(ApplyKind("unix", &to_port).message()), HasSubstr("/PATH"));
}

TEST(ApplyKind, AnUnknownWordIsToldTheWords) {
  v1::OpenSocketRequest request;
  const absl::Status status = ApplyKind("sctp", &request);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("\"sctp\" is not a kind of socket: tcp,"));
}

TEST(ParseTimeout, TakesDurations) {
  EXPECT_EQ(ParseTimeout("500ms").value(), absl::Milliseconds(500));
  EXPECT_EQ(ParseTimeout("2s").value(), absl::Seconds(2));
  EXPECT_EQ(ParseTimeout("1.5s").value(), absl::Milliseconds(1500));
  EXPECT_EQ(ParseTimeout("1m").value(), absl::Minutes(1));
  EXPECT_EQ(ParseTimeout("1h30m").value(), absl::Minutes(90));
  EXPECT_EQ(ParseTimeout("24h").value(), absl::Hours(24));
  EXPECT_EQ(ParseTimeout("0").value(), absl::ZeroDuration());
  EXPECT_EQ(ParseTimeout("none").value(), absl::InfiniteDuration());
  EXPECT_EQ(ParseTimeout("inf").value(), absl::InfiniteDuration());
}

TEST(ParseTimeout, RefusesTheRest) {
  for (const std::string text : {"", "5", "-1s", "24h1s", "s", "1d", "2 s", "forever", "-inf"}) {
    const absl::Status status = ParseTimeout(text).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(std::string(status.message()), HasSubstr("0 to 24h")) << text;
  }
}

TEST(ParseDuration, IsWithinItsBounds) {
  EXPECT_EQ(ParseDuration("1m30s", absl::Seconds(1), absl::Hours(24)).value(), absl::Seconds(90));
  EXPECT_EQ(ParseDuration("1s", absl::Seconds(1), absl::Hours(24)).value(), absl::Seconds(1));
  for (const std::string text : {"", "5", "999ms", "24h1ns", "inf", "none", "-1s"}) {
    const absl::Status status = ParseDuration(text, absl::Seconds(1), absl::Hours(24)).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(std::string(status.message()), HasSubstr("1s to 24h")) << text;
  }
}

TEST(ParseDuration, TellsWhatIsOutOfRangeFromWhatIsNoDuration) {
  const auto told = [](const std::string& text, absl::Duration min) {
    return std::string(ParseDuration(text, min, absl::Hours(24)).status().message());
  };
  for (const std::string text : {"0", "500ms", "999ms", "25h", "-1s", "9999999999999999h"}) {
    EXPECT_EQ(told(text, absl::Seconds(1)), "\"" + text + "\" is out of range: 1s to 24h");
  }
  for (const std::string text : {"5", "inf", "-inf", "none"}) {
    EXPECT_EQ(told(text, absl::Seconds(1)), "\"" + text + "\" is not a duration: 1s to 24h, as in 2s, 1m, 1h");
  }
  EXPECT_EQ(told("x", absl::ZeroDuration()), "\"x\" is not a duration: 0 to 24h, as in 500ms, 2s, 1m, 1h");
}

TEST(ParseSessionName, IsLikeThatOfASocket) {
  EXPECT_EQ(ParseSessionName("demo").value(), "sessions/demo");
  EXPECT_EQ(ParseSessionName("sessions/standing").value(), "sessions/standing");
  EXPECT_EQ(ParseSessionId("demo").value(), "demo");
  EXPECT_FALSE(ParseSessionId("sessions/demo").ok());
  EXPECT_THAT(std::string(ParseSessionName("sockets/demo").status().message()),
              HasSubstr("\"sockets/demo\" is not a session: ID or sessions/ID"));
}

TEST(ParseSocketName, TakesIdsAndNames) {
  EXPECT_EQ(ParseSocketName("web").value(), "sockets/web");
  EXPECT_EQ(ParseSocketName("sockets/web-1").value(), "sockets/web-1");
  EXPECT_EQ(ParseSocketName("a" + std::string(62, '1')).value().size(), 8u + 63u);
  EXPECT_EQ(ParseSocketId("web").value(), "web");
}

TEST(ParseSocketName, RefusesTheRest) {
  for (const std::string& text : {std::string(), std::string("Web"), std::string("1a"), std::string("-a"),
                                  std::string("a_b"), std::string("sockets/"), std::string("sockets/a/b"),
                                  std::string("hosts/a"), std::string("b\xc3\xbc"), "a" + std::string(63, '1')}) {
    EXPECT_EQ(ParseSocketName(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
  EXPECT_FALSE(ParseSocketId("sockets/web").ok());
}

TEST(ParseLabel, TakesKeysAndValues) {
  const auto label = ParseLabel("app.io/name-1_x=a=b").value();
  EXPECT_EQ(label.first, "app.io/name-1_x");
  EXPECT_EQ(label.second, "a=b");
  EXPECT_EQ(ParseLabel("k=").value().second, "");
  EXPECT_TRUE(ParseLabel("k=" + std::string(255, 'v')).ok());
}

TEST(ParseLabel, RefusesTheRest) {
  for (const std::string& text : {std::string("k"), std::string("=v"), std::string("K=v"), std::string(".k=v"),
                                  std::string(64, 'k') + "=v", "k=" + std::string(256, 'v'), std::string("k=\xff")}) {
    EXPECT_EQ(ParseLabel(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

TEST(SetOption, SetsEveryShape) {
  v1::SocketOptions options;
  for (const std::string text : {"nodelay=on", "v6only=off", "rcvbuf=2147483647", "linger=0"}) {
    ASSERT_TRUE(SetOption(text, &options).ok()) << text;
  }
  EXPECT_TRUE(options.nodelay());
  EXPECT_TRUE(options.has_v6only());
  EXPECT_FALSE(options.v6only());
  EXPECT_EQ(options.rcvbuf(), 2147483647);
  EXPECT_TRUE(options.linger().enabled());
  EXPECT_EQ(options.linger().seconds(), 0);
  EXPECT_FALSE(options.has_reuseaddr());
}

TEST(SetOption, RefusesTheRest) {
  struct Case {
    std::string text;
    std::string said;
  };
  const std::vector<Case> cases = {
      {"nodelay", "NAME=VALUE"},
      {"=on", "is not a socket option"},
      {"nodely=on", "\"nodely\" is not a socket option: reuseaddr, "},
      {"nodelay=maybe", "nodelay takes on or off"},
      {"nodelay=", "nodelay takes on or off"},
      {"rcvbuf=-1", "rcvbuf takes 0 to 2147483647"},
      {"rcvbuf=2147483648", "rcvbuf takes 0 to 2147483647"},
      {"rcvbuf=1k", "rcvbuf takes 0 to 2147483647"},
      {"linger=on", "linger takes off, or 0 to 65535 seconds"},
      {"linger=65536", "linger takes off, or 0 to 65535 seconds"},
  };
  for (const Case& bad : cases) {
    v1::SocketOptions options;
    const absl::Status status = SetOption(bad.text, &options);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << bad.text;
    EXPECT_THAT(std::string(status.message()), HasSubstr(bad.said));
  }
  v1::SocketOptions options;
  ASSERT_TRUE(SetOption("nodelay=on", &options).ok());
  EXPECT_THAT(std::string(SetOption("nodelay=off", &options).message()), HasSubstr("more than once"));
}

TEST(FormatOptions, IsWhatSetOptionTakes) {
  v1::SocketOptions options;
  const std::vector<std::string> texts = {"reuseaddr=on", "v6only=off", "linger=5", "sndbuf=0"};
  for (const std::string& text : texts) ASSERT_TRUE(SetOption(text, &options).ok());
  std::vector<std::string> formatted;
  for (const OptionText& option : FormatOptions(options)) {
    formatted.push_back(option.name + "=" + option.value);
  }
  EXPECT_EQ(formatted, texts);
  EXPECT_EQ(KnownOptions().size(), 10u);
}

TEST(Printable, IsSafeOnATerminal) {
  EXPECT_EQ(Printable("plain b\xc3\xbc"), "plain b\xc3\xbc");
  EXPECT_EQ(Printable("a\x1b[31m\n\\"), "a\\x1b[31m\\x0a\\\\");
  EXPECT_EQ(Printable("\xff\xc3\xbc"), "\\xff\\xc3\\xbc");
  EXPECT_EQ(Printable("\xc2\x9b"), "\\xc2\\x9b");  // a control character in UTF-8
  EXPECT_EQ(Printable("a\xe2\x80\xae"
                      "b\xd8\x9c"),
            "a\\xe2\\x80\\xaeb\\xd8\\x9c");  // these turn the text behind them
  EXPECT_EQ(Quoted(std::string(200, 'a')).size(), 120u + 5u);
}

TEST(Printable, EscapesWhatTurnsTheDirectionAndNothingBesideIt) {
  for (const std::string turn : {"\u061c", "\u200e", "\u200f", "\u202a", "\u202e", "\u2066", "\u2069"}) {
    EXPECT_THAT(Printable(turn), Not(HasSubstr(turn)));
    EXPECT_THAT(WithTurnsEscaped("x" + turn), StartsWith("x\\u"));
  }
  for (const std::string plain : {"\u061b", "\u0639", "\u2010", "\u202f", "\u206a", "\u05d0"}) {
    EXPECT_EQ(Printable(plain), plain);
    EXPECT_EQ(WithTurnsEscaped(plain), plain);
  }
}

TEST(IsUtf8, KnowsMalformedSequences) {
  for (const std::string good : {"", "a", "\xc3\xbc", "\xe2\x82\xac", "\xf0\x9f\x98\x80"}) {
    EXPECT_TRUE(IsUtf8(good));
  }
  for (const std::string bad : {"\x80", "\xc3", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80",
                                "\xf4\x90\x80\x80", "\xf8\x80", "\xe2\x82"}) {
    EXPECT_FALSE(IsUtf8(bad));
  }
}

}  // namespace
}  // namespace socketeer
