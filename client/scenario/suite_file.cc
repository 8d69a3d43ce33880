#include "client/scenario/suite_file.h"

#include "client/lib/file.h"
#include "socketeer/status_macros.h"

namespace socketeer::scenario {
namespace {

constexpr size_t kMaxFile = size_t{1} << 20;

}  // namespace

absl::StatusOr<Scenario> ReadScenarioFile(const std::string& path, const std::map<std::string, std::string>& given) {
  SOCKETEER_ASSIGN_OR_RETURN(const std::string text, internal::ReadFile(path, internal::Guard::kNone, kMaxFile));
  return ReadScenario(text, path, given);
}

}  // namespace socketeer::scenario
