// A quotas' file: read or refused, and one that was read limits nobody to what cannot be.
#include "server/quota/quota_file.h"

#include <cstdint>
#include <cstdlib>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace socketeer;  // NOLINT: a target of one function
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto rules = quota::ParseQuotas(text, "q", base::DefaultLimits(1'000));
  if (!rules.ok()) {
    if (!rules.error().message.starts_with("quotas: q:")) std::abort();
    return 0;
  }
  for (const quota::Rule& rule : rules->rules) {
    if (rule.identities.empty()) std::abort();
    for (const quota::RateTerms& rate : rule.allowance.rates) {
      if (rate.limited() && (rate.per_second == 0 || rate.burst == 0)) std::abort();
    }
  }
  (void)rules->Of("uid:1");
  return 0;
}
