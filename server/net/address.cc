#include "server/net/address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <optional>

#include "server/base/fd.h"
#include "server/base/printable.h"
#include "server/net/errno_table.h"

namespace socketeer::net {
namespace {

constexpr size_t kFamilyBytes = sizeof(sa_family_t);
constexpr size_t kMaxUnixBytes = sizeof(sockaddr_un::sun_path);
constexpr size_t kMaxRawBytes = sizeof(sockaddr_storage);
static_assert(offsetof(sockaddr_un, sun_path) == kFamilyBytes);

template <typename T>
std::string BytesOf(const T& address) {
  return std::string(reinterpret_cast<const char*>(&address), sizeof(address));
}

// With zeros for what `bytes` are too short for.
template <typename T>
T As(std::string_view bytes) {
  T address{};
  bytes.copy(reinterpret_cast<char*>(&address), sizeof(address));
  return address;
}

std::string UnixBytes(std::string_view sun_path) {
  const sa_family_t family = AF_UNIX;
  return BytesOf(family).append(sun_path);
}

std::string Bytes4(in_addr ip, uint16_t port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr = ip;
  return BytesOf(address);
}

std::string Bytes6(const in6_addr& ip, uint16_t port, uint32_t scope_id) {
  sockaddr_in6 address = {};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(port);
  address.sin6_addr = ip;
  address.sin6_scope_id = scope_id;
  return BytesOf(address);
}

bool HasNul(std::string_view text) { return text.find('\0') != std::string_view::npos; }

std::optional<uint32_t> ParseIndex(std::string_view text) {
  uint32_t index = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return index;
}

// 0 when there is no such interface. Not by if_nametoindex(3): it loses the errno when descriptors have run out, and
// "no such interface" would be a lie then.
base::Result<uint32_t> InterfaceIndex(std::string_view name) {
  ifreq request = {};
  // No interface has a colon in its name, but the kernel would look up "eth0:x" as eth0.
  if (name.size() >= sizeof(request.ifr_name) || HasNul(name) || name.find(':') != name.npos) return 0u;
  name.copy(request.ifr_name, name.size());
  const base::Fd any_socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!any_socket) return KernelError("scope", "socket", errno);
  if (::ioctl(any_socket.get(), SIOCGIFINDEX, &request) == 0) return static_cast<uint32_t>(request.ifr_ifindex);
  if (errno != ENODEV) return KernelError("scope", "ioctl", errno);
  return 0u;
}

// The name goes first, because an interface may be called "7".
base::Result<uint32_t> ScopeId(std::string_view scope) {
  base::Result<uint32_t> index = InterfaceIndex(scope);
  if (!index.ok() || *index != 0) return index;
  if (const std::optional<uint32_t> number = ParseIndex(scope)) return *number;
  return base::InvalidField("scope", std::string(scope), "an interface of this host, by name or index");
}

}  // namespace

SocketAddress SocketAddress::FromKernel(const void* address, size_t size) {
  if (size < kFamilyBytes) return {};
  const SocketAddress result(std::string_view(static_cast<const char*>(address), std::min(size, kMaxRawBytes)));
  if (result.IsUnixPath()) return SocketAddress(UnixBytes(result.unix_name()));
  return result;
}

base::Result<SocketAddress> SocketAddress::FromRaw(std::string_view bytes) {
  if (bytes.size() < kFamilyBytes || bytes.size() > kMaxRawBytes) {
    return base::InvalidField("raw", std::to_string(bytes.size()) + " bytes", "2 to 128 bytes");
  }
  return SocketAddress(bytes);
}

base::Result<SocketAddress> SocketAddress::Inet(std::string_view ip, uint32_t port, std::string_view scope) {
  if (port > 65535) return base::InvalidField("port", std::to_string(port), "0 to 65535");
  const uint16_t port16 = static_cast<uint16_t>(port);
  const std::string text(ip);
  in_addr ip4;
  in6_addr ip6;
  if (!HasNul(ip) && inet_pton(AF_INET, text.c_str(), &ip4) == 1) {
    if (scope.empty()) return SocketAddress(Bytes4(ip4, port16));
    return base::InvalidField("scope", std::string(scope), "empty for an IPv4 address");
  }
  if (HasNul(ip) || inet_pton(AF_INET6, text.c_str(), &ip6) != 1) {
    return base::InvalidField("ip", text, "an IPv4 or IPv6 address like 192.0.2.1 or 2001:db8::1");
  }
  if (scope.empty()) return SocketAddress(Bytes6(ip6, port16, 0));
  base::Result<uint32_t> scope_id = ScopeId(scope);
  if (!scope_id.ok()) return std::move(scope_id).error();
  return SocketAddress(Bytes6(ip6, port16, *scope_id));
}

SocketAddress SocketAddress::Any4(uint16_t port) { return SocketAddress(Bytes4({htonl(INADDR_ANY)}, port)); }

SocketAddress SocketAddress::Any6(uint16_t port) { return SocketAddress(Bytes6(in6addr_any, port, 0)); }

base::Result<SocketAddress> SocketAddress::UnixPath(std::string_view path) {
  if (path.empty() || path.size() > kMaxUnixBytes || HasNul(path)) {
    return base::InvalidField("path", std::string(path), "1 to 108 bytes, none of them NUL");
  }
  return SocketAddress(UnixBytes(path));
}

