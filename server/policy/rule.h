// One rule of a policy.
#pragma once

#include <bitset>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/policy/request.h"

namespace socketeer::policy {

struct PortRange {
  uint16_t first = 0;
  uint16_t last = 0;

  bool Contains(uint16_t port) const { return first <= port && port <= last; }
};

// Who may, or may not, do what to what. A list that is empty is no condition.
//
// What is done to several addresses at once (:: is 0.0.0.0 too, a tunnel's address leads to another) is allowed by a
// rule that matches all of them, and denied by one that matches any.
struct Rule {
  std::string name;  // for people: given, or "rule 3"
  int line = 0;      // in the file
  bool allow = false;
  std::bitset<kVerbs> verbs;
  std::vector<std::string> identities;  // glob.h
  // Of the socket; where there is an address, its own family counts.
  std::vector<Family> families;
  std::vector<Protocol> protocols;
  // IP addresses. A wide range allows none of the sensitive ones (ip.h): those are named by a range within theirs.
  std::vector<IpRange> addresses;
  std::vector<PortRange> ports;
  // UNIX sockets, glob.h. With addresses or ports, and no paths, a rule is about IP alone; and the other way round.
  std::vector<std::string> paths;
  // glob.h; of hosts, options, raw options. Raw options, and options that reroute, are allowed by name only.
  std::vector<std::string> names;

  bool Matches(const Request& request) const;
};

// Does this option change where packets go or come from? By its name in socket_options.proto, or as the manual calls
// it.
bool Reroutes(std::string_view option);

// A host's name as names are compared: small letters, without the dot at its end.
std::string HostName(std::string_view name);

}  // namespace socketeer::policy
