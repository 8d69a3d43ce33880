#include "server/policy/yaml_fields.h"

#include "server/base/printable.h"

namespace socketeer::policy {

std::string Quoted(std::string_view text) {
  constexpr size_t kMost = 100;  // bytes
  return "\"" + base::Printable(text, kMost) + "\"";
}

}  // namespace socketeer::policy
