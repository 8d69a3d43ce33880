#include "server/policy/glob.h"

#include <vector>

namespace socketeer::policy {

bool Matches(std::string_view pattern, std::string_view text) {
  // Which beginnings of `text` the pattern so far matches.
  std::vector<bool> reached(text.size() + 1);
  reached[0] = true;
  for (size_t at = 0; at < pattern.size(); ++at) {
    if (pattern[at] != '*') {
      for (size_t end = text.size(); end > 0; --end) reached[end] = reached[end - 1] && text[end - 1] == pattern[at];
      reached[0] = false;
      continue;
    }
    const bool twice = at + 1 < pattern.size() && pattern[at + 1] == '*';
    const bool slashes = twice || pattern[0] == '@';
    if (twice) ++at;
    for (size_t end = 1; end <= text.size(); ++end) {
      if (reached[end - 1] && (slashes || text[end - 1] != '/')) reached[end] = true;
    }
  }
  return reached[text.size()];
}

}  // namespace socketeer::policy
