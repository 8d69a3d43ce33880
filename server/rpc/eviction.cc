#include "server/rpc/eviction.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <string_view>
#include <unordered_map>

namespace socketeer::rpc {

std::string SourceOf(const sockaddr_storage& peer) {
  constexpr size_t kMappedPrefix = 12, kNetwork = 8;
  const auto text = [](const void* bytes, size_t size) { return std::string(static_cast<const char*>(bytes), size); };
  if (peer.ss_family == AF_INET) {
    const auto& address = reinterpret_cast<const sockaddr_in&>(peer).sin_addr;
    return text(&address, sizeof(address));
  }
  if (peer.ss_family != AF_INET6) return "";
  const auto& address = reinterpret_cast<const sockaddr_in6&>(peer).sin6_addr;
  if (IN6_IS_ADDR_V4MAPPED(&address)) return text(address.s6_addr + kMappedPrefix, sizeof(in_addr));
  return text(address.s6_addr, kNetwork);
}

int ChooseVictim(const std::vector<Unproven>& unproven, const std::function<size_t(size_t)>& below) {
  std::unordered_map<std::string_view, size_t> counts;
  size_t most = 0;
  for (const Unproven& each : unproven) most = std::max(most, ++counts[*each.source]);
  std::vector<int> among;
  for (const Unproven& each : unproven) {
    if (counts[*each.source] == most) among.push_back(each.fd);
  }
  return among.empty() ? -1 : among[below(among.size())];
}

}  // namespace socketeer::rpc
