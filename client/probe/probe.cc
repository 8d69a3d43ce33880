#include "client/probe/probe.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <thread>
#include <tuple>
#include <utility>

#include "client/probe/ask.h"
#include "socketeer/endpoint.h"
#include "socketeer/error.h"

namespace socketeer::probe {
namespace {

constexpr size_t kFarEndsAtOnce = 16;
constexpr size_t kAtOnceOfOne = 8;  // questions to one far end
constexpr size_t kAtOnceWithout = 64;

// Calls `work` for 0 to count - 1, on so many threads.
void AtOnce(size_t threads, size_t count, const std::function<void(size_t)>& work) {
  std::atomic<size_t> next = 0;
  const auto run = [&] {
    for (size_t i = next++; i < count; i = next++) work(i);
  };
  std::vector<std::thread> others;
  for (size_t i = 1; i < std::min(threads, count); ++i) others.emplace_back(run);
  run();
  for (std::thread& each : others) each.join();
}

// What cannot be asked, because the far end could not be opened.
struct Opened {
  std::unique_ptr<FarEnd> far{};
  absl::Status error{};
  bool in_use = false;
};

Opened OpenFarEnd(const Question& question, Cancellation* cancellation) {
  if (!question.far->ok()) return {.error = question.far->status()};
  absl::StatusOr<std::unique_ptr<FarEnd>> far =
      FarEnd::Open(**question.far, question.to, question.protocol, {.cancellation = cancellation});
  if (far.ok()) return {.far = *std::move(far)};
  return {.error = far.status(), .in_use = ReasonOf(far.status()) == "EADDRINUSE"};
}

absl::StatusOr<Answer> AskNow(const Question& question, FarEnd* far, Cancellation* cancellation) {
  if (!question.from.ok()) return AnswerOf(question.from.status(), question.from_name, false);
  return question.protocol == Protocol::kTcp ? AskTcp(question, *question.from, far, cancellation)
                                             : AskUdp(question, *question.from, far, cancellation);
}

// The port is somebody else's there: whoever answers is he.
absl::StatusOr<Answer> AskSomebodyElse(const Question& question, const absl::Status& in_use,
                                       Cancellation* cancellation) {
  absl::StatusOr<Answer> answer = AskNow(question, nullptr, cancellation);
  if (!answer.ok()) return answer;
  if (answer->reason == Reason::kOpen) answer->reason = Reason::kSomebodyElse;
  if (answer->error.empty()) {
    answer->error = ReasonOf(in_use);
    answer->errno_number = ErrnoOf(in_use);
  }
  const std::string said = AnswerOf(in_use, question.far_name, false).detail;
  answer->detail = said + (answer->detail.empty() ? "" : "; " + answer->detail);
  return answer;
}

absl::StatusOr<Answer> AskOpened(const Question& question, const Opened& opened, Cancellation* cancellation) {
  if (opened.in_use) return AskSomebodyElse(question, opened.error, cancellation);
  if (opened.error.ok()) return AskNow(question, opened.far.get(), cancellation);
  if (absl::IsCancelled(opened.error)) return opened.error;
  if (absl::IsInvalidArgument(opened.error) && ErrorInfoOf(opened.error) == std::nullopt) return opened.error;
  Answer answer = AnswerOf(opened.error, "", false);
  // Of the far host itself it says nothing about the network.
  if (IsBlocked(answer.reason)) answer.reason = Reason::kFailed;
  answer.detail = question.far_name + ": " + answer.detail;
  return answer;
}

}  // namespace

std::vector<absl::StatusOr<Answer>> AskAll(const std::vector<Question>& questions, Cancellation* cancellation) {
  std::vector<absl::StatusOr<Answer>> answers(questions.size(), absl::CancelledError("cancelled"));
  std::map<std::tuple<std::string, std::string, Protocol>, std::vector<size_t>> by_port;
  std::vector<size_t> without;
  for (size_t i = 0; i < questions.size(); ++i) {
    const Question& each = questions[i];
    if (each.far.has_value()) {
      by_port[{each.far_name, FormatEndpoint(each.to), each.protocol}].push_back(i);
    } else {
      without.push_back(i);
    }
  }
  AtOnce(kAtOnceWithout, without.size(),
         [&](size_t i) { answers[without[i]] = AskNow(questions[without[i]], nullptr, cancellation); });
  std::vector<std::vector<size_t>> groups;
  for (auto& [port, group] : by_port) groups.push_back(std::move(group));
  AtOnce(kFarEndsAtOnce, groups.size(), [&](size_t group) {
    const Opened opened = OpenFarEnd(questions[groups[group][0]], cancellation);
    AtOnce(kAtOnceOfOne, groups[group].size(), [&](size_t i) {
      const size_t index = groups[group][i];
      answers[index] = AskOpened(questions[index], opened, cancellation);
    });
  });
  return answers;
}

absl::StatusOr<Answer> Ask(const Question& question, Cancellation* cancellation) {
  return AskAll({question}, cancellation)[0];
}

}  // namespace socketeer::probe
