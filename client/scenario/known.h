// Which variables there are at a place in the file.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "client/scenario/mistake.h"
#include "client/scenario/value.h"

namespace socketeer::scenario {

class Known {
 public:
  explicit Known(Mistakes* mistakes) : mistakes_(*mistakes) {}

  void Add(std::string_view name) { names_.insert(std::string(name)); }
  void Remove(const std::string& name) { names_.erase(name); }
  void Reset(const std::set<std::string>& names) { names_ = names; }
  // Notes a variable in any word of `value` that there is not.
  void Check(const Value& value);
  const std::set<std::string>& names() const { return names_; }

 private:
  Mistakes& mistakes_;
  std::set<std::string> names_;
};

// Notes keys of a map that are not known; false, and a note, if it is no map.
bool CheckKeys(const Value& map, std::string_view what, const std::vector<std::string>& known, Mistakes* mistakes);
// `known` that are like a word, for a message: "; did you mean recv?", or "".
std::string Suggestion(std::string_view word, const std::vector<std::string>& known);

}  // namespace socketeer::scenario
