#include "server/policy/ip.h"

#include <gtest/gtest.h>

namespace socketeer::policy {
namespace {

Ip Of(const char* text) { return Ip::Parse(text).value(); }

TEST(Ip, OnlyPlainFormsAreAddresses) {
  for (const char* text : {"0.0.0.0", "255.255.255.255", "::", "::1", "fe80::1", "::ffff:1.2.3.4"}) {
    const auto ip = Ip::Parse(text);
    ASSERT_TRUE(ip) << text;
    EXPECT_EQ(ip->ToString(), text);
  }
  EXPECT_EQ(Of("2001:DB8:0:0::1").ToString(), "2001:db8::1");
  for (const char* text :
       {"", "127.1", "2130706433", "0x7f.0.0.1", "0177.0.0.1", "127.0.0.01", "1.2.3.4.5", "256.0.0.1", " 1.2.3.4",
        "1.2.3.4 ", "localhost", "fe80::1%eth0", "[::1]", ":::", "1::2::3"}) {
    EXPECT_FALSE(Ip::Parse(text)) << text;
  }
  EXPECT_FALSE(Ip::Parse(std::string_view("127.0.0.1\0.example", 18)));
}

TEST(Ip, AnIpv4AddressIsNotItsIpv6Form) {
  EXPECT_NE(Of("127.0.0.1"), Of("::ffff:127.0.0.1"));
  EXPECT_NE(Of("0.0.0.0"), Of("::"));
}

TEST(Ip, AMappedAddressIsAnotherFormOfItsIpv4Address) {
  EXPECT_EQ(Of("::ffff:10.1.2.3").Unmapped(), Of("10.1.2.3"));
  EXPECT_EQ(Of("::ffff:10.1.2.3").Embedded(), Of("::ffff:10.1.2.3").Unmapped().Embedded()) << "none";
  for (const char* text : {"10.1.2.3", "::10.1.2.3", "64:ff9b::10.1.2.3", "::", "::1", "1::ffff:10.1.2.3"}) {
    EXPECT_EQ(Of(text).Unmapped(), Of(text)) << text;
  }
}

TEST(Ip, OthersLeadToOne) {
  for (const char* text :
       {"::ffff:0:10.1.2.3", "::10.1.2.3", "2002:a01:203::", "2002:a01:203:1::5", "2001:0:1234:5678:0:0:f5fe:fdfc",
        "64:ff9b::10.1.2.3", "2001:db8::5efe:10.1.2.3", "2001:db8::200:5efe:10.1.2.3"}) {
    EXPECT_EQ(Of(text).Embedded(), Of("10.1.2.3")) << text;
  }
  for (const char* text : {"10.1.2.3", "::1", "::", "2001:db8::a01:203", "2003:a01:203::", "64:ff9b:1::10.1.2.3",
                           "fe80::1", "2001:db8::100:5efe:10.1.2.3", "2001:1::1"}) {
    EXPECT_EQ(Of(text).Embedded(), std::nullopt) << text;
  }
}

TEST(IpRange, ContainsWhatBeginsAlike) {
  const IpRange range = IpRange::Parse("10.128.0.0/9").value();
  EXPECT_TRUE(range.Contains(Of("10.128.0.0")));
  EXPECT_TRUE(range.Contains(Of("10.255.255.255")));
  EXPECT_FALSE(range.Contains(Of("10.127.255.255")));
  EXPECT_FALSE(range.Contains(Of("11.128.0.0")));
  EXPECT_FALSE(range.Contains(Of("::ffff:10.128.0.0")));
  EXPECT_TRUE(IpRange::Parse("::/0")->Contains(Of("ffff::1")));
  EXPECT_FALSE(IpRange::Parse("::/0")->Contains(Of("1.2.3.4")));
  EXPECT_TRUE(IpRange::Parse("fd00:1::/33")->Contains(Of("fd00:1:7fff::")));
  EXPECT_FALSE(IpRange::Parse("fd00:1::/33")->Contains(Of("fd00:1:8000::")));
  EXPECT_TRUE(range.Contains(IpRange::Parse("10.200.0.0/16").value()));
  EXPECT_FALSE(range.Contains(IpRange::Parse("10.0.0.0/8").value()));
}

TEST(IpRange, HasNoBitsBehindItsPrefix) {
  for (const char* text : {"10.0.0.1/8", "10.0.0.0/33", "::1/127", "::/129", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8 ",
                           "10.0.0.0/8/8", "/8", "10/8", "10.0.0.0/08"}) {
    EXPECT_FALSE(IpRange::Parse(text)) << text;
  }
  for (const char* text : {"10.0.0.0/8", "0.0.0.0/0", "1.2.3.4", "fd00::/8", "::1"}) {
    EXPECT_EQ(IpRange::Parse(text)->ToString(), text);
  }
}

TEST(IpRange, TheNarrowestSensitiveOneIsFound) {
  const auto range_of = [](const char* text) {
    const IpRange* const range = SensitiveRangeOf(Of(text));
    return range == nullptr ? "" : range->ToString();
  };
  EXPECT_EQ(range_of("169.254.169.254"), "169.254.169.254");
  EXPECT_EQ(range_of("169.254.169.253"), "169.254.0.0/16");
  EXPECT_EQ(range_of("febf::1"), "fe80::/10");
  EXPECT_EQ(range_of("fd00:ec2::254"), "fd00:ec2::254");
  EXPECT_EQ(range_of("64:ff9b:1:2::3"), "64:ff9b:1::/48");
  EXPECT_EQ(range_of("224.0.0.251"), "224.0.0.0/24");
  EXPECT_EQ(range_of("ff02::1"), "ff02::/16");
  EXPECT_EQ(range_of("224.0.1.1"), "");
  EXPECT_EQ(range_of("fec0::1"), "");
  EXPECT_EQ(range_of("10.0.0.1"), "");
}

}  // namespace
}  // namespace socketeer::policy
