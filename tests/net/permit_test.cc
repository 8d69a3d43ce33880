// What a socket asks, when, and what it does with the answer.
#include "server/net/permit.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "tests/net/rig.h"
#include "tests/support/nth_call_fails.h"
#include "tests/support/temp_dir.h"

namespace socketeer::net::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Permits all but what it is told to deny, and writes down what it was asked.
class Asked final : public SocketObserver {
 public:
  void OnChanged(const SocketInfo&) override {}
  void OnClosed() override {}
  Gauges& gauges() override { return gauges_; }
  const std::string& name() const override { return name_; }
  base::Status Permit(const Demand& demand) override {
    std::string question = VerbOf(demand.act);
    if (demand.place != nullptr) {
      question += " " + (demand.place->path.empty() ? demand.place->address.ToString() : demand.place->path);
    }
    if (!demand.option.empty()) question += " " + std::string(demand.option);
    questions.push_back(question);
    if (question != denied) return base::Ok();
    return base::PolicyDenied(question, "test");
  }
  uint64_t terms() const override { return terms_now; }

  // For the test's thread while the loop does nothing.
  std::vector<std::string> questions;
  std::string denied;
  uint64_t terms_now = 1;

 private:
  Gauges gauges_;
  const std::string name_ = "sockets/test";
};

class PermitTest : public ::testing::Test {
 protected:
  // Opens a socket whose observer is `asked_`.
  base::Status Open(OpenPlan plan) {
    auto promise = std::make_shared<std::promise<base::Result<OpenResult>>>();
    auto future = promise->get_future();
    rig_.Run([&] {
      rig_.shard().Open(handle_, std::move(plan), {.id = Shard::NextId(), .timeout = {}}, asked_,
                        [promise](base::Result<OpenResult> result) { promise->set_value(std::move(result)); });
    });
    auto result = future.get();
    if (!result.ok()) return std::move(result).error();
    return base::Ok();
  }
  static OpenPlan Plan(int family, int type) {
    OpenPlan plan;
    plan.kind = {.family = family, .type = type};
    return plan;
  }
  template <typename F>
  auto Run(F f) {
    return rig_.Run([&] { return f(*rig_.shard().Find(handle_)); });
  }
  std::vector<std::string> Questions() { return std::exchange(asked_->questions, {}); }
  std::string File(const std::string& name) {
    return std::filesystem::canonical(directory_.path()).string() + "/" + name;
  }
  SocketAddress Path(const std::string& name) { return *SocketAddress::UnixPath(File(name)); }

