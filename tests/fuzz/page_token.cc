// A page token that a caller made up is refused; one that is accepted is one that we could have made.
#include "server/rpc/page_token.h"

#include <cstdint>
#include <cstdlib>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace socketeer::rpc;
  const std::string token(reinterpret_cast<const char*>(data), size);
  const auto id = ReadPageToken(token, "kind = tcp4");
  if (id.ok() && !id->empty()) {
    const auto again = ReadPageToken(MakePageToken(*id, "kind = tcp4"), "kind = tcp4");
    if (!again.ok() || *again != *id) std::abort();
  }
  return 0;
}
