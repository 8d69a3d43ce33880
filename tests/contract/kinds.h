// The kinds of socket that the contract is run over.
#pragma once

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace socketeer::contract {

struct Kind {
  enum class Address { kInet4, kInet6, kBoth, kPath, kAbstract };

  const char* name;  // of its row in the table
  const char* word;  // Socket.kind
  const char* type;
  Address address;

  bool IsUnix() const { return address == Address::kPath || address == Address::kAbstract; }
  bool IsInet() const { return !IsUnix(); }
  bool IsStream() const { return std::string_view(type) == "SOCKET_TYPE_STREAM"; }
  bool IsDgram() const { return std::string_view(type) == "SOCKET_TYPE_DGRAM"; }
  bool IsSeqpacket() const { return std::string_view(type) == "SOCKET_TYPE_SEQPACKET"; }
  bool HasRecords() const { return !IsStream(); }
  bool HasConnections() const { return !IsDgram(); }
  bool IsTcp() const { return IsInet() && IsStream(); }
  bool IsUdp() const { return IsInet() && IsDgram(); }
};

inline void PrintTo(const Kind& kind, std::ostream* out) { *out << kind.name; }

inline const std::vector<Kind>& AllKinds() {
  using enum Kind::Address;
  static const std::vector<Kind> kinds = {
      {"tcp4", "tcp4", "SOCKET_TYPE_STREAM", kInet4},
      {"tcp6", "tcp6", "SOCKET_TYPE_STREAM", kInet6},
      {"tcp46", "tcp", "SOCKET_TYPE_STREAM", kBoth},
      {"udp4", "udp4", "SOCKET_TYPE_DGRAM", kInet4},
      {"udp6", "udp6", "SOCKET_TYPE_DGRAM", kInet6},
      {"udp46", "udp", "SOCKET_TYPE_DGRAM", kBoth},
      {"unix", "unix", "SOCKET_TYPE_STREAM", kPath},
      {"udgram", "unix-dgram", "SOCKET_TYPE_DGRAM", kPath},
      {"useqp", "unix-seqpacket", "SOCKET_TYPE_SEQPACKET", kPath},
      {"@unix", "unix", "SOCKET_TYPE_STREAM", kAbstract},
      {"@udgram", "unix-dgram", "SOCKET_TYPE_DGRAM", kAbstract},
      {"@useqp", "unix-seqpacket", "SOCKET_TYPE_SEQPACKET", kAbstract},
  };
  return kinds;
}

}  // namespace socketeer::contract
