// One rule of a policy.
#pragma once

#include <bitset>
#include <cstdint>
#include <string>
#include <vector>

#include "server/policy/request.h"

namespace socketeer::policy {

struct PortRange {
  uint16_t first = 0;
  uint16_t last = 0;

  bool Contains(uint16_t port) const { return first <= port && port <= last; }
};

// Who may, or may not, do what to what. A list that is empty is no condition.
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
  std::vector<std::string> names;  // glob.h; of hosts, options, raw options

  bool Matches(const Request& request) const;
};

}  // namespace socketeer::policy
