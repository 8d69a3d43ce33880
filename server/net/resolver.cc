#include "server/net/resolver.h"

#include <netdb.h>

#include <algorithm>
#include <memory>
#include <utility>

namespace socketeer::net {

void Resolver::Resolve(Query query, Done done) {
  if (pending_.fetch_add(1) >= max_pending_) {
    pending_.fetch_sub(1);
    return std::move(done)(base::LimitReached("max_resolutions", max_pending_));
  }
  pool_.Run([this, query = std::move(query), done = std::move(done)]() mutable {
    auto answer = Ask(query);
    pending_.fetch_sub(1);
    std::move(done)(std::move(answer));
  });
}

base::Result<std::vector<SocketAddress>> Resolver::Ask(const Query& query) {
  addrinfo hints{};
  hints.ai_family = query.family;
  hints.ai_socktype = query.type;
  if (query.both_families) hints.ai_flags = AI_V4MAPPED;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(query.port);
  const int failure = getaddrinfo(query.host.c_str(), port.c_str(), &hints, &found);
  if (failure != 0) {
    return base::NameNotResolved(query.host, gai_strerror(failure), failure == EAI_AGAIN);
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, &freeaddrinfo);
  std::vector<SocketAddress> addresses;
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    auto address = SocketAddress::FromKernel(each->ai_addr, each->ai_addrlen);
    if (std::ranges::find(addresses, address) == addresses.end()) {
      addresses.push_back(std::move(address));
    }
  }
  return addresses;
}

}  // namespace socketeer::net
