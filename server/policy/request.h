// What a policy is asked: may this identity do that to this?
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/base/result.h"
#include "server/policy/ip.h"

namespace socketeer::policy {

enum class Verb {
  kOpen,        // make a socket
  kConnect,     // to an address
  kBind,        // to an address; one that the kernel chooses unasked is the wildcard's, port 0
  kListen,      // at the address it is bound to
  kSend,        // to an address
  kReceive,     // at the address it is bound to
  kOption,      // set one, by its name
  kResolve,     // a name
  kRaw,         // an option by its number, "1:2" for level and name
  kObserve,     // see what others share with everybody
  kEnd,         // end the sessions of others
  kAdminister,  // the daemon itself
};
inline constexpr int kVerbs = 12;

enum class Family { kIpv4, kIpv6, kUnix };
enum class Protocol { kTcp, kUdp, kStream, kDgram, kSeqpacket };

// "connect". Nullopt: there is no such word.
std::string_view NameOf(Verb verb);
std::string_view NameOf(Family family);
std::string_view NameOf(Protocol protocol);
std::optional<Verb> VerbNamed(std::string_view name);
std::optional<Family> FamilyNamed(std::string_view name);
std::optional<Protocol> ProtocolNamed(std::string_view name);

// Of what kind what a verb is done to must be.
enum class ObjectOf { kSocket, kAddress, kName, kNothing };
ObjectOf ObjectOfVerb(Verb verb);

// Of a caller: "anonymous", "uid:1000", "token:ci", "dns:ci.example", "spiffe://lab/ci" or another URI with a scheme
// and "//". At most 1,024 bytes of ASCII, without blanks, commas and "*"; `pattern`: with "*" anywhere behind what it
// begins with.
bool IsIdentity(std::string_view text, bool pattern = false);
// "@NAME", or absolute, with no part that is empty, "." or "..", and no NUL. (Whether there are links in it only the
// system knows.)
bool IsRealPath(std::string_view path);

struct Request {
  std::string identity;
  Verb verb = Verb::kAdminister;
  // Of the socket. Absent where there is none: to resolve, observe, end, administer.
  std::optional<Family> family = {};
  std::optional<Protocol> protocol = {};
  // Of verbs that need an address: one of these. The path is absolute and real: no links, no "." and "..".
  std::optional<Ip> ip = {};
  uint16_t port = 0;
  // To bind ::, of an IPv6 socket: without IPv4. Else it is every address of both.
  bool v6only = false;
  std::string path = {};  // "@name" in the abstract namespace
  // A host's name, an option's, or a raw option's numbers.
  std::string name = {};

  // "connect tcp:10.0.0.1:80".
  std::string ToString() const;
};

// From words, as they stand in a policy's cases and on a command line. `object`: for open "tcp4", "tcp6", "udp4",
// "udp6", "unix", "unix-dgram" or "unix-seqpacket"; with an address "tcp:10.0.0.1:80", "udp:[::1]:53", "unix:/run/x",
// "unix-dgram:@name"; "tcp6:[::]:80" is without IPv4; for the others the name, or "". Errors: INVALID_FIELD.
base::Result<Request> ParseRequest(const std::string& identity, std::string_view verb, std::string_view object);

}  // namespace socketeer::policy