  socketeer::testing::NthCallFails kernel_;
  socketeer::testing::TempDir directory_;
  std::shared_ptr<Asked> asked_ = std::make_shared<Asked>();
  Rig rig_{1'024, base::SystemClock(), kernel_};
  const SocketHandle handle_ = Shard::NextId();
};

TEST_F(PermitTest, EachStepOfAnOpenIsAskedFor) {
  OpenPlan plan = Plan(AF_INET, SOCK_STREAM);
  plan.options = {{FindOption("nodelay"), true}};
  plan.bind = *SocketAddress::Inet("127.0.0.1", 0, "");
  plan.listen_backlog = 1;
  ASSERT_TRUE(Open(plan).ok());
  const auto questions = Questions();
  ASSERT_EQ(questions.size(), 4u);
  EXPECT_THAT(questions, ElementsAre("open", "setsockopt nodelay", "bind 127.0.0.1:0", HasSubstr("listen 127.0.0.1:")));
}

TEST_F(PermitTest, WhatIsDeniedIsNotDone) {
  asked_->denied = "open";
  kernel_.Arm(0, 0);
  EXPECT_EQ(Open(Plan(AF_INET, SOCK_STREAM)).error().reason, "POLICY_DENIED");
  EXPECT_THAT(kernel_.calls(), IsEmpty()) << "not even a socket was made";
}

TEST_F(PermitTest, AnswersAreRememberedForAsLongAsTheTermsAre) {
  ASSERT_TRUE(Open(Plan(AF_INET, SOCK_DGRAM)).ok());
  const auto to = *SocketAddress::Inet("127.0.0.1", 9, ""), other = *SocketAddress::Inet("127.0.0.1", 10, "");
  Questions();
  const auto permitted = [&](const SocketAddress& address) {
    return Run([&](Socket& socket) { return socket.PermitSend(address).ok(); });
  };
  ASSERT_TRUE(Run([](Socket& socket) { return socket.Bind(*SocketAddress::Inet("127.0.0.1", 0, "")); }).ok());
  Questions();
  EXPECT_TRUE(permitted(to));
  EXPECT_TRUE(permitted(to));
  EXPECT_THAT(Questions(), ElementsAre("send 127.0.0.1:9"));
  EXPECT_TRUE(permitted(other));
  EXPECT_TRUE(permitted(to));
  EXPECT_THAT(Questions(), ElementsAre("send 127.0.0.1:10", "send 127.0.0.1:9"));
  asked_->terms_now = 2;
  asked_->denied = "send 127.0.0.1:9";
  EXPECT_FALSE(permitted(to));
  EXPECT_FALSE(permitted(to)) << "a denial is not remembered as a permission";
}

TEST_F(PermitTest, WithoutTermsNothingIsAskedButOfTheDaemonsOwnSockets) {
  asked_->terms_now = 0;
  OpenPlan plan = Plan(AF_INET, SOCK_DGRAM);
  plan.bind = *SocketAddress::Inet("127.0.0.1", 0, "");
  ASSERT_TRUE(Open(plan).ok());
  ASSERT_TRUE(Run([&](Socket& socket) { return socket.PermitSend(plan.bind).ok(); }));
  EXPECT_THAT(Questions(), ElementsAre("open"));
  ASSERT_TRUE(Run([&](Socket& socket) { return socket.PermitConnect(plan.bind).ok(); }));
  EXPECT_THAT(Questions(), ElementsAre("connect 127.0.0.1:0"));
}

TEST_F(PermitTest, AConnectToAPathIsAskedForWhereItLeads) {
  Rig other;
  OpenPlan plan = Plan(AF_UNIX, SOCK_STREAM);
  plan.bind = Path("real");
  plan.listen_backlog = 1;
  auto listener = TryOpen(other, plan);
  ASSERT_TRUE(listener.ok());
  ASSERT_EQ(symlink(File("real").c_str(), File("link").c_str()), 0);
  plan = Plan(AF_UNIX, SOCK_STREAM);
  plan.connect = Path("link");
  ASSERT_TRUE(Open(plan).ok());
  EXPECT_THAT(Questions(), ElementsAre("open", "connect " + File("real")));
  Run([](Socket& socket) { return socket.PermitHere(Act::kSend).ok(); });
  EXPECT_THAT(Questions(), ElementsAre("send " + File("real")));
}

TEST_F(PermitTest, APathThatCannotBeFollowedIsAnErrorAndNoConnect) {
  OpenPlan plan = Plan(AF_UNIX, SOCK_STREAM);
  plan.connect = Path("none");
  const base::Error error = Open(plan).error();
  EXPECT_EQ(error.reason, "ENOENT");
  EXPECT_EQ(error.system_call, "connect") << "as connect(2) would have said";
  EXPECT_THAT(Questions(), ElementsAre("open", "connect " + File("none")));
  asked_->denied = "connect " + File("none");
  EXPECT_EQ(Open(plan).error().reason, "POLICY_DENIED") << "who may not go there is not told that nothing is there";
}

// Fails each call of a bind to a path, each with each errno: there is an error, or a socket that is bound; never a
// descriptor too many, nor a socket elsewhere.
TEST_F(PermitTest, EachCallOfABindMayFail) {
  const auto descriptors = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator());
  };
  size_t injected = 0;
  for (size_t n = 1; n <= 12; ++n) {
    for (size_t which = 0; which < 20; ++which) {
      const auto before = descriptors();
      ASSERT_TRUE(Open(Plan(AF_UNIX, SOCK_STREAM)).ok());
      kernel_.Arm(n, which);
      const auto status = Run([&](Socket& socket) { return socket.Bind(Path("new")); });
      const auto failed = rig_.Run([this] { return kernel_.Disarm(); });
      if (failed) ++injected;
      const bool looked = failed && failed->call == "fstatat";
      const bool before_bind = failed && (failed->call == "open" || failed->call == "readlink" ||
                                          failed->call == "bind" || (looked && failed->detail == AT_EMPTY_PATH));
      if (before_bind) {
        ASSERT_FALSE(status.ok()) << failed->call;
        EXPECT_EQ(status.error().errno_number, failed->number);
      } else if (looked && !status.ok()) {
        EXPECT_EQ(status.error().reason, "PATH_CHANGED");
        EXPECT_FALSE(Run([](Socket& socket) { return socket.Listen(1); }).ok()) << "it can only be closed";
      }
      rig_.Run([this] { rig_.shard().Close(handle_, base::SocketClosedWhileWaiting(), [] {}); });
      EXPECT_EQ(descriptors(), before);
      unlink(File("new").c_str());  // a path that could not be looked at stays
    }
  }
  EXPECT_GT(injected, 50u);
}

TEST_F(PermitTest, ASocketThatWasMadeElsewhereIsOfNoUse) {
  // A link that is changed between the look and the bind: here, because the call of the look is where we come in.
  std::filesystem::create_directory(File("judged"));
  std::filesystem::create_directory(File("other"));
  std::filesystem::create_directory_symlink(File("judged"), File("folder"));
  ASSERT_TRUE(Open(Plan(AF_UNIX, SOCK_STREAM)).ok());
  auto path = std::get<NewPath>(NewPath::Follow(kernel_, Path("folder/new")));
  EXPECT_EQ(path.place().path, File("judged/new"));
  EXPECT_FALSE(path.Made(kernel_)) << "nothing is there";
  std::filesystem::remove(File("folder"));
  std::filesystem::create_directory_symlink(File("other"), File("folder"));
  ASSERT_TRUE(Run([&](Socket& socket) { return socket.Bind(Path("folder/new")); }).ok());
  EXPECT_FALSE(path.Made(kernel_)) << "it is in the other folder";
}

TEST_F(PermitTest, WhatWasThereBeforeTheBindIsNotWhatItMade) {
  OpenPlan plan = Plan(AF_UNIX, SOCK_STREAM);
  plan.bind = Path("old");
  ASSERT_TRUE(Open(plan).ok());
  const auto path = std::get<NewPath>(NewPath::Follow(kernel_, Path("old")));
  EXPECT_FALSE(path.Made(kernel_));
}

}  // namespace
}  // namespace socketeer::net::testing
