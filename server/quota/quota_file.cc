#include "server/quota/quota_file.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

#include "server/base/printable.h"
#include "server/policy/document.h"
#include "server/policy/groups.h"
#include "server/policy/yaml_fields.h"

namespace socketeer::quota {
namespace {

using policy::Fields;
using policy::Problems;

constexpr size_t kMaxQuotas = 1'000;
// Beyond what any machine has, and far from where arithmetic ends.
constexpr uint64_t kMaxNumber = 1'000'000'000'000'000;
constexpr char kNumbers[] = "numbers, as 100, 64Ki or 10M";
// Of a second, what a pause saves up for bytes: enough for an answer at once, and too little to be seen over seconds.
constexpr uint64_t kBytesBurstPart = 4;

std::optional<uint64_t> Factor(std::string_view suffix) {
  if (suffix.empty()) return 1;
  const bool binary = suffix.size() == 2 && suffix[1] == 'i';
  if (suffix.size() > 1 && !binary) return std::nullopt;
  const uint64_t base = binary ? 1'024 : 1'000;
  switch (suffix[0]) {
    case 'G':
      return base * base * base;
    case 'M':
      return base * base;
    case 'K':
      return binary ? std::optional(base) : std::nullopt;
    case 'k':
      return binary ? std::nullopt : std::optional(base);
    default:
      return std::nullopt;
  }
}

std::optional<uint64_t> NumberOf(std::string_view text) {
  uint64_t number = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (wrong != std::errc()) return std::nullopt;
  const auto factor = Factor(text.substr(static_cast<size_t>(end - text.data())));
  if (!factor || number > kMaxNumber / *factor) return std::nullopt;
  return number * *factor;
}

// One map of limits: `total`, or a quota.
class AllowanceReader {
 public:
  AllowanceReader(const Fields& fields, Problems* problems) : fields_(fields), problems_(*problems) {}

  Allowance Read() {
    for (size_t i = 0; i < kCounts; ++i) {
      const auto count = static_cast<Count>(i);
      if (const auto number = ReadNumber(NameOf(count), 0)) allowance_.of(count) = *number;
    }
    ReadRate(Rate::kOpens, "burst_opens", 1);
    ReadRate(Rate::kBytes, "burst_bytes", kBytesBurstPart);
    if (fields_.Has("when_exceeded")) ReadWhenExceeded(fields_["when_exceeded"]);
    return allowance_;
  }

 private:
  std::optional<uint64_t> ReadNumber(const std::string& key, uint64_t least) {
    if (!fields_.Has(key)) return std::nullopt;
    const YAML::Node node = fields_[key];
    const std::string word = problems_.OneWord(node, kNumbers);
    const auto number = NumberOf(word);
    if (number && *number >= least) return number;
    problems_.Note(node, key + " is " + policy::Quoted(word) + "; it must be a number from " + std::to_string(least) +
                             " to 10^15, which may end in k, M, G, Ki, Mi or Gi");
    return std::nullopt;
  }

  void ReadRate(Rate rate, const std::string& burst_key, uint64_t burst_part) {
    RateTerms& terms = allowance_.of(rate);
    if (const auto number = ReadNumber(NameOf(rate), 1)) {
      terms = {.per_second = *number, .burst = std::max<uint64_t>(*number / burst_part, 1)};
    }
    const auto burst = ReadNumber(burst_key, 1);
    if (!burst) return;
    if (!terms.limited()) problems_.Note(fields_[burst_key], burst_key + " without " + NameOf(rate));
    terms.burst = *burst;
  }

  void ReadWhenExceeded(const YAML::Node& node) {
    const std::string word = problems_.OneWord(node, "delay, refuse");
    if (word != "delay" && word != "refuse") {
      problems_.Note(node, "when_exceeded is " + policy::Quoted(word) + "; it must be delay or refuse");
    }
    if (!allowance_.of(Rate::kOpens).limited() && !allowance_.of(Rate::kBytes).limited()) {
      problems_.Note(node, "when_exceeded without opens_per_second or bytes_per_second");
    }
    allowance_.when_exceeded = word == "refuse" ? WhenExceeded::kRefuse : WhenExceeded::kDelay;
  }

  const Fields& fields_;
  Problems& problems_;
  Allowance allowance_;
};

// What the daemon has of it, whatever its operator wishes.
struct OwnLimit {
  Count count;
  const char* name;
  uint64_t allowed;
};

void CheckTotal(const Fields& fields, const Allowance& total, const base::Limits& limits, Problems* problems) {
  const OwnLimit all[] = {
      {Count::kSockets, "max_sockets", limits.max_sockets},
      {Count::kSessions, "max_sessions", limits.max_sessions},
      {Count::kWaitingCalls, "max_calls", limits.max_calls},
      {Count::kWatchers, "max_calls", limits.max_calls},
      {Count::kBufferedBytes, "max_retained_bytes and max_send_window_bytes",
       limits.max_retained_bytes + limits.max_send_window_bytes},
  };
  for (const OwnLimit& own : all) {
    const std::string key = NameOf(own.count);
    if (!fields.Has(key) || total.of(own.count) <= own.allowed) continue;
    problems->Note(fields[key],
                   key + " of total is above this daemon's own limit " + own.name + ", " + std::to_string(own.allowed));
  }
}

Rules ReadRules(const YAML::Node& root, const base::Limits& limits, Problems* problems) {
  Rules rules;
  const Fields fields(root, {"identities", "total", "quotas"}, problems);
  policy::Groups groups;
  groups.ReadIdentities(fields["identities"], problems);
  if (fields.Has("total")) {
    const Fields total(fields["total"],
                       {"sockets", "sessions", "waiting_calls", "buffered_bytes", "watchers", "opens_per_second",
                        "burst_opens", "bytes_per_second", "burst_bytes", "when_exceeded"},
                       problems);
    rules.total = AllowanceReader(total, problems).Read();
    CheckTotal(total, rules.total, limits, problems);
  }
  for (const YAML::Node& each : problems->List(fields["quotas"], "quotas", kMaxQuotas)) {
    const Fields quota(each,
                       {"identities", "sockets", "sessions", "waiting_calls", "buffered_bytes", "watchers",
                        "opens_per_second", "burst_opens", "bytes_per_second", "burst_bytes", "when_exceeded"},
                       problems);
    if (!quota.Has("identities")) {
      problems->Note(each, "the key identities is missing: whose quota is it? Everyone's is any");
    }
    rules.rules.push_back({.identities = groups.Identities(quota["identities"], problems),
                           .allowance = AllowanceReader(quota, problems).Read()});
  }
  if (!fields.Has("total") && !fields.Has("quotas")) problems->Note(root, "neither total nor quotas is there");
  return rules;
}

}  // namespace

base::Result<Rules> ParseQuotas(const std::string& text, const std::string& file, const base::Limits& limits) {
  Rules rules;
  std::string problem = policy::ReadDocument(
      text, file, "there are no quotas",
      [&](const YAML::Node& root, Problems* problems) { rules = ReadRules(root, limits, problems); });
  if (problem.empty()) return rules;
  base::Error error;
  error.code = base::Code::kInvalidArgument;
  error.message = "quotas: " + std::move(problem);
  return error;
}

base::Result<Rules> LoadQuotas(const std::string& file, const base::Limits& limits) {
  auto text = policy::ReadOperatorFile("quotas", file, kMaxQuotaFileBytes);
  if (!text.ok()) return std::move(text).error();
  return ParseQuotas(*text, base::Printable(file), limits);
}

}  // namespace socketeer::quota
