#include "socketeer/kind.h"

#include <array>
#include <string>

#include "socketeer/endpoint.h"
#include "socketeer/status_macros.h"
#include "socketeer/text.h"

namespace socketeer {
namespace {

struct Kind {
  std::string_view word;
  v1::Family family;
  v1::SocketType type;
};

constexpr std::array kKinds = {
    Kind{"tcp", v1::FAMILY_UNSPECIFIED, v1::SOCKET_TYPE_STREAM},
    Kind{"tcp4", v1::FAMILY_INET, v1::SOCKET_TYPE_STREAM},
    Kind{"tcp6", v1::FAMILY_INET6, v1::SOCKET_TYPE_STREAM},
    Kind{"udp", v1::FAMILY_UNSPECIFIED, v1::SOCKET_TYPE_DGRAM},
    Kind{"udp4", v1::FAMILY_INET, v1::SOCKET_TYPE_DGRAM},
    Kind{"udp6", v1::FAMILY_INET6, v1::SOCKET_TYPE_DGRAM},
    Kind{"unix", v1::FAMILY_UNIX, v1::SOCKET_TYPE_STREAM},
    Kind{"unix-dgram", v1::FAMILY_UNIX, v1::SOCKET_TYPE_DGRAM},
    Kind{"unix-seqpacket", v1::FAMILY_UNIX, v1::SOCKET_TYPE_SEQPACKET},
};

constexpr auto kWords = [] {
  std::array<std::string_view, kKinds.size()> words;
  for (size_t i = 0; i < kKinds.size(); ++i) words[i] = kKinds[i].word;
  return words;
}();

absl::StatusOr<Kind> FindKind(std::string_view word) {
  std::string allowed;
  for (const Kind& kind : kKinds) {
    if (kind.word == word) return kind;
    allowed += (allowed.empty() ? "" : ", ") + std::string(kind.word);
  }
  return absl::InvalidArgumentError(Quoted(word) + " is not a kind of socket: " + allowed);
}

// Raw addresses are the caller's own affair.
absl::Status CheckFits(const Kind& kind, const v1::Endpoint& address) {
  const bool unix_kind = kind.family == v1::FAMILY_UNIX;
  const bool fits = unix_kind ? !address.has_inet() && !address.has_named() : !address.has_unix_domain();
  if (fits) return absl::OkStatus();
  return absl::InvalidArgumentError(
      Quoted(FormatEndpoint(address)) + " is not an address of a " + std::string(kind.word) +
      " socket: " + (unix_kind ? "/PATH, ./PATH, unix:PATH or @NAME" : "HOST:PORT or [IPV6]:PORT"));
}

}  // namespace

std::span<const std::string_view> KindWords() { return kWords; }

absl::Status ApplyKind(std::string_view word, v1::OpenSocketRequest* request) {
  SOCKETEER_ASSIGN_OR_RETURN(const Kind kind, FindKind(word));
  if (request->has_bind()) SOCKETEER_RETURN_IF_ERROR(CheckFits(kind, request->bind()));
  if (request->has_connect()) SOCKETEER_RETURN_IF_ERROR(CheckFits(kind, request->connect()));

  request->set_family(kind.family);
  request->set_type(kind.type);
  const bool v6only_given = request->options().has_v6only();
  if (kind.family == v1::FAMILY_INET6 && !v6only_given) {
    request->mutable_options()->set_v6only(true);
  }
  const bool addressed = request->has_bind() || request->has_connect();
  if (kind.family == v1::FAMILY_UNSPECIFIED && !addressed) {
    request->set_family(v1::FAMILY_INET6);
    if (!v6only_given) request->mutable_options()->set_v6only(false);
  }
  return absl::OkStatus();
}

}  // namespace socketeer
