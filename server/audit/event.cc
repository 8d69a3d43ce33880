#include "server/audit/event.h"

#include <algorithm>
#include <cstdio>

namespace socketeer::audit {
namespace {

constexpr char32_t kReplacement = 0xFFFD;

struct Character {
  char32_t code;
  size_t bytes;
};

// The first one of `text`, which is not empty. What is no UTF-8 is one byte, and the replacement.
Character FirstOf(std::string_view text) {
  const auto byte = [text](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const unsigned first = byte(0);
  if (first < 0x80) return {first, 1};
  const size_t bytes = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4) return {kReplacement, 1};
  char32_t code = first & (0x7Fu >> bytes);
  for (size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {kReplacement, 1};
    code = code << 6 | (byte(i) & 0x3F);
  }
  constexpr char32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xD800 && code < 0xE000;
  if (code < kLeast[bytes] || code > 0x10FFFF || surrogate) return {kReplacement, 1};
  return {code, bytes};
}

bool IsPlain(char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; }

void AppendUnit(char32_t unit, std::string* out) {
  constexpr char kHex[] = "0123456789abcdef";
  *out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) *out += kHex[unit >> shift & 15];
}

std::string Escaped(char32_t code) {
  if (code == '"') return "\\\"";
  if (code == '\\') return "\\\\";
  if (code < 0x80 && IsPlain(static_cast<char>(code))) return {static_cast<char>(code)};
  std::string escaped;
  if (code >= 0x10000) AppendUnit(0xD800 + ((code - 0x10000) >> 10), &escaped);
  AppendUnit(code >= 0x10000 ? 0xDC00 + ((code - 0x10000) & 0x3FF) : code, &escaped);
  return escaped;
}

// "2026-11-22T18:10:44.029951Z"
std::string TextOf(base::WallTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::microseconds>(time - day));
  char text[64];
  std::snprintf(text, sizeof(text), "%04d-%02u-%02uT%02d:%02d:%02d.%06dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
  return text;
}

}  // namespace

Event::Event(std::string_view event, base::WallTime time) {
  text_.reserve(512);  // most lines
  text_ += "{\"time\":\"";
  text_ += TextOf(time);
  text_ += '"';
  Text("event", event);
}

Event& Event::Raw(std::string_view key, std::string_view value) {
  ((((text_ += ",\"") += key) += "\":") += value);
  return *this;
}

Event& Event::Text(std::string_view key, std::string_view text) {
  if (text.empty()) return *this;
  Raw(key, "");
  Quote(text);
  return *this;
}

Event& Event::Texts(std::string_view key, const std::vector<std::string>& texts) {
  if (texts.empty()) return *this;
  Raw(key, "[");
  for (size_t i = 0; i < std::min(texts.size(), kMaxTexts); ++i) {
    if (i > 0) text_ += ',';
    Quote(texts[i]);
  }
  text_ += texts.size() > kMaxTexts ? ",\"...\"]" : "]";
  return *this;
}

Event& Event::Microseconds(std::string_view key, std::chrono::nanoseconds duration) {
  const auto whole = std::chrono::floor<std::chrono::microseconds>(duration).count();
  return Number(key, std::max<int64_t>(whole, 0));
}

Event& Event::Time(std::string_view key, base::WallTime time) { return Text(key, TextOf(time)); }

void Event::Quote(std::string_view text) {
  text_ += '"';
  const size_t begin = text_.size();
  const size_t most = std::min(kMaxTextBytes, left_);
  if (text.size() <= most && std::all_of(text.begin(), text.end(), IsPlain)) {
    text_ += text;
    text = {};
  }
  while (!text.empty()) {
    const Character next = FirstOf(text);
    const std::string escaped = Escaped(next.code);
    if (text_.size() - begin + escaped.size() > most) break;
    text_ += escaped;
    text.remove_prefix(next.bytes);
  }
  left_ -= text_.size() - begin;
  text_ += text.empty() ? "\"" : "...\"";
}

}  // namespace socketeer::audit
