// What `${name}` stands for while a scenario runs.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace socketeer::scenario {

// Variables and captures by name. Thread-safe: branches that run at once share them.
class Variables {
 public:
  Variables() = default;
  // What is set here hides what `outer` has, which outlives this: a loop's turn.
  explicit Variables(Variables* outer) : outer_(outer) {}
  Variables(const Variables&) = delete;
  Variables& operator=(const Variables&) = delete;

  void Set(std::string_view name, std::string value);
  // The same where it outlives the loop: a capture.
  void SetOutermost(std::string_view name, std::string value);
  std::optional<std::string> Get(std::string_view name) const;
  // `text` with each ${name} replaced; $$ is a dollar sign. INVALID_ARGUMENT: a name that there is not, or no name.
  absl::StatusOr<std::string> Fill(std::string_view text) const;

 private:
  Variables* const outer_ = nullptr;
  mutable std::mutex mutex_;
  std::map<std::string, std::string, std::less<>> values_;
};

// Letters, digits, _ and -; at most 63.
bool IsVariableName(std::string_view name);

// Calls `use` for each ${name} in `text`, in order. INVALID_ARGUMENT: a dollar sign that is neither ${name} nor $$.
absl::Status ForEachVariable(std::string_view text, const std::function<void(std::string_view name)>& use);

}  // namespace socketeer::scenario
