// Who may do what: rules in order, of which the first that matches decides. What none matches is denied.
//
// A value; constant once read, so that all threads may ask it.
#pragma once

#include <string>
#include <vector>

#include "server/policy/request.h"
#include "server/policy/rule.h"

namespace socketeer::policy {

struct Decision {
  bool allowed = false;
  const Rule* rule = nullptr;  // the policy's; null: none matched

  // "allowed by lab-tcp (line 12)", "denied: no rule matches".
  std::string ToString() const;
};

// A question with its answer, in the policy's file.
struct Case {
  int line = 0;
  Request request;
  bool allowed = false;
  std::string rule;  // that must decide; "": any
};

enum class Mode {
  kEnforce,
  kShadow,  // nothing is denied; what would be is told
};

struct Policy {
  Mode mode = Mode::kEnforce;
  std::vector<Rule> rules;
  std::vector<Case> cases;

  Decision Decide(const Request& request) const;
  // What is wrong with its cases, a line for each: "14: uid:1 connect tcp:10.0.0.1:80: denied: no rule matches;
  // expected: allow". None: all hold.
  std::vector<std::string> FailedCases() const;
};

}  // namespace socketeer::policy
