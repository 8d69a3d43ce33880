// Socket addresses as the kernel takes and gives them.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/container/inlined_vector.h"
#include "server/base/result.h"

namespace socketeer::net {

// The bytes of a `struct sockaddr`, with their length; a value, small for the common families. Empty: no address.
class SocketAddress {
 public:
  SocketAddress() = default;

  // The first `size` bytes at `address`, as the kernel gave them; at most sizeof(sockaddr_storage).
  static SocketAddress FromKernel(const void* address, size_t size);
  // Any bytes, also malformed ones. INVALID_FIELD unless 2 to 128 bytes.
  static base::Result<SocketAddress> FromRaw(std::string_view bytes);
  // `ip` in inet_pton's notation; `scope` an interface name or index, only for IPv6, looked up on this host. Errors
  // name the fields "ip", "port" and "scope".
  static base::Result<SocketAddress> Inet(std::string_view ip, uint32_t port, std::string_view scope);
  static SocketAddress Any4(uint16_t port);
  static SocketAddress Any6(uint16_t port);
  // 1 to 108 bytes without NUL; the error names the field "path".
  static base::Result<SocketAddress> UnixPath(std::string_view path);
  // 0 to 107 bytes; the error names the field "abstract_name".
  static base::Result<SocketAddress> UnixAbstract(std::string_view name);
  static SocketAddress UnixUnnamed();
  // AF_UNSPEC: what connect(2) takes to disconnect.
  static SocketAddress Unspecified();

  bool empty() const { return bytes_.empty(); }
  const sockaddr* data() const { return reinterpret_cast<const sockaddr*>(bytes_.data()); }
  socklen_t size() const { return static_cast<socklen_t>(bytes_.size()); }
  std::string bytes() const { return std::string(view()); }

  int family() const;   // AF_UNSPEC when empty
  bool IsInet() const;  // AF_INET or AF_INET6, and long enough to be one
  // IPv4 address as ::ffff:a.b.c.d; any other address unchanged.
  SocketAddress MappedTo6() const;

  // For inet: the parts. `scope` is the interface's name, else its index, else "".
  std::string ip() const;
  uint16_t port() const;
  std::string scope() const;
  bool IsWildcard() const;    // 0.0.0.0 or ::
  uint32_t scope_id() const;  // an interface's index; 0: none
  // Does the kernel look at scope_id()? Only for link-local addresses and multicast groups.
  bool NeedsScope() const;
  // The same with port 0; any other address unchanged.
  SocketAddress WithoutPort() const;
  // For AF_UNIX: exactly one of the three holds.
  bool IsUnixUnnamed() const;
  bool IsUnixAbstract() const;
  bool IsUnixPath() const;
  std::string unix_name() const;  // path or abstract name, without NUL before or after

  // As people write it: "10.0.0.1:80", "[fe80::1%eth0]:80", "/run/x.sock", "@name" (control bytes as \xNN), "raw:0a0b",
  // "".
  std::string ToString() const;

  friend bool operator==(const SocketAddress&, const SocketAddress&) = default;

 private:
  std::string_view view() const { return {bytes_.data(), bytes_.size()}; }
  explicit SocketAddress(std::string_view bytes) : bytes_(bytes.begin(), bytes.end()) {}
  absl::InlinedVector<char, 24> bytes_;  // no larger than a std::string, but a sockaddr_in fits
};

}  // namespace socketeer::net
