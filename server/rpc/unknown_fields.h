// Finds what a request holds and this daemon does not know: nothing is dropped in silence.
#pragma once

#include <google/protobuf/message.h>

#include <optional>
#include <string>

namespace socketeer::rpc {

// The path of the first unknown field, at any depth: "listen.#17" (the number is all that is known of it).
std::optional<std::string> FirstUnknownField(const google::protobuf::Message& message);

}  // namespace socketeer::rpc
