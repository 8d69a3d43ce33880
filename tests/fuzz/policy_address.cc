// Addresses as a policy judges them: whatever is read is written so that it is read again, and where it leads is
// reached in one step.
#include <arpa/inet.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "server/policy/rule.h"

namespace {

using socketeer::policy::Ip;
using socketeer::policy::IpRange;

// Everyone may do all, as far as a rule that names nothing can say so.
socketeer::policy::Rule Everything() {
  socketeer::policy::Rule rule{.allow = true, .identities = {"**"}};
  rule.verbs.set();
  return rule;
}

void Judge(const Ip& ip) {
  if (Ip::Parse(ip.ToString()) != ip) std::abort();
  if (ip.Unmapped().Unmapped() != ip.Unmapped()) std::abort();
  const auto inner = ip.Embedded();
  if (inner && !inner->is_v4()) std::abort();
  static const socketeer::policy::Rule everything = Everything();
  const bool allowed = everything.Matches({.identity = "uid:1",
                                           .verb = socketeer::policy::Verb::kConnect,
                                           .protocol = socketeer::policy::Protocol::kTcp,
                                           .ip = ip});
  const bool sensitive = socketeer::policy::SensitiveRangeOf(ip.Unmapped()) != nullptr ||
                         (inner && socketeer::policy::SensitiveRangeOf(*inner) != nullptr);
  if (allowed == sensitive) std::abort();
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
