// Bytes from anywhere, shown to people.
#pragma once

#include <string>
#include <string_view>

namespace socketeer {

// Whether `bytes` is well-formed UTF-8, as every string (not bytes) of the API must be.
bool IsUtf8(std::string_view bytes);

// Safe on a terminal: control bytes, characters that turn the direction of text, and all bytes outside ASCII unless
// `bytes` is UTF-8, become `\xNN`; a backslash becomes `\\`. Of more than `max_bytes` it shows the first ones and
// "...".
std::string Printable(std::string_view bytes, size_t max_bytes = std::string_view::npos);

// JSON or YAML in which characters that turn the direction of text (U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to
// U+2069) are `\uNNNN`: a terminal that obeys them would show another text than is there.
std::string WithTurnsEscaped(std::string_view document);

// 0 to 15; -1 for what is no hexadecimal digit.
int HexDigitValue(char c);

// Printable, in quotation marks, cut after 120 bytes: for error messages.
std::string Quoted(std::string_view bytes);

}  // namespace socketeer
