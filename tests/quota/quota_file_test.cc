#include "server/quota/quota_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace socketeer::quota {
namespace {

using ::testing::HasSubstr;

const base::Limits kLimits = base::DefaultLimits(20'000);

Rules Read(const std::string& text) {
  auto rules = ParseQuotas(text, "q.yaml", kLimits);
  EXPECT_TRUE(rules.ok()) << rules.error().message;
  return rules.ok() ? *rules : Rules();
}

std::string Wrong(const std::string& text) {
  const auto rules = ParseQuotas(text, "q.yaml", kLimits);
  EXPECT_FALSE(rules.ok()) << text;
  return rules.ok() ? "" : rules.error().message;
}

TEST(QuotaFile, EveryKey) {
  const Rules rules = Read(R"(
identities:
  agents: ["spiffe://lab/*", dns:a.lab]
total: {sockets: 10000, bytes_per_second: 100M}
quotas:
  - identities: [agents, token:ci]
    sockets: 100
    sessions: 10
    waiting_calls: 200
    buffered_bytes: 64Mi
    watchers: 4
    opens_per_second: 20
    burst_opens: 5
    bytes_per_second: 10M
    burst_bytes: 1Ki
    when_exceeded: refuse
  - identities: any
    sockets: 0
)");
  EXPECT_EQ(rules.total.of(Count::kSockets), 10'000u);
  EXPECT_EQ(rules.total.of(Count::kSessions), kUnlimited);
  EXPECT_EQ(rules.total.of(Rate::kBytes).per_second, 100'000'000u);
  EXPECT_EQ(rules.total.when_exceeded, WhenExceeded::kDelay);
  const Allowance& agent = rules.Of("spiffe://lab/7");
  EXPECT_EQ(agent.counts, (std::array<uint64_t, kCounts>{100, 10, 200, 64 << 20, 4}));
  EXPECT_EQ(agent.of(Rate::kOpens), (RateTerms{.per_second = 20, .burst = 5}));
  EXPECT_EQ(agent.of(Rate::kBytes), (RateTerms{.per_second = 10'000'000, .burst = 1'024}));
  EXPECT_EQ(agent.when_exceeded, WhenExceeded::kRefuse);
  EXPECT_EQ(rules.Of("token:ci").of(Count::kSockets), 100u);
  EXPECT_EQ(rules.Of("uid:5").of(Count::kSockets), 0u);
}

TEST(QuotaFile, Bursts) {
  const Rules rules = Read("quotas: [{identities: any, opens_per_second: 20, bytes_per_second: 10M}]");
  EXPECT_EQ(rules.Of("uid:1").of(Rate::kOpens).burst, 20u);
  EXPECT_EQ(rules.Of("uid:1").of(Rate::kBytes).burst, 2'500'000u);
  EXPECT_EQ(Read("quotas: [{identities: any, bytes_per_second: 1}]").Of("uid:1").of(Rate::kBytes).burst, 1u);
}

TEST(QuotaFile, Numbers) {
  const auto sockets = [](const std::string& number) {
    return Read("quotas: [{identities: any, buffered_bytes: " + number + "}]").Of("uid:1").of(Count::kBufferedBytes);
  };
  EXPECT_EQ(sockets("0"), 0u);
  EXPECT_EQ(sockets("3k"), 3'000u);
  EXPECT_EQ(sockets("3Ki"), 3'072u);
  EXPECT_EQ(sockets("3M"), 3'000'000u);
  EXPECT_EQ(sockets("3Mi"), 3u << 20);
  EXPECT_EQ(sockets("3G"), 3'000'000'000u);
  EXPECT_EQ(sockets("3Gi"), 3ull << 30);
  EXPECT_EQ(sockets("1000000000000000"), 1'000'000'000'000'000u);
  for (const char* const wrong : {"-1", "1.5", "1e3", "M", "3K", "3ki", "3Mb", "3 M", "0x10", "1000000000000001",
                                  "99999999999999999999", "2000000G", "many", "[1]", "''", "~"}) {
    EXPECT_THAT(Wrong("quotas: [{identities: any, buffered_bytes: " + std::string(wrong) + "}]"), HasSubstr("q.yaml:1"))
        << wrong;
  }
}

TEST(QuotaFile, SaysWhatIsWrongAndWhere) {
  EXPECT_EQ(Wrong("quotas:\n- identities: any\n  sockets: lots\n"),
            "quotas: q.yaml:3: sockets is \"lots\"; it must be a number from 0 to 10^15, which may end in k, M, G, Ki, "
            "Mi or Gi");
  EXPECT_THAT(Wrong("quotas: [{sockets: 1}]"), HasSubstr("the key identities is missing: whose quota is it?"));
  EXPECT_THAT(Wrong("quotas: [{identities: [ci], sockets: 1}]"), HasSubstr("\"ci\" is none of identities"));
  EXPECT_THAT(Wrong("quotas: [{identities: any, socket: 1}]"),
              HasSubstr("unknown key \"socket\"; known are identities"));
  EXPECT_THAT(Wrong("total: {identities: any}"), HasSubstr("unknown key \"identities\""));
  EXPECT_THAT(Wrong("limits: {}"), HasSubstr("unknown key \"limits\""));
  EXPECT_THAT(Wrong("quotas: [{identities: any, sockets: 1, sockets: 2}]"), HasSubstr("given twice"));
  EXPECT_THAT(Wrong("quotas: 5"), HasSubstr("must be a list of quotas"));
  EXPECT_THAT(Wrong("identities: {a: uid:1}"), HasSubstr("neither total nor quotas is there"));
  EXPECT_THAT(Wrong(""), HasSubstr("there are no quotas"));
  EXPECT_THAT(Wrong("quotas: []\n---\nquotas: []\n"), HasSubstr("q.yaml:2: a second document"));
  EXPECT_THAT(Wrong("a, b: ["), HasSubstr("q.yaml:"));
  EXPECT_THAT(Wrong("quotas: [{identities: any, bytes_per_second: 0}]"), HasSubstr("it must be a number from 1"));
  EXPECT_THAT(Wrong("quotas: [{identities: any, burst_bytes: 1}]"), HasSubstr("burst_bytes without bytes_per_second"));
  EXPECT_THAT(Wrong("quotas: [{identities: any, burst_opens: 1}]"), HasSubstr("burst_opens without opens_per_second"));
  EXPECT_THAT(Wrong("quotas: [{identities: any, when_exceeded: refuse}]"), HasSubstr("when_exceeded without"));
  EXPECT_THAT(Wrong("quotas: [{identities: any, opens_per_second: 1, when_exceeded: drop}]"),
              HasSubstr("when_exceeded is \"drop\"; it must be delay or refuse"));
}

TEST(QuotaFile, TheDaemonsOwnLimitsStay) {
  const auto at = [](const std::string& key, uint64_t number) {
    return "total: {" + key + ": " + std::to_string(number) + "}";
  };
  Read(at("sockets", kLimits.max_sockets));
  EXPECT_THAT(Wrong(at("sockets", kLimits.max_sockets + 1)),
              HasSubstr("sockets of total is above this daemon's own limit max_sockets, " +
                        std::to_string(kLimits.max_sockets)));
  EXPECT_THAT(Wrong(at("sessions", kLimits.max_sessions + 1)), HasSubstr("max_sessions"));
  EXPECT_THAT(Wrong(at("waiting_calls", kLimits.max_calls + 1)), HasSubstr("max_calls"));
  EXPECT_THAT(Wrong(at("watchers", kLimits.max_calls + 1)), HasSubstr("max_calls"));
  const uint64_t buffered = kLimits.max_retained_bytes + kLimits.max_send_window_bytes;
  Read(at("buffered_bytes", buffered));
  EXPECT_THAT(Wrong(at("buffered_bytes", buffered + 1)), HasSubstr("max_retained_bytes and max_send_window_bytes"));
}

}  // namespace
}  // namespace socketeer::quota
