// IPv4 and IPv6 addresses as a policy sees them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace socketeer::policy {

// A value. IPv4 addresses are not their IPv6 forms: 127.0.0.1 != ::ffff:127.0.0.1.
class Ip {
 public:
  using V4Bytes = std::array<uint8_t, 4>;
  using V6Bytes = std::array<uint8_t, 16>;

  explicit Ip(const V4Bytes& bytes);
  explicit Ip(const V6Bytes& bytes);
  // Four decimal numbers, or an IPv6 address as in RFC 4291 without a scope. Not "127.1", "0x7f.0.0.1" or "010.0.0.1":
  // programs disagree about what they mean.
  static std::optional<Ip> Parse(std::string_view text);

  bool is_v4() const { return v4_; }
  // All zeros: at a bind every address, at a connect this host.
  bool IsWildcard() const;
  std::string ToString() const;
  // The first `count` bits are the same, and the family is.
  bool SharesPrefix(const Ip& other, int count) const;
  // With zeros behind the first `count` bits.
  Ip Prefix(int count) const;
  int bits() const { return v4_ ? 32 : 128; }

  // The IPv4 address that a mapped one, ::ffff:10.0.0.1, is only another form of. Any other is itself.
  Ip Unmapped() const;
  // The IPv4 address that an IPv6 one leads to at last, through a translator or a tunnel: translated (RFC 2765),
  // compatible (RFC 4291), 6to4 (RFC 3056), Teredo (RFC 4380), NAT64 (RFC 6052) and ISATAP (RFC 5214).
  std::optional<Ip> Embedded() const;

  friend bool operator==(const Ip&, const Ip&) = default;

 private:
  Ip V4At(size_t at, uint8_t mask = 0) const;

  V6Bytes bytes_{};  // of an IPv4 address the first four
  bool v4_ = false;
};

// Addresses that begin alike.
struct IpRange {
  Ip base;   // zeros behind the first `bits`
  int bits;  // 0 to base.bits()

  // "10.0.0.0/8", "fd00::/8", "10.1.2.3". Nullopt also when there are bits behind the prefix: "10.0.0.1/8" is a
  // mistake.
  static std::optional<IpRange> Parse(std::string_view text);
  bool Contains(const Ip& ip) const { return base.SharesPrefix(ip, bits); }
  bool Contains(const IpRange& other) const { return other.bits >= bits && Contains(other.base); }
  std::string ToString() const;

  friend bool operator==(const IpRange&, const IpRange&) = default;
};

// Where clouds tell their machines secrets.
const std::vector<IpRange>& MetadataServices();

// The narrowest range of addresses that nobody means by a wide one: link-local addresses and groups, the metadata
// services of clouds, and NAT64 prefixes whose embedded address cannot be known. Null: it is in none.
const IpRange* SensitiveRangeOf(const Ip& ip);

}  // namespace socketeer::policy
