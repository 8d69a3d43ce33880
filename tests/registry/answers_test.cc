#include "server/registry/answers.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace socketeer::registry {
namespace {

using Claim = Answers::Claim;

Answer Saying(std::string response) {
  Answer answer;
  answer.response = std::move(response);
  return answer;
}

Claim TryClaim(Answers& answers, const std::string& id, Answer* answer = nullptr, uint64_t fingerprint = 1) {
  Answer unused;
  return answers.TryClaim(id, fingerprint, answer == nullptr ? &unused : answer, 0, [](const Answer*) {});
}

TEST(AnswersTest, TheFirstRunsTheOthersAreTold) {
  Answers answers(10, 1'000);
  EXPECT_EQ(TryClaim(answers, "r"), Claim::kRun);
  std::vector<std::string> told;
  Answer answer;
  const auto join = [&told](const Answer* first) { told.push_back(first == nullptr ? "none" : first->response); };
  EXPECT_EQ(answers.TryClaim("r", 1, &answer, 1, join), Claim::kJoined);
  EXPECT_EQ(answers.TryClaim("r", 1, &answer, 2, join), Claim::kJoined);
  EXPECT_EQ(answers.TryClaim("r", 1, &answer, 3, join), Claim::kJoined);
  EXPECT_EQ(TryClaim(answers, "r", nullptr, 2), Claim::kReused);
  answers.Leave("r", 2);
  answers.Leave("r", 2);
  answers.Leave("other", 2);
  answers.Settle("r", Saying("yes"));
  EXPECT_EQ(told, (std::vector<std::string>{"yes", "yes"}));
  EXPECT_EQ(TryClaim(answers, "r", &answer), Claim::kAnswered);
  EXPECT_EQ(answer.response, "yes");
  EXPECT_EQ(TryClaim(answers, "r", nullptr, 2), Claim::kReused);
}

TEST(AnswersTest, WhatIsForgottenIsRunAgain) {
  Answers answers(10, 1'000);
  EXPECT_EQ(TryClaim(answers, "r"), Claim::kRun);
  int told = 0;
  Answer answer;
  answers.TryClaim("r", 1, &answer, 1, [&](const Answer* first) { told += first == nullptr ? 1 : 100; });
  answers.Forget("r");
  EXPECT_EQ(told, 1);
  EXPECT_EQ(TryClaim(answers, "r", nullptr, 2), Claim::kRun);
}

TEST(AnswersTest, NumberAndBytesAreBounded) {
  Answers answers(2, 100);
  const auto run = [&answers](const std::string& id, size_t size) {
    EXPECT_EQ(TryClaim(answers, id), Claim::kRun);
    answers.Settle(id, Saying(std::string(size, 'x')));
  };
  run("a", 1);
  run("b", 1);
  run("c", 1);
  EXPECT_EQ(TryClaim(answers, "b"), Claim::kAnswered);
  EXPECT_EQ(TryClaim(answers, "a"), Claim::kRun);
  answers.Forget("a");
  run("large", 94);
  EXPECT_EQ(TryClaim(answers, "large"), Claim::kAnswered);
  EXPECT_EQ(TryClaim(answers, "b"), Claim::kRun) << "the oldest goes first";
  answers.Forget("b");
  run("larger", 200);
  EXPECT_EQ(TryClaim(answers, "larger"), Claim::kRun) << "it alone is more than there may be";
}

TEST(AnswersTest, AfterTheSessionNothingIsKept) {
  Answers answers(10, 1'000);
  TryClaim(answers, "a");
  answers.Settle("a", {});
  TryClaim(answers, "running");
  answers.Close();
  EXPECT_EQ(TryClaim(answers, "a"), Claim::kRun);
  answers.Settle("running", {});
  EXPECT_EQ(TryClaim(answers, "running"), Claim::kRun);
}

TEST(AnswersTest, OneRunsOfManyThreads) {
  Answers answers(10, 1'000);
  std::atomic<int> runs{0}, told{0};
  std::vector<std::thread> threads;
  for (uint64_t who = 0; who < 8; ++who) {
    threads.emplace_back([&, who] {
      Answer answer;
      const Claim claim = answers.TryClaim("r", 1, &answer, who, [&](const Answer*) { ++told; });
      if (claim == Claim::kAnswered) ++told;
      if (claim != Claim::kRun) return;
      ++runs;
      answers.Settle("r", {});
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(runs.load(), 1);
  EXPECT_EQ(told.load(), 7);
}

}  // namespace
}  // namespace socketeer::registry
