// Addresses as a policy judges them: whatever is read is written so that it is read again, and where it leads is
// reached in one step.
#include <arpa/inet.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "server/policy/request.h"

namespace {

using socketeer::policy::Ip;
using socketeer::policy::IpRange;

void Judge(const Ip& ip) {
  if (Ip::Parse(ip.ToString()) != ip) std::abort();
  const Ip inner = ip.Unwrapped();
  if (inner.Unwrapped() != inner) std::abort();
  const Ip destination = ip.Destination();
  if (destination.IsWildcard() || destination.Destination() != destination) std::abort();
  const IpRange* const sensitive = socketeer::policy::SensitiveRangeOf(ip);
  if (sensitive != nullptr && !sensitive->Contains(ip)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (const auto ip = Ip::Parse(text)) {
    in_addr v4;
    in6_addr v6;
    if (inet_pton(ip->is_v4() ? AF_INET : AF_INET6, text.c_str(), ip->is_v4() ? static_cast<void*>(&v4) : &v6) != 1)
      std::abort();
    Judge(*ip);
  }
  if (const auto range = IpRange::Parse(text); range && IpRange::Parse(range->ToString()) != range) std::abort();
  Ip::V6Bytes bytes{};
  std::copy(data, data + std::min(size, bytes.size()), bytes.begin());
  Judge(Ip(bytes));
  for (const char* verb : {"open", "connect", "resolve", "end"}) {
    const auto request = socketeer::policy::ParseRequest("uid:1", verb, text);
    if (!request.ok()) continue;
    const std::string again = request->ToString();
    const auto repeated =
        socketeer::policy::ParseRequest("uid:1", verb, again.substr(std::min(again.size(), again.find(' ') + 1)));
    if (std::string_view(verb) != "end" && (!repeated.ok() || repeated->ToString() != again)) std::abort();
  }
  return 0;
}
