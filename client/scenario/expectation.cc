// Whether an answer is what was expected.
#include "client/scenario/expectation.h"

#include <openssl/sha.h>

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "client/scenario/answer.h"
#include "client/scenario/words.h"
#include "re2/re2.h"
#include "socketeer/error.h"
#include "socketeer/text.h"

namespace socketeer::scenario {
namespace {

using Json = nlohmann::json;

constexpr char kUnexpected[] = "socketeer.scenario/unexpected";

// A dot is any byte: what came over a socket need not be text, nor one line.
re2::RE2::Options Quiet() {
  re2::RE2::Options options(re2::RE2::Latin1);
  options.set_log_errors(false);
  options.set_dot_nl(true);
  return options;
}

std::string Seen(const std::optional<Json>& field) { return field.has_value() ? Quoted(AsWord(*field)) : "absent"; }

// A number, or a duration in seconds.
std::optional<double> AsNumber(const std::string& word) {
  double number = 0;
  if (absl::SimpleAtod(word, &number)) return number;
  absl::Duration duration;
  if (absl::ParseDuration(word, &duration)) return absl::ToDoubleSeconds(duration);
  return std::nullopt;
}

bool Equal(const Json& field, const std::string& word) {
  if (field.is_object() && field.contains("reason")) {  // an error, by its reason or its code
    return field.value("reason", "") == word || field.value("code", "") == word;
  }
  return AsWord(field) == word;
}

size_t LengthOf(const Json& field) { return field.is_string() ? field.get<std::string>().size() : field.size(); }

std::string Sha256Of(const std::string& bytes) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest);
  return absl::BytesToHexString({reinterpret_cast<const char*>(digest), sizeof digest});
}

bool Matches(const Json& field, const std::string& expression) {
  return re2::RE2::FullMatch(AsWord(field), re2::RE2(expression, Quiet()));
}

bool Compares(const Json& field, const std::string& word, bool least) {
  const std::optional<double> seen = AsNumber(AsWord(field));
  const std::optional<double> bound = AsNumber(word);
  return seen.has_value() && bound.has_value() && (least ? *seen >= *bound : *seen <= *bound);
}

// Whether one word of a matcher holds.
absl::StatusOr<bool> Holds(const std::string& word, const std::optional<Json>& field, const std::string& wanted) {
  if (absl::Status status = CheckWanted(word, wanted); !status.ok()) return status;
  if (word == "absent") return field.has_value() == (wanted == "false");
  if (!field.has_value()) return false;
  if (word == "not") return !Equal(*field, wanted);
  if (word == "equals") return Equal(*field, wanted);
  if (word == "contains") return AsWord(*field).find(wanted) != std::string::npos;
  if (word == "matches") return Matches(*field, wanted);
  if (word == "at-least" || word == "at-most") return Compares(*field, wanted, word == "at-least");
  if (word == "sha256") return Sha256Of(AsWord(*field)) == wanted;
  return std::to_string(LengthOf(*field)) == wanted;  // length
}

absl::Status NotSo(const std::string& path, const std::string& wanted, const std::optional<Json>& field) {
  return Unexpected(absl::StrCat(path, " was expected to be ", wanted, ", and is ", Seen(field)));
}

absl::Status CheckWord(const Expectation& expectation, const std::string& word, const Value& wanted,
                       const std::optional<Json>& field, const Variables& variables) {
  if (word == "one-of") {
    std::vector<std::string> all;
    for (const Value& each : wanted.items) {
      absl::StatusOr<std::string> filled = variables.Fill(each.text);
      if (!filled.ok()) return filled.status();
      if (field.has_value() && Equal(*field, *filled)) return absl::OkStatus();
      all.push_back(Quoted(*filled));
    }
    return NotSo(expectation.path, "one of " + Listed(all), field);
  }
  absl::StatusOr<std::string> filled = variables.Fill(wanted.text);
  if (!filled.ok()) return filled.status();
  const absl::StatusOr<bool> holds = Holds(word, field, *filled);
  if (!holds.ok()) return absl::InvalidArgumentError(expectation.path + ": " + std::string(holds.status().message()));
  if (*holds) return absl::OkStatus();
  const std::string told = word == "equals"   ? Quoted(*filled)
                           : word == "absent" ? "absent"
                                              : word + " " + Quoted(*filled);
  if (word == "sha256" && field.has_value())
    return NotSo(expectation.path, told, Json("sha256 " + Sha256Of(AsWord(*field))));
  if (word == "length" && field.has_value())
    return NotSo(expectation.path, told, Json("length " + std::to_string(LengthOf(*field))));
  return NotSo(expectation.path, told, field);
}

