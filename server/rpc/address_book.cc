#include "server/rpc/address_book.h"

#include <sys/socket.h>

#include <atomic>
#include <utility>

#include "server/rpc/convert.h"

namespace socketeer::rpc {
namespace {

// One request's endpoints while names among them are resolved, one after the other. The call ends by whoever claims it
// first: this, or its cancellation.
class Resolution : public std::enable_shared_from_this<Resolution> {
 public:
  Resolution(Call& call, std::vector<EndpointQuery> queries, const net::SocketKind& kind, AddressesDone done)
      : call_(call),
        guard_(call.core().guard),
        resolver_(call.core().resolver),
        asker_{call.identity(), call.scope().id()},
        queries_(std::move(queries)),
        kind_(kind),
        done_(std::move(done)) {}

  // Goes as far as it can without a name. True: all are there.
  base::Result<bool> Advance() {
    while (found_.size() < queries_.size()) {
      const EndpointQuery& query = queries_[found_.size()];
      if (query.endpoint.has_named()) {
        auto known = WithoutResolver(query);
        if (!known.ok()) return std::move(known).error();
        if (known->list.empty()) return false;
        found_.push_back(*std::move(known));
        continue;
      }
      auto address = FromProto(query.endpoint, query.field);
      if (!address.ok()) return std::move(address).error();
      found_.push_back({.list = {ForFamily(*address, kind_.family)}});
    }
    return true;
  }

  void AskResolver() {
    resolver_.Resolve(asker_, QueryOf(queries_[found_.size()].endpoint.named()),
                      [self = shared_from_this()](auto answer) { self->OnAnswer(std::move(answer)); });
    // Whoever ended the call may have looked for the query before it was there.
    if (claimed_.load()) resolver_.Forget(asker_);
  }

  // The call is to end.
  void End(base::Error why) {
    if (!Claim()) return;
    resolver_.Forget(asker_);
    call_.Fail(std::move(why));
  }

  void Deliver() { done_(std::move(found_)); }

 private:
  bool Claim() { return !claimed_.exchange(true); }

  net::Resolver::Query QueryOf(const v1::NamedEndpoint& named) const {
    return {.host = named.host(),
            .port = static_cast<uint16_t>(named.port()),
            .family = kind_.family,
            .type = kind_.type,
            .both_families = kind_.dual};
  }

  // A wildcard or a numeric address; an empty list: it needs the resolver.
  base::Result<Addresses> WithoutResolver(const EndpointQuery& query) {
    const auto& named = query.endpoint.named();
    const std::string field = query.field + ".named";
    if (auto port = InRange(named.port(), 0, 65535, field + ".port"); !port.ok()) {
      return std::move(port).error();
    }
    const auto port = static_cast<uint16_t>(named.port());
    if (named.host().empty()) {
      if (!query.for_bind) return base::InvalidField(field + ".host", "", "a host to send to");
      if (kind_.family == AF_INET) return Addresses{.list = {net::SocketAddress::Any4(port)}};
      return Addresses{.list = {net::SocketAddress::Any6(port)}, .both_families = kind_.family == AF_UNSPEC};
    }
    if (named.host().find('\0') != std::string::npos || named.host().size() > 255) {
      return base::InvalidField(field + ".host", named.host(), "at most 255 bytes without NUL");
    }
    if (auto numeric = net::SocketAddress::Inet(named.host(), port, ""); numeric.ok()) {
      return Addresses{.list = {ForFamily(*numeric, kind_.family)}};
    }
    if (auto permitted = guard_.JudgeName(asker_.identity, named.host()); !permitted.ok()) {
      return std::move(permitted).error();
    }
    // Forms that are more than an address, and that a rule for names may forbid, but for which nobody has to be asked.
    if (auto numeric = net::Resolver::Numeric(QueryOf(named))) {
      if (!numeric->ok()) return std::move(*numeric).error();
      return Addresses{.list = **std::move(numeric)};
    }
    return Addresses{};
  }

  void OnAnswer(base::Result<std::vector<net::SocketAddress>> answer) {
    if (claimed_.load()) return;  // its caller is gone: ask no more
    base::Result<bool> complete = false;
    if (answer.ok()) {
      found_.push_back({.list = *std::move(answer)});
      complete = Advance();
    } else {
      complete = std::move(answer).error();
    }
    if (complete.ok() && !*complete) return AskResolver();
    if (!Claim()) return;
    call_.SetCanceller(nullptr);
    if (complete.ok()) {
      Deliver();
    } else {
      call_.Fail(std::move(complete).error());
    }
  }

  Call& call_;           // alive until claimed
  guard::Guard& guard_;  // these two outlive the resolver's threads, which the core need not
  net::Resolver& resolver_;
  const net::Resolver::Asker asker_;
  const std::vector<EndpointQuery> queries_;
  const net::SocketKind kind_;
  const AddressesDone done_;
  std::vector<Addresses> found_;
  std::atomic<bool> claimed_{false};
};

}  // namespace

net::SocketAddress ForFamily(const net::SocketAddress& address, int family) {
  return family == AF_INET6 ? address.MappedTo6() : address;
}

base::Status ResolveAll(Call& call, std::vector<EndpointQuery> queries, const net::SocketKind& kind,
                        AddressesDone done) {
  auto resolution = std::make_shared<Resolution>(call, std::move(queries), kind, std::move(done));
  auto complete = resolution->Advance();
  if (!complete.ok()) return std::move(complete).error();
  if (*complete) {
    resolution->Deliver();
    return base::Ok();
  }
  call.SetEnder([resolution](base::Error why) { resolution->End(std::move(why)); });
  resolution->AskResolver();
  return base::Ok();
}

}  // namespace socketeer::rpc
