#include "server/rpc/eviction.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <set>

namespace socketeer::rpc {
namespace {

std::string SourceIn4(const char* ip) {
  sockaddr_storage storage{};
  auto& inet = reinterpret_cast<sockaddr_in&>(storage);
  inet.sin_family = AF_INET;
  inet.sin_port = htons(1234);
  EXPECT_EQ(inet_pton(AF_INET, ip, &inet.sin_addr), 1);
  return SourceOf(storage);
}

std::string SourceIn6(const char* ip, uint16_t port = 1) {
  sockaddr_storage storage{};
  auto& inet = reinterpret_cast<sockaddr_in6&>(storage);
  inet.sin6_family = AF_INET6;
  inet.sin6_port = htons(port);
  EXPECT_EQ(inet_pton(AF_INET6, ip, &inet.sin6_addr), 1);
  return SourceOf(storage);
}

TEST(Eviction, ASourceIsAnAddressOrANetworkOfIpv6) {
  EXPECT_NE(SourceIn4("127.0.0.1"), SourceIn4("127.0.0.2"));
  EXPECT_EQ(SourceIn4("127.0.0.1"), SourceIn6("::ffff:127.0.0.1"));
  EXPECT_NE(SourceIn6("::ffff:127.0.0.1"), SourceIn6("::ffff:127.0.0.2"));
  EXPECT_EQ(SourceIn6("2001:db8::1", 5), SourceIn6("2001:db8::ffff:1:2", 6));
  EXPECT_NE(SourceIn6("2001:db8::1"), SourceIn6("2001:db8:0:1::1"));
  EXPECT_EQ(SourceOf({}), "");
}

// All that may be chosen, by trying each random number.
std::set<int> Victims(const std::vector<std::string>& sources) {
  std::vector<Unproven> unproven;
  for (size_t i = 0; i < sources.size(); ++i) unproven.push_back({static_cast<int>(i), &sources[i]});
  std::set<int> victims;
  size_t choices = 1;
  for (size_t number = 0; number < choices; ++number) {
    victims.insert(ChooseVictim(unproven, [&](size_t limit) {
      choices = limit;
      return number;
    }));
  }
  return victims;
}

TEST(Eviction, MeetsWhoeverOpensTheMost) {
  EXPECT_EQ(Victims({}), std::set<int>{-1});
  EXPECT_EQ(Victims({"a"}), std::set<int>{0});
  EXPECT_EQ(Victims({"honest", "flood", "flood", "other", "flood"}), (std::set<int>{1, 2, 4}));
  EXPECT_EQ(Victims({"a", "b", "c"}), (std::set<int>{0, 1, 2}));
  EXPECT_EQ(Victims({"a", "b", "a", "c", "b"}), (std::set<int>{0, 1, 2, 4}));
}

}  // namespace
}  // namespace socketeer::rpc
