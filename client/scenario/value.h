// A scenario's YAML as a tree that does not change: threads share it, and each word knows its place.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace socketeer::scenario {

// Where something stands in the file; from 1. 0: nowhere.
struct Place {
  int line = 0;
  int column = 0;
};

struct Value {
  enum class Type { kNothing, kWord, kList, kMap };

  // Null: there is none of that name.
  const Value* Find(std::string_view key) const;

  Type type = Type::kNothing;
  Place at{};
  std::string text{};                             // of a word, before its variables are put in
  bool quoted = false;                            // a word in quotation marks, or a block: text whatever it looks like
  std::vector<Value> items{};                     // of a list
  std::vector<std::pair<Value, Value>> fields{};  // of a map, in the order of the file; each key a word, given once
};

}  // namespace socketeer::scenario
