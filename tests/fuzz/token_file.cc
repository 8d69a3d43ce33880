// The token file: any bytes are a table or an error of one line, and what was read can be found again.
#include "server/rpc/token_file.h"

#include <cstdlib>

using socketeer::rpc::FindToken;
using socketeer::rpc::ParseTokenFile;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto table = ParseTokenFile({reinterpret_cast<const char*>(data), size});
  if (!table.ok()) {
    for (const char c : table.error().message) {
      if (c < ' ' || c > '~') std::abort();
    }
    return 0;
  }
  if (table->size() > socketeer::rpc::kMaxTokens) std::abort();
  for (const auto& entry : *table) {
    if (entry.name.empty() || FindToken(*table, entry.hash) != &entry) std::abort();
  }
  return 0;
}
