// Bytes from anywhere as text that is safe in a message, a log line and a Protobuf string.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace socketeer::base {

// ASCII letters, digits, marks and blanks as they are; a backslash as `\\`; any other byte as
// `\xNN`. What would be longer than `max_chars` is cut there, never inside an escape, and ends in
// "...".
std::string Printable(std::string_view bytes, size_t max_chars = std::string::npos);

}  // namespace socketeer::base
