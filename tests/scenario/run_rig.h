// Scenarios as text, run against servers in this process.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "client/scenario/run.h"
#include "socketeer/status_macros.h"
#include "tests/support/test_server.h"

namespace socketeer::scenario {

using report::Event;
using report::ScenarioResult;
using report::Verdict;
using socketeer::testing::TestServer;
using socketeer::testing::TestServerOptions;

class RunTest : public ::testing::Test {
 protected:
  // Steps on host a; `keys` go before them.
  ScenarioResult RunSteps(const std::string& steps, const std::string& keys = "") {
    return RunText("name: test\nhosts: [a]\n" + keys + "steps:\n" + steps);
  }

  ScenarioResult RunText(const std::string& text) {
    const absl::StatusOr<Scenario> scenario = ReadScenario(text, "test.yaml", options_.variables);
    if (!scenario.ok()) {
      ADD_FAILURE() << scenario.status().message() << "\n" << text;
      return {};
    }
    // A target that is none of this map's is nobody's.
    options_.connect = [this](const std::string& target) {
      const auto found = addresses_.find(target);
      return Host::Connect(found == addresses_.end() ? "unix:/nowhere" : found->second);
    };
    return scenario::Run(*scenario, options_, {.name = scenario->name, .file = scenario->file});
  }

  static std::vector<std::string> Titles(const ScenarioResult& result) {
    std::vector<std::string> titles;
    for (const Event& event : result.events) titles.push_back(event.title);
    return titles;
  }

  static const Event& EventOf(const ScenarioResult& result, const std::string& title) {
    const auto found = std::find_if(result.events.begin(), result.events.end(),
                                    [&](const Event& event) { return event.title == title; });
    static const Event none;
    if (found != result.events.end()) return *found;
    ADD_FAILURE() << "no event " << title;
    return none;
  }

  TestServer server_;
  std::map<std::string, std::string> addresses_{{"a", server_.server().addresses()[0]},
                                                {"b", server_.server().addresses()[0]}};
  RunOptions options_;
};

// A listener named "server", at ${address}.
inline constexpr char kListener[] = R"(
  - {name: listener, on: a, open: {socket: server, kind: tcp, bind: "127.0.0.1:0", listen: true}, capture: {address: local}}
)";

}  // namespace socketeer::scenario
