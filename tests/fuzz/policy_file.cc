// A policy's file: read or refused, and one that was read answers every question of its own cases.
#include "server/policy/policy_file.h"

#include <cstdint>
#include <cstdlib>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto policy = socketeer::policy::ParsePolicy(text, "p");
  if (!policy.ok()) {
    if (!policy.error().message.starts_with("p:")) std::abort();
    return 0;
  }
  (void)policy->FailedCases();
  for (const auto& rule : policy->rules) {
    if (rule.verbs.none() || rule.identities.empty()) std::abort();
  }
  return 0;
}
