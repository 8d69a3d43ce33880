#include "client/scenario/known.h"

#include <algorithm>
#include <numeric>

#include "client/scenario/variables.h"
#include "client/scenario/words.h"
#include "socketeer/text.h"

namespace socketeer::scenario {
namespace {

// Levenshtein's distance.
size_t Distance(std::string_view one, std::string_view other) {
  std::vector<size_t> row(other.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= one.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t k = 1; k <= other.size(); ++k) {
      const size_t changed = diagonal + (one[i - 1] == other[k - 1] ? 0 : 1);
      diagonal = row[k];
      row[k] = std::min({row[k] + 1, row[k - 1] + 1, changed});
    }
  }
  return row.back();
}

}  // namespace

std::string Suggestion(std::string_view word, const std::vector<std::string>& known) {
  std::string best;
  size_t least = 3;  // as far away is another word
  for (const std::string& each : known) {
    const size_t distance = word.size() > 40 ? least : Distance(word, each);
    if (distance < least && distance < each.size()) {
      least = distance;
      best = each;
    }
  }
  return best.empty() ? "" : "; did you mean " + best + "?";
}

void Known::Check(const Value& value) {
  for (const auto& [key, inner] : value.fields) {
    Check(key);
    Check(inner);
  }
  for (const Value& each : value.items) Check(each);
  if (value.type != Value::Type::kWord) return;
  const absl::Status status = ForEachVariable(value.text, [&](std::string_view name) {
    if (names_.contains(std::string(name))) return;
    mistakes_.Note(value.at, "there is no variable " + Quoted(name) + " here: nothing before this step sets it" +
                                 Suggestion(name, {names_.begin(), names_.end()}));
  });
  if (!status.ok()) mistakes_.Note(value.at, std::string(status.message()));
}

bool CheckKeys(const Value& map, std::string_view what, const std::vector<std::string>& known, Mistakes* mistakes) {
  if (map.type != Value::Type::kMap) {
    mistakes->Note(map.at, std::string(what) + " must be a map of " + Listed(known) + ", not " + KindOf(map));
    return false;
  }
  for (const auto& [key, value] : map.fields) {
    if (std::find(known.begin(), known.end(), key.text) == known.end()) {
      const std::string suggestion = Suggestion(key.text, known);
      mistakes->Note(key.at, "unknown key " + Quoted(key.text) +
                                 (suggestion.empty() ? "; known are " + Listed(known) : suggestion));
      return false;
    }
    if (value.type == Value::Type::kNothing) mistakes->Note(key.at, "the key " + Quoted(key.text) + " has no value");
  }
  return true;
}

}  // namespace socketeer::scenario
