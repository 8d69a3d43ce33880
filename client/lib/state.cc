#include "socketeer/state.h"

#include <string_view>

namespace socketeer {

std::string StateWord(v1::State state) {
  constexpr std::string_view kPrefix = "STATE_";
  const std::string name = v1::State_Name(state);
  return name.starts_with(kPrefix) ? name.substr(kPrefix.size()) : std::to_string(state);
}

}  // namespace socketeer
