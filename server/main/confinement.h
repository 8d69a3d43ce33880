// What the daemon gives up before it serves, for good: capabilities, gaining any by running something, and the system
// calls that no socket needs. Of the thread that calls, and those that it starts: so before there are others.
#pragma once

#include <string>
#include <vector>

#include "server/base/result.h"

namespace socketeer {

// "": it is one of capabilities(7), as "net_raw" or "CAP_NET_RAW"; else what is wrong with it.
std::string WrongCapability(const std::string& name);

// Keeps these capabilities, which this process must have, and no other: not in its ambient set, nor,
// where it may change that, in its bounding set.
base::Status KeepCapabilities(const std::vector<std::string>& names);

// LeakSanitizer looks from a process that it clones, and which traces this one: then both are allowed.
#ifdef __SANITIZE_ADDRESS__
inline constexpr bool kLeaksAreLookedFor = true;
#else
inline constexpr bool kLeaksAreLookedFor = false;
#endif

// Sets no_new_privs, and from now on refuses with EPERM the calls that start or look into processes, change mounts,
// namespaces, users, clocks, modules or the kernel's keys; and with EAFNOSUPPORT a socket of a family other than UNIX,
// IPv4, IPv6 and netlink, by which the resolver learns the host's addresses.
base::Status FilterSystemCalls();

}  // namespace socketeer
