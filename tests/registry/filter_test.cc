#include "server/registry/filter.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <string>

namespace socketeer::registry {
namespace {

const net::SocketInfo kListener{.kind = {.family = AF_INET, .type = SOCK_STREAM}, .state = net::State::kListening};
const Labels kLabels = {{"app", "web"}, {"empty", ""}, {"a/b.c_d-e", "x y"}, {"star", "*"}};
constexpr std::string_view kSession = "sessions/job-1";

bool Matches(const std::string& text, const net::SocketInfo& info = kListener) {
  auto filter = Filter::Parse(text);
  if (!filter.ok()) {
    ADD_FAILURE() << text << ": " << filter.error().message;
    return false;
  }
  return filter->Matches(info, kLabels, kSession);
}

TEST(Filter, EmptyMatchesEverything) {
  EXPECT_TRUE(Matches(""));
  EXPECT_TRUE(Matches("  \t "));
  EXPECT_TRUE(Filter().Matches(kListener, {}, kSession));
}

TEST(Filter, State) {
  EXPECT_TRUE(Matches("state = LISTENING"));
  EXPECT_TRUE(Matches("state=LISTENING"));
  EXPECT_TRUE(Matches("state = \"LISTENING\""));
  EXPECT_TRUE(Matches("state = STATE_LISTENING"));
  EXPECT_FALSE(Matches("state != LISTENING"));
  EXPECT_TRUE(Matches("state != BOUND"));
  EXPECT_FALSE(Matches("state = CONNECTED"));
  EXPECT_TRUE(Matches("state = LIST*"));
  EXPECT_TRUE(Matches("state = *"));
}

// The enum's own spelling is as good with a star as without.
TEST(Filter, StatePrefixInTheEnumsSpelling) {
  EXPECT_TRUE(Matches("state = STATE_LIST*"));
  EXPECT_TRUE(Matches("state = STATE_*"));
  EXPECT_FALSE(Matches("state = STATE_CONN*"));
}

TEST(Filter, EveryStateHasAWordThatParses) {
  for (int i = static_cast<int>(net::State::kCreated); i <= static_cast<int>(net::State::kClosed); ++i) {
    const auto state = static_cast<net::State>(i);
    const net::SocketInfo info{.kind = kListener.kind, .state = state};
    EXPECT_TRUE(Matches(std::string("state = ") + StateWord(state), info)) << StateWord(state);
  }
}

TEST(Filter, Kind) {
  EXPECT_TRUE(Matches("kind = tcp4"));
  EXPECT_FALSE(Matches("kind = tcp"));
  EXPECT_TRUE(Matches("kind = tcp*"));
  EXPECT_FALSE(Matches("kind != tcp*"));
  EXPECT_TRUE(Matches("kind != unix-dgram"));
  const net::SocketInfo dual{.kind = {.family = AF_INET6, .type = SOCK_DGRAM, .dual = true}};
  EXPECT_TRUE(Matches("kind = udp", dual));
  EXPECT_TRUE(Matches("kind = udp*", dual));
}

TEST(Filter, Session) {
  EXPECT_TRUE(Matches("session = sessions/job-1"));
  EXPECT_TRUE(Matches("session = \"sessions/job-1\""));
  EXPECT_FALSE(Matches("session = sessions/job"));
  EXPECT_FALSE(Matches("session != sessions/job-1"));
  EXPECT_TRUE(Matches("session = sessions/job*"));
  EXPECT_FALSE(Matches("session = sessions/other AND state = LISTENING"));
}

TEST(Filter, Labels) {
  EXPECT_TRUE(Matches("labels.app = web"));
  EXPECT_TRUE(Matches("labels.app = \"web\""));
  EXPECT_FALSE(Matches("labels.app != web"));
  EXPECT_TRUE(Matches("labels.app = w*"));
  EXPECT_FALSE(Matches("labels.app = b*"));
  EXPECT_TRUE(Matches("labels.app:*"));
  EXPECT_TRUE(Matches("labels.empty:*"));
  EXPECT_TRUE(Matches("labels.empty = \"\""));
  EXPECT_FALSE(Matches("labels.none:*"));
  EXPECT_FALSE(Matches("labels.none = \"\""));
  EXPECT_TRUE(Matches("labels.none != web")) << "a label that is absent is not web";
  EXPECT_TRUE(Matches("labels.a/b.c_d-e = \"x y\""));
}

TEST(Filter, QuotedTextWithEscapes) {
  const Labels labels = {{"k", "say \"hi\" \\ AND bye"}};
  auto filter = Filter::Parse("labels.k = \"say \\\"hi\\\" \\\\ AND bye\"");
  ASSERT_TRUE(filter.ok());
  EXPECT_TRUE(filter->Matches(kListener, labels, kSession));
  EXPECT_FALSE(filter->Matches(kListener, kLabels, kSession));
}

TEST(Filter, TermsAreJoinedByAnd) {
  EXPECT_TRUE(Matches("state = LISTENING AND kind = tcp4 AND labels.app = web"));
  EXPECT_FALSE(Matches("state = LISTENING AND kind = tcp6"));
  EXPECT_FALSE(Matches("kind = tcp6 AND state = LISTENING"));
}

struct Wrong {
  const char* text;
  int column;  // of the token that does not fit, from 1
};

TEST(Filter, IsBounded) {
  const std::string term = "labels.k = \"" + std::string(kMaxFilterBytes - 13, 'v') + "\"";
  ASSERT_EQ(term.size(), kMaxFilterBytes);
  EXPECT_TRUE(Filter::Parse(term).ok());
  const auto longer = Filter::Parse(term + " ");
  ASSERT_FALSE(longer.ok());
  EXPECT_EQ(longer.error().message, "filter is \"4097 bytes\"; it must be at most 4096 bytes");
}

class WrongFilter : public ::testing::TestWithParam<Wrong> {};

TEST_P(WrongFilter, SaysWhere) {
  auto filter = Filter::Parse(GetParam().text);
  ASSERT_FALSE(filter.ok()) << GetParam().text;
  EXPECT_EQ(filter.error().code, base::Code::kInvalidArgument);
  EXPECT_EQ(filter.error().reason, "INVALID_FIELD");
  EXPECT_EQ(filter.error().metadata.at("field"), "filter");
  const std::string where = " at column " + std::to_string(GetParam().column);
  EXPECT_TRUE(filter.error().message.ends_with(where)) << filter.error().message << "; wanted" << where;
}

INSTANTIATE_TEST_SUITE_P(All, WrongFilter,
                         ::testing::Values(Wrong{"nonsense", 1},                        //
                                           Wrong{"  name = x", 3},                      //
                                           Wrong{"= x", 1},                             //
                                           Wrong{"state LISTENING", 7},                 //
                                           Wrong{"state = ", 9},                        //
                                           Wrong{"state = listening", 9},               //
                                           Wrong{"state == BOUND", 8},                  //
                                           Wrong{"state:*", 6},                         //
                                           Wrong{"state > BOUND", 7},                   //
                                           Wrong{"kind = tcp5", 8},                     //
                                           Wrong{"kind = \"tcp4", 8},                   //
                                           Wrong{"session = job-1", 11},                //
                                           Wrong{"session = ", 11},                     //
                                           Wrong{"session = sessions/", 11},            //
                                           Wrong{"session = sessions/A", 11},           //
                                           Wrong{"session:*", 8},                       //
                                           Wrong{"labels.Web = x", 1},                  //
                                           Wrong{"labels. = x", 1},                     //
                                           Wrong{"labels.app", 11},                     //
                                           Wrong{"labels.app = ", 14},                  //
                                           Wrong{"labels.app = AND kind = tcp4", 18},   //
                                           Wrong{"state = BOUND OR kind = tcp4", 15},   //
                                           Wrong{"state = BOUND kind = tcp4", 15},      //
                                           Wrong{"state = BOUND and kind = tcp4", 15},  //
                                           Wrong{"state = BOUND AND", 18},              //
                                           Wrong{"state = BOUND AND ", 19},             //
                                           Wrong{"(state = BOUND)", 1},                 //
                                           Wrong{"NOT state = BOUND", 1}));

TEST(Filter, AnyTextEndsInAnAnswer) {
  const std::string pieces[] = {
      "state", "kind", "session", "labels.", "labels.a", "=", "!=", ":*", "\"", "\\", " ", "AND", "*", "x"};
  const size_t count = std::size(pieces);
  for (size_t i = 0; i < count * count * count * count; ++i) {
    const std::string text = pieces[i % count] + pieces[i / count % count] + pieces[i / count / count % count] +
                             pieces[i / count / count / count];
    auto filter = Filter::Parse(text);
    if (filter.ok()) filter->Matches(kListener, kLabels, kSession);
  }
}

}  // namespace
}  // namespace socketeer::registry
