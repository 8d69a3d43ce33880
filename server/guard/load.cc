#include "server/guard/load.h"

#include <utility>

#include "server/base/printable.h"
#include "server/policy/document.h"
#include "server/policy/policy_file.h"

namespace socketeer::guard {
namespace {

base::Error Unfit(const std::string& file, const std::string& why) {
  base::Error error;
  error.code = base::Code::kInvalidArgument;
  error.message = "policy " + base::Printable(file) + ": " + why;
  return error;
}

}  // namespace

base::Result<PolicyPtr> LoadPolicy(const std::string& file) {
  auto text = policy::ReadOperatorFile("policy", file, policy::kMaxPolicyBytes);
  if (!text.ok()) return std::move(text).error();
  auto parsed = policy::ParsePolicy(*text, base::Printable(file));
  if (!parsed.ok()) {
    parsed.error().message.insert(0, "policy ");  // it begins with the file
    return std::move(parsed).error();
  }
  if (const auto failed = parsed->FailedCases(); !failed.empty()) {
    return Unfit(file, "a case of it fails: " + base::Printable(file) + ":" + failed.front());
  }
  return std::make_shared<const policy::Policy>(*std::move(parsed));
}

}  // namespace socketeer::guard
