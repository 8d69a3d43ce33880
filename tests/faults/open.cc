// Making a socket, and what may follow in the same step.
#include <filesystem>

#include "tests/faults/sweep.h"

namespace socketeer::net::faults {
namespace {

// What follows socket(2). The stage's addresses are where to bind and where to connect to.
struct Steps {
  bool both_families = false;
  bool options = false;
  bool bind = false;
  bool listen = false;
  bool connect = false;
};

OpenPlan PlanOf(Stage& stage, const Steps& steps) {
  OpenPlan plan;
  plan.kind = stage.flavour().kind();
  plan.both_families = steps.both_families;
  if (steps.options) {
    plan.options = {{FindOption("reuseaddr"), true}, {FindOption("keepalive"), true}, {FindOption("rcvbuf"), 65'536}};
  }
  if (steps.bind) plan.bind = stage.addresses.at(0);
  if (steps.listen) plan.listen_backlog = 4;
  if (steps.connect) plan.connect = stage.addresses.at(1);
  return plan;
}

Outcome Make(Stage& stage, const Steps& steps, std::optional<std::chrono::nanoseconds> timeout = {}) {
  const SocketHandle handle = Shard::NextId();
  const auto observer = std::make_shared<testing::Observer>();
  const auto promise = std::make_shared<std::promise<base::Result<OpenResult>>>();
  auto future = promise->get_future();
  Shard& shard = stage.rig.shard();
  stage.rig.Run([&] {
    shard.Open(handle, PlanOf(stage, steps), {.id = Shard::NextId(), .timeout = timeout.value_or(stage.patience)},
               observer, [promise](base::Result<OpenResult> result) { promise->set_value(std::move(result)); });
  });
  const auto result = future.get();
  const bool there = stage.rig.Run([&] { return shard.Find(handle) != nullptr; });
  if (result.ok() && !result->timed_out) {
    EXPECT_TRUE(there);
    stage.made.emplace_back(stage.rig, handle, observer);
    return {.value = "in state " + std::to_string(static_cast<int>(result->info.state))};
  }
  EXPECT_FALSE(there) << "the socket of a failed open is still there";
  const bool was_made = observer->info().kind.family != 0;
  EXPECT_EQ(observer->closed(), was_made);
  if (!result.ok()) return {.error = result.error()};
  return {.timed_out = true};
}

void AddFresh(Stage& stage) { stage.addresses.push_back(stage.scene.FreshAddress()); }

// Where a target is not: for connects that are refused.
void AddNowhere(Stage& stage) {
  AddFresh(stage);
  if (stage.flavour().IsUnix()) return AddFresh(stage);
  stage.held.push_back(testing::Plain(stage.flavour()));
  const SocketAddress any = stage.scene.FreshAddress();
  EXPECT_EQ(::bind(stage.held.back().get(), any.data(), any.size()), 0);
  stage.addresses.push_back(testing::AddressOf(stage.held.back().get()));
}

// A UNIX path that a failed open had bound is free again.
void PathIsGone(Stage& stage, const Outcome& outcome, const CallMade* failed) {
  const bool open = !outcome.error && !outcome.timed_out;
  if (open || !stage.addresses[0].IsUnixPath()) return;
  // See kTolerated.
  if (failed != nullptr && (failed->call == "open" || failed->call == "fstatat" || failed->call == "unlinkat")) return;
  EXPECT_FALSE(std::filesystem::exists(stage.addresses[0].unix_name())) << "its path was left behind";
}

}  // namespace

std::vector<Scenario> OpenScenarios() {
  return {
      {.operation = "open", .how = "plain", .applies = Every, .run = [](Stage& stage) { return Make(stage, {}); }},
      {.operation = "open",
       .how = "options",
       .applies = Every,
       .run = [](Stage& stage) { return Make(stage, {.options = true}); }},
      {.operation = "open",
       .how = "both families",
       .applies = IsInet6,
       .run = [](Stage& stage) { return Make(stage, {.both_families = true}); }},
      {.operation = "open",
       .how = "bind",
       .applies = Every,
       .prepare = AddFresh,
       .run = [](Stage& stage) { return Make(stage, {.options = true, .bind = true}); },
       .verify = PathIsGone},
      {.operation = "open",
       .how = "bind and listen",
       .applies = HasConnections,
       .prepare = AddFresh,
       .run = [](Stage& stage) { return Make(stage, {.bind = true, .listen = true}); },
       .verify = PathIsGone},
      {.operation = "open",
       .how = "bind and connect",
       .applies = Every,
       .prepare =
           [](Stage& stage) {
             AddFresh(stage);
             stage.addresses.push_back(stage.scene.FreshTarget());
           },
       .run = [](Stage& stage) { return Make(stage, {.bind = true, .connect = true}); },
       .verify = PathIsGone,
       .waits = true},
      {.operation = "open",
       .how = "refused by bind",
       .applies = Every,
       .prepare = [](Stage& stage) { stage.addresses.push_back(stage.scene.FreshTarget()); },
       .run = [](Stage& stage) { return Make(stage, {.options = true, .bind = true}); },
       .verify =
           [](Stage& stage, const Outcome&, const CallMade*) {
             if (!stage.addresses[0].IsUnixPath()) return;
             EXPECT_TRUE(std::filesystem::exists(stage.addresses[0].unix_name())) << "it removed another's path";
           }},
      {.operation = "open",
       .how = "refused by connect",
       .applies = HasConnections,
       .prepare = AddNowhere,
       .run = [](Stage& stage) { return Make(stage, {.bind = true, .connect = true}); },
       .verify = PathIsGone,
       .waits = true},
      {.operation = "open",
       .how = "a connect that nobody answers",
       .applies = HasConnections,
       .prepare =
           [](Stage& stage) {
             AddFresh(stage);
             stage.addresses.push_back(stage.scene.SilentTarget());
           },
       .run = [](Stage& stage) { return Make(stage, {.bind = true, .connect = true}, std::chrono::milliseconds(1)); },
       .verify = PathIsGone,
       .waits = true},
  };
}

}  // namespace socketeer::net::faults
