#include "client/report/text.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "absl/strings/str_replace.h"
#include "socketeer/text.h"

namespace socketeer::report {
namespace {

std::string Number(double value, int decimals, const char* unit) {
  char text[64];
  std::snprintf(text, sizeof(text), "%.*f%s", decimals, value, unit);
  return text;
}

// Three digits.
std::string Scaled(double value, const char* unit) {
  return Number(value, value < 9.995 ? 2 : value < 99.95 ? 1 : 0, unit);
}

size_t SequenceLength(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  return byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
}

// U+1100 begins with these bytes.
bool IsWide(std::string_view sequence) { return sequence.size() > 2 && sequence >= std::string_view("\xe1\x84\x80"); }

// Bytes of `text` that fit into so many columns.
size_t Fitting(std::string_view text, size_t columns) {
  size_t at = 0;
  while (at < text.size()) {
    const std::string_view next = text.substr(at, SequenceLength(text[at]));
    const size_t width = IsWide(next) ? 2 : 1;
    if (width > columns) break;
    columns -= width;
    at += next.size();
  }
  return at;
}

absl::string_view View(const std::string& text) { return {text.data(), text.size()}; }

}  // namespace

std::string Legible(std::string_view text, size_t most) {
  if (text.size() > most) {
    size_t end = most;
    while (end > 0 && (text[end] & 0xc0) == 0x80) --end;  // not within a character
    return Legible(text.substr(0, end)) + "...";
  }
  // What is not UTF-8 is told byte by byte as a whole, as Printable does: half of it would look like text.
  const bool utf8 = IsUtf8(text);
  std::string legible;
  while (!text.empty()) {
    const size_t end = std::min(text.find_first_of("\\\n"), text.size());
    for (size_t at = 0; at < end;) {
      const size_t length = utf8 ? end - at : 1;
      legible += Printable(text.substr(at, length));
      at += length;
    }
    text.remove_prefix(end);
    if (text.empty()) break;
    legible += text[0];
    text.remove_prefix(1);
  }
  // UTF-8, but no characters, and XML does not take them.
  return absl::StrReplaceAll(View(legible), {{"\xef\xbf\xbe", "\\xef\\xbf\\xbe"}, {"\xef\xbf\xbf", "\\xef\\xbf\\xbf"}});
}

std::string OneLine(std::string_view text, size_t most) {
  return absl::StrReplaceAll(View(Legible(text, most)), {{"\n", " "}});
}

std::string FirstLine(std::string_view text, size_t most) {
  const size_t end = text.find('\n');
  if (end == std::string_view::npos) return Legible(text, most);
  const std::string line = Legible(text.substr(0, end), most);
  return line.size() > 3 && line.compare(line.size() - 3, 3, "...") == 0 ? line : line + " ...";
}

std::string Markup(std::string_view text, size_t most) {
  return absl::StrReplaceAll(View(Legible(text, most)),
                             {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}, {"'", "&#39;"}});
}

size_t Columns(std::string_view text) {
  size_t columns = 0;
  while (!text.empty()) {
    const std::string_view next = text.substr(0, SequenceLength(text[0]));
    columns += IsWide(next) ? 2 : 1;
    text.remove_prefix(next.size());
  }
  return columns;
}

std::string Cut(std::string_view text, size_t columns) {
  if (Fitting(text, columns) == text.size()) return std::string(text);
  return columns == 0 ? "" : std::string(text.substr(0, Fitting(text, columns - 1))) + "\xe2\x80\xa6";
}

std::vector<std::string> Wrapped(std::string_view text, size_t columns, size_t most) {
  std::vector<std::string> lines;
  while (!text.empty() && lines.size() + 1 < most) {
    size_t end = Fitting(text, columns);
    if (end == text.size()) break;
    const size_t blank = text.rfind(' ', end);
    if (blank != std::string_view::npos && blank > end / 2) end = blank;
    if (end == 0) break;
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
    if (!text.empty() && text[0] == ' ') text.remove_prefix(1);
  }
  if (!text.empty()) lines.push_back(Cut(text, columns));
  return lines;
}

std::string DurationText(absl::Duration duration) {
  if (duration < absl::ZeroDuration()) return "-" + DurationText(-duration);
  if (duration == absl::InfiniteDuration()) return "for ever";
  const double seconds = absl::ToDoubleSeconds(duration);
  if (seconds < 0.0009995) return Number(seconds * 1e6, 0, "us");
  if (seconds < 0.9995) return Scaled(seconds * 1e3, "ms");
  if (seconds < 59.95) return Scaled(seconds, "s");
  const int64_t whole = std::llround(seconds);
  const std::string rest = std::to_string(whole % 60) + "s";
  if (whole < 3600) return std::to_string(whole / 60) + "m" + rest;
  return std::to_string(whole / 3600) + "h" + std::to_string(whole / 60 % 60) + "m";
}

std::string BytesText(uint64_t bytes) {
  if (bytes < 1024) return std::to_string(bytes) + " B";
  double value = static_cast<double>(bytes) / 1024;
  const char* const units[] = {" KiB", " MiB", " GiB", " TiB", " PiB"};
  size_t unit = 0;
  for (; value >= 1023.95 && unit < 4; ++unit) value /= 1024;
  return Scaled(value, units[unit]);
}

std::string Seconds(absl::Duration duration) { return Number(std::max(0.0, absl::ToDoubleSeconds(duration)), 6, ""); }

std::string TimeText(absl::Time time) { return absl::FormatTime("%Y-%m-%d%ET%H:%M:%E6SZ", time, absl::UTCTimeZone()); }

}  // namespace socketeer::report
