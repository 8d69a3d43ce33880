#include "server/policy/policy.h"

#include <algorithm>

namespace socketeer::policy {

std::string Decision::ToString() const {
  if (rule == nullptr) return "denied: no rule matches";
  return (allowed ? "allowed by " : "denied by ") + rule->name + " (line " + std::to_string(rule->line) + ")";
}

Decision Policy::Decide(const Request& request) const {
  const auto rule = std::find_if(rules.begin(), rules.end(), [&](const Rule& each) { return each.Matches(request); });
  if (rule == rules.end()) return {};
  return {.allowed = rule->allow, .rule = &*rule};
}

std::vector<std::string> Policy::FailedCases() const {
  std::vector<std::string> failed;
  for (const Case& each : cases) {
    const Decision decision = Decide(each.request);
    const bool by_rule = each.rule.empty() || (decision.rule != nullptr && decision.rule->name == each.rule);
    if (decision.allowed == each.allowed && by_rule) continue;
    failed.push_back(std::to_string(each.line) + ": " + each.request.identity + " " + each.request.ToString() + ": " +
                     decision.ToString() + "; expected: " + (each.allowed ? "allow" : "deny") +
                     (each.rule.empty() ? "" : " by " + each.rule));
  }
  return failed;
}

}  // namespace socketeer::policy
