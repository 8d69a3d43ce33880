// What a person types: endpoints, durations, options. Each parses or is refused with a reason; an endpoint that parses
// prints as a text that means the same, unless it is a path that a terminal must not have.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "socketeer/duration.h"
#include "socketeer/endpoint.h"
#include "socketeer/socket_options.h"

namespace {

void Explained(const absl::Status& status) {
  if (!status.ok() && status.message().empty()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace socketeer;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto endpoint = ParseEndpoint(text, EndpointUse::kBind);
  Explained(endpoint.status());
  if (endpoint.ok()) {
    const std::string shown = FormatEndpoint(*endpoint);
    const bool for_the_eye = endpoint->unix_domain().has_path() && std::ranges::any_of(text, [](char c) {
                               return c < ' ' || c > '~';  // beyond ASCII some is shown as it is, some not
                             });
    const auto again = ParseEndpoint(shown, EndpointUse::kBind);
    if (!for_the_eye && again.ok() && again->SerializeAsString() != endpoint->SerializeAsString()) std::abort();
  }
  Explained(ParseTimeout(text).status());
  v1::SocketOptions options;
  Explained(SetOption(text, &options));
  return 0;
}
