#include "client/scenario/value.h"

#include <algorithm>

namespace socketeer::scenario {

const Value* Value::Find(std::string_view key) const {
  const auto found =
      std::find_if(fields.begin(), fields.end(), [key](const auto& field) { return field.first.text == key; });
  return found == fields.end() ? nullptr : &found->second;
}

}  // namespace socketeer::scenario
