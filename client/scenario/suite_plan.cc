#include "client/scenario/suite_plan.h"

#include <algorithm>
#include <random>

namespace socketeer::scenario {

std::vector<Parameters> Combinations(const std::vector<std::pair<std::string, std::vector<Value>>>& matrix,
                                     const std::map<std::string, std::string>& set) {
  std::vector<Parameters> all{{}};
  for (const auto& [name, values] : matrix) {
    std::vector<Parameters> longer;
    for (const Parameters& begun : all) {
      for (const Value& value : values) {
        longer.push_back(begun);
        longer.back().emplace_back(name, value.text);
      }
    }
    all = std::move(longer);
  }
  for (Parameters& each : all) each.insert(each.end(), set.begin(), set.end());
  return all;
}

std::string WhyExcluded(const std::vector<std::string>& tags, const std::vector<std::string>& wanted) {
  const auto has = [&](const std::string& tag) { return std::find(tags.begin(), tags.end(), tag) != tags.end(); };
  bool positive = false;
  bool found = false;
  for (const std::string& tag : wanted) {
    if (tag.starts_with("!")) {
      if (has(tag.substr(1))) return "it has the tag " + tag.substr(1);
    } else {
      positive = true;
      found = found || has(tag);
    }
  }
  return positive && !found ? "it has none of the tags asked for" : "";
}

void Shuffle(uint64_t seed, std::vector<size_t>* order) {
  std::mt19937_64 random(seed);  // the standard fixes what it gives, but not what std::shuffle makes of it
  for (size_t i = order->size(); i > 1; --i) std::swap((*order)[i - 1], (*order)[random() % i]);
}

}  // namespace socketeer::scenario