base::Result<SocketAddress> SocketAddress::UnixAbstract(std::string_view name) {
  if (name.size() >= kMaxUnixBytes) {
    return base::InvalidField("abstract_name", std::string(name), "0 to 107 bytes");
  }
  return SocketAddress(UnixBytes(std::string(1, '\0').append(name)));
}

SocketAddress SocketAddress::UnixUnnamed() { return SocketAddress(UnixBytes("")); }

SocketAddress SocketAddress::Unspecified() {
  const sa_family_t family = AF_UNSPEC;
  return SocketAddress(BytesOf(family));
}

int SocketAddress::family() const { return empty() ? AF_UNSPEC : As<sa_family_t>(view()); }

bool SocketAddress::IsInet() const {
  if (family() == AF_INET) return bytes_.size() >= sizeof(sockaddr_in);
  // As the kernel does, which takes them without a scope (RFC 2133).
  return family() == AF_INET6 && bytes_.size() >= offsetof(sockaddr_in6, sin6_scope_id);
}

SocketAddress SocketAddress::MappedTo6() const {
  if (family() != AF_INET || !IsInet()) return *this;
  const sockaddr_in from = As<sockaddr_in>(view());
  in6_addr mapped = {};
  mapped.s6_addr[10] = mapped.s6_addr[11] = 0xff;
  std::memcpy(&mapped.s6_addr[12], &from.sin_addr, sizeof(from.sin_addr));
  return SocketAddress(Bytes6(mapped, ntohs(from.sin_port), 0));
}

std::string SocketAddress::ip() const {
  if (!IsInet()) return "";
  char text[INET6_ADDRSTRLEN] = "";
  if (family() == AF_INET) {
    const sockaddr_in address = As<sockaddr_in>(view());
    inet_ntop(AF_INET, &address.sin_addr, text, sizeof(text));
  } else {
    const sockaddr_in6 address = As<sockaddr_in6>(view());
    inet_ntop(AF_INET6, &address.sin6_addr, text, sizeof(text));
  }
  return text;
}

uint16_t SocketAddress::port() const {
  static_assert(offsetof(sockaddr_in, sin_port) == offsetof(sockaddr_in6, sin6_port));
  return IsInet() ? ntohs(As<sockaddr_in>(view()).sin_port) : 0;
}

std::string SocketAddress::scope() const {
  if (family() != AF_INET6 || !IsInet()) return "";
  const uint32_t index = scope_id();
  if (index == 0) return "";
  char name[IF_NAMESIZE] = "";
  return if_indextoname(index, name) != nullptr ? name : std::to_string(index);
}

uint32_t SocketAddress::scope_id() const {
  return family() == AF_INET6 && IsInet() ? As<sockaddr_in6>(view()).sin6_scope_id : 0;
}

bool SocketAddress::NeedsScope() const {
  if (family() != AF_INET6 || !IsInet()) return false;
  const in6_addr ip = As<sockaddr_in6>(view()).sin6_addr;
  return IN6_IS_ADDR_LINKLOCAL(&ip) || IN6_IS_ADDR_MC_NODELOCAL(&ip) || IN6_IS_ADDR_MC_LINKLOCAL(&ip);
}

SocketAddress SocketAddress::WithoutPort() const {
  if (!IsInet()) return *this;
  SocketAddress result = *this;
  std::memset(&result.bytes_[offsetof(sockaddr_in, sin_port)], 0, sizeof(in_port_t));
  return result;
}

bool SocketAddress::IsWildcard() const {
  if (!IsInet()) return false;
  const in6_addr ip = As<sockaddr_in6>(MappedTo6().view()).sin6_addr;
  static constexpr uint8_t kMappedAny4[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return IN6_IS_ADDR_UNSPECIFIED(&ip) || std::memcmp(&ip, kMappedAny4, sizeof(ip)) == 0;
}

bool SocketAddress::IsUnixUnnamed() const { return family() == AF_UNIX && bytes_.size() == kFamilyBytes; }

bool SocketAddress::IsUnixAbstract() const {
  return family() == AF_UNIX && bytes_.size() > kFamilyBytes && bytes_[kFamilyBytes] == '\0';
}

bool SocketAddress::IsUnixPath() const {
  return family() == AF_UNIX && bytes_.size() > kFamilyBytes && bytes_[kFamilyBytes] != '\0';
}

std::string SocketAddress::unix_name() const {
  if (IsUnixAbstract()) return std::string(view().substr(kFamilyBytes + 1));
  if (!IsUnixPath()) return "";
  return std::string(view().substr(kFamilyBytes, view().find('\0', kFamilyBytes) - kFamilyBytes));
}

std::string SocketAddress::ToString() const {
  if (empty() || IsUnixUnnamed()) return "";
  if (IsUnixAbstract()) return "@" + base::Printable(unix_name());
  if (IsUnixPath()) {
    const std::string path = unix_name();
    // "@x" is the abstract name; the file is "./@x".
    return (path[0] == '/' || path[0] == '.' ? "" : "./") + base::Printable(path);
  }
  const std::string port_text = ":" + std::to_string(port());
  if (IsInet() && family() == AF_INET) return ip() + port_text;
  if (IsInet()) {
    const std::string zone = scope();
    return "[" + ip() + (zone.empty() ? "" : "%" + zone) + "]" + port_text;
  }
  std::string text = "raw:";
  for (const char byte : bytes_) {
    text += "0123456789abcdef"[static_cast<uint8_t>(byte) >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

}  // namespace socketeer::net
