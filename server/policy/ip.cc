#include "server/policy/ip.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <vector>

namespace socketeer::policy {
namespace {

// Precondition: it is one.
IpRange RangeOf(const char* text) { return *IpRange::Parse(text); }

// An IPv6 prefix behind which an IPv4 address lies.
struct Wrapping {
  IpRange range;
  size_t at;         // the first of its four bytes
  uint8_t mask = 0;  // each byte is written with these bits turned over
};

const std::vector<Wrapping>& Wrappings() {
  static const auto& wrappings = *new std::vector<Wrapping>{
      {RangeOf("::ffff:0:0:0/96"), 12},  // translated
      {RangeOf("::/96"), 12},            // compatible
      {RangeOf("2002::/16"), 2},         // 6to4
      {RangeOf("2001::/32"), 12, 0xff},  // Teredo: the client
      {RangeOf("64:ff9b::/96"), 12},     // NAT64
  };
  return wrappings;
}

}  // namespace

Ip::Ip(const V4Bytes& bytes) : v4_(true) { std::copy(bytes.begin(), bytes.end(), bytes_.begin()); }

Ip::Ip(const V6Bytes& bytes) : bytes_(bytes) {}

std::optional<Ip> Ip::Parse(std::string_view text) {
  const std::string terminated(text);
  if (terminated.find('\0') != std::string::npos) return std::nullopt;
  V4Bytes v4;
  if (inet_pton(AF_INET, terminated.c_str(), v4.data()) == 1) return Ip(v4);
  V6Bytes v6;
  if (inet_pton(AF_INET6, terminated.c_str(), v6.data()) == 1) return Ip(v6);
  return std::nullopt;
}

bool Ip::IsWildcard() const {
  return std::all_of(bytes_.begin(), bytes_.end(), [](uint8_t byte) { return byte == 0; });
}

std::string Ip::ToString() const {
  char text[INET6_ADDRSTRLEN];
  return inet_ntop(v4_ ? AF_INET : AF_INET6, bytes_.data(), text, sizeof(text));
}

bool Ip::SharesPrefix(const Ip& other, int count) const {
  return v4_ == other.v4_ && Prefix(count).bytes_ == other.Prefix(count).bytes_;
}

Ip Ip::Prefix(int count) const {
  Ip prefix = *this;
  for (int bit = count; bit < bits(); ++bit) {
    prefix.bytes_[static_cast<size_t>(bit / 8)] &= static_cast<uint8_t>(~(0x80 >> bit % 8));
  }
  return prefix;
}

Ip Ip::Unmapped() const {
  static const IpRange mapped = RangeOf("::ffff:0:0/96");
  return mapped.Contains(*this) ? V4At(12) : *this;
}

std::optional<Ip> Ip::Embedded() const {
  static const Ip loopback = *Parse("::1");
  if (v4_ || IsWildcard() || *this == loopback) return std::nullopt;
  for (const Wrapping& each : Wrappings()) {
    if (each.range.Contains(*this)) return V4At(each.at, each.mask);
  }
  const bool isatap = (bytes_[8] & ~0x02) == 0 && bytes_[9] == 0 && bytes_[10] == 0x5e && bytes_[11] == 0xfe;
  return isatap ? std::optional(V4At(12)) : std::nullopt;
}

Ip Ip::V4At(size_t at, uint8_t mask) const {
  V4Bytes inner;
  for (size_t i = 0; i < inner.size(); ++i) inner[i] = bytes_[at + i] ^ mask;
  return Ip(inner);
}

std::optional<IpRange> IpRange::Parse(std::string_view text) {
  const size_t slash = text.find('/');
  const auto base = Ip::Parse(text.substr(0, slash));
  if (!base) return std::nullopt;
  if (slash == std::string_view::npos) return IpRange{*base, base->bits()};
  unsigned bits = 0;
  const char* const end = text.data() + text.size();
  if (text.size() > slash + 2 && text[slash + 1] == '0') return std::nullopt;  // "/08"
  const auto [rest, error] = std::from_chars(text.data() + slash + 1, end, bits);
  if (error != std::errc() || rest != end || bits > static_cast<unsigned>(base->bits())) return std::nullopt;
  const int count = static_cast<int>(bits);
  if (base->Prefix(count) != *base) return std::nullopt;
  return IpRange{*base, count};
}

std::string IpRange::ToString() const {
  return base.ToString() + (bits == base.bits() ? "" : "/" + std::to_string(bits));
}

const std::vector<IpRange>& MetadataServices() {
  static const auto& services = *new std::vector<IpRange>{
      RangeOf("169.254.169.254"),  // most
      RangeOf("169.254.170.2"),    // containers of one
      RangeOf("169.254.170.23"),  RangeOf("fd00:ec2::23"),       RangeOf("100.100.100.200"),
      RangeOf("168.63.129.16"),   RangeOf("192.0.0.192"),        RangeOf("fd00:ec2::254"),
      RangeOf("fd20:ce::254"),    RangeOf("fd00:c1::a9fe:a9fe"), RangeOf("fd00:42::42"),
  };
  return services;
}

const IpRange* SensitiveRangeOf(const Ip& ip) {
  // Of one link, host or interface; and RFC 8215.
  static const IpRange others[] = {RangeOf("169.254.0.0/16"), RangeOf("fe80::/10"),     RangeOf("224.0.0.0/24"),
                                   RangeOf("ff01::/16"),      RangeOf("ff02::/16"),     RangeOf("ff11::/16"),
                                   RangeOf("ff12::/16"),      RangeOf("64:ff9b:1::/48")};
  for (const IpRange& each : MetadataServices()) {
    if (each.Contains(ip)) return &each;
  }
  for (const IpRange& each : others) {
    if (each.Contains(ip)) return &each;
  }
  return nullptr;
}

}  // namespace socketeer::policy
