// Text from anywhere, made fit for a report.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"

namespace socketeer::report {

// As Printable (socketeer/text.h) shows it, but lines stay lines and a backslash stays one: messages have been made
// printable before, and would be so twice. `most`: of more bytes it shows the first ones and "...".
std::string Legible(std::string_view text, size_t most = std::string_view::npos);
// The same on one line.
std::string OneLine(std::string_view text, size_t most = std::string_view::npos);
// The first line of Legible; more lines become "...".
std::string FirstLine(std::string_view text, size_t most = std::string_view::npos);
// For the content and the attributes of XML and HTML: Legible, and what would be markup is not.
std::string Markup(std::string_view text, size_t most = std::string_view::npos);

// How many columns of a terminal, or of a fixed font, `text` (Legible) takes at most: characters from U+1100 on count
// as two, though some are one.
size_t Columns(std::string_view text);
// As much of `text` (Legible) as fits, ending in U+2026 when that is not all.
std::string Cut(std::string_view text, size_t columns);
// `text` (one line, Legible) in lines of so many columns, at blanks where there are some; at most `most` of them.
std::vector<std::string> Wrapped(std::string_view text, size_t columns, size_t most);

// "340us", "12.3ms", "1.23s", "2m3s": three digits are enough for people.
std::string DurationText(absl::Duration duration);
// "12 B", "64.0 KiB".
std::string BytesText(uint64_t bytes);
// Seconds with six digits behind the point, never less than 0.
std::string Seconds(absl::Duration duration);
// UTC: "2026-01-31T12:00:00.123456Z".
std::string TimeText(absl::Time time);

}  // namespace socketeer::report
