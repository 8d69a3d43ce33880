// The filter of ListSockets: a subset of https://google.aip.dev/160.
//
//   filter = [ term { "AND" term } ]
//   term   = ("state" | "kind" | "session" | "labels." KEY) ("=" | "!=") value | "labels." KEY ":*"
//   value  = word | '"' any text, \" and \\ escaped '"'; a trailing * of either matches any rest
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "server/base/result.h"
#include "server/net/socket_info.h"
#include "server/registry/labels.h"

namespace socketeer::registry {

// Each of its terms is compared with each socket.
inline constexpr size_t kMaxFilterBytes = 4'096;

class Filter {
 public:
  Filter() = default;  // matches everything
  // INVALID_FIELD "filter", with the column.
  static base::Result<Filter> Parse(std::string_view text);

  // `session`: "sessions/{id}".
  bool Matches(const net::SocketInfo& info, const Labels& labels, std::string_view session) const;

 private:
  friend class FilterParser;
  struct Term {
    enum class Field { kState, kKind, kSession, kLabel };
    Field field = Field::kState;
    std::string label;  // of kLabel
    std::string value;
    bool prefix = false;   // the value ended in *
    bool negated = false;  // !=
  };
  static bool Holds(const Term& term, const net::SocketInfo& info, const Labels& labels, std::string_view session);

  std::vector<Term> terms_;
};

// "LISTENING"; the words of socketeer.v1.State without their prefix.
const char* StateWord(net::State state);

}  // namespace socketeer::registry