absl::Status Check(const Expectation& expectation, const Outcome& outcome, const Variables& variables) {
  const std::optional<Json> field =
      expectation.path == "took" ? Json(absl::FormatDuration(outcome.took)) : FieldAt(outcome.answer, expectation.path);
  if (expectation.matcher.type != Value::Type::kMap) {
    return CheckWord(expectation, "equals", expectation.matcher, field, variables);
  }
  for (const auto& [word, wanted] : expectation.matcher.fields) {
    absl::Status status = CheckWord(expectation, word.text, wanted, field, variables);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

bool SpeaksOf(const std::vector<Expectation>& expectations, std::string_view field) {
  return std::any_of(expectations.begin(), expectations.end(), [field](const Expectation& expectation) {
    return expectation.path == field || expectation.path.starts_with(std::string(field) + ".");
  });
}

}  // namespace

absl::Status CheckExpression(const std::string& expression) {
  const re2::RE2 compiled(expression, Quiet());
  if (compiled.ok()) return absl::OkStatus();
  return absl::InvalidArgumentError(Quoted(expression) + " is no regular expression: " + compiled.error());
}

absl::Status CheckWanted(std::string_view word, const std::string& wanted) {
  size_t length = 0;
  if (word == "matches") return CheckExpression(wanted);
  if (word == "absent" && wanted != "true" && wanted != "false") {
    return absl::InvalidArgumentError(Quoted(wanted) + " is neither true nor false");
  }
  if (word == "length" && !absl::SimpleAtoi(wanted, &length)) {
    return absl::InvalidArgumentError(Quoted(wanted) + " is no number");
  }
  if ((word == "at-least" || word == "at-most") && !AsNumber(wanted).has_value()) {
    return absl::InvalidArgumentError(Quoted(wanted) + " is neither a number nor a duration");
  }
  if (word == "sha256" && (wanted.size() != 64 || wanted.find_first_not_of("0123456789abcdef") != std::string::npos)) {
    return absl::InvalidArgumentError(Quoted(wanted) + " is not 64 hexadecimal digits in small letters");
  }
  return absl::OkStatus();
}

absl::Status Unexpected(std::string_view message) {
  absl::Status status = absl::FailedPreconditionError(absl::string_view(message.data(), message.size()));
  status.SetPayload(kUnexpected, absl::Cord());
  return status;
}

bool IsUnexpected(const absl::Status& status) { return status.GetPayload(kUnexpected).has_value(); }

absl::Status CheckExpectations(const std::vector<Expectation>& expectations, const Outcome& outcome,
                               const Variables& variables) {
  if (!outcome.status.ok()) {
    // An expected error is the kernel's, a daemon's or a policy's; that nobody answers is none.
    const ErrorKind kind = Classify(outcome.status);
    const bool told = kind == ErrorKind::kKernel || kind == ErrorKind::kDaemon || kind == ErrorKind::kPolicy ||
                      kind == ErrorKind::kDraining;
    if (!told || !SpeaksOf(expectations, "error")) return outcome.status;
  }
  const std::optional<Json> timed_out = FieldAt(outcome.answer, "timed_out");
  if (timed_out == Json(true) && !SpeaksOf(expectations, "timed_out")) {
    return TimedOutError("no result in time");
  }
  if (outcome.answer.contains("reason") && outcome.answer["reason"] != "open" && !SpeaksOf(expectations, "reason")) {
    return Unexpected("reason was expected to be \"open\", and is " + Seen(outcome.answer["reason"]));
  }
  constexpr std::string_view kTold[] = {"datagrams_sent", "end_of_stream", "data", "text", "hex"};
  const bool told = std::any_of(std::begin(kTold), std::end(kTold),
                                [&](std::string_view field) { return SpeaksOf(expectations, field); });
  if (!outcome.shortfall.empty() && !told) return Unexpected(outcome.shortfall);
  for (const Expectation& expectation : expectations) {
    absl::Status status = Check(expectation, outcome, variables);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status TakeCaptures(const std::vector<Capture>& captures, const Outcome& outcome, Variables* variables) {
  for (const Capture& capture : captures) {
    const std::optional<Json> field = FieldAt(outcome.answer, capture.path);
    if (!field.has_value()) {
      return Unexpected("capture " + capture.variable + ": the answer has no field " + capture.path);
    }
    variables->SetOutermost(capture.variable, AsWord(*field));
  }
  return absl::OkStatus();
}

const std::vector<std::string>& MatcherWords() {
  static const std::vector<std::string> kWords = {"equals",   "not",     "one-of", "contains", "matches",
                                                  "at-least", "at-most", "length", "sha256",   "absent"};
  return kWords;
}

}  // namespace socketeer::scenario
