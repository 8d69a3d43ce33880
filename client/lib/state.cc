#include "socketeer/state.h"

#include <string_view>

namespace socketeer {
namespace {

// `name` is empty for a value that this library does not know.
std::string Word(const std::string& name, std::string_view prefix, int value) {
  return name.starts_with(prefix) ? name.substr(prefix.size()) : std::to_string(value);
}

}  // namespace

std::string StateWord(v1::State state) { return Word(v1::State_Name(state), "STATE_", state); }

std::string CloseReasonWord(v1::CloseReason reason) {
  return Word(v1::CloseReason_Name(reason), "CLOSE_REASON_", reason);
}

}  // namespace socketeer
