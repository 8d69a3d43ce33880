// Who gives way when there are as many connections as there may be, and some have proven nothing yet.
#pragma once

#include <functional>
#include <string>
#include <vector>

struct sockaddr_storage;

namespace socketeer::rpc {

// What one attacker can open connections from as he likes: an IPv4 address, the 64 bits of an IPv6 one that name a
// network. Whatever else is one source.
std::string SourceOf(const sockaddr_storage& peer);

struct Unproven {
  int fd;
  const std::string* source;
};

// One of the source that has the most of them; of several such, one of any. Any of that source may be meant: were it
// the oldest, or the youngest, who opens them in masses could choose the time at which an honest one beside him goes.
// `below` gives a random number below its argument. -1: there is none.
int ChooseVictim(const std::vector<Unproven>& unproven, const std::function<size_t(size_t)>& below);

}  // namespace socketeer::rpc
