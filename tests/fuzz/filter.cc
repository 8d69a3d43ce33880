// The filter of ListSockets: any text parses or is refused with a column, and what parses can be applied.
#include "server/registry/filter.h"

#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using socketeer::registry::Filter;
  const auto filter = Filter::Parse(std::string_view(reinterpret_cast<const char*>(data), size));
  if (filter.ok()) {
    filter->Matches({}, {{"app", "web"}}, "sessions/a");
  } else if (!filter.error().metadata.contains("field")) {
    std::abort();
  }
  return 0;
}
