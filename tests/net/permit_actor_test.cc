// Who acts on a socket that is shared: the policy is asked for him, his rates count, and what one was permitted says
// nothing of another.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "server/net/actor.h"
#include "tests/net/rig.h"

namespace socketeer::net::testing {
namespace {

// Permits all but what it is told to deny, and writes down for whom it was asked.
class AskedFor final : public SocketObserver {
 public:
  void OnChanged(const SocketInfo&) override {}
  void OnClosed() override {}
  Gauges& gauges() override { return gauges_; }
  const std::string& name() const override { return name_; }
  base::Status Permit(const Demand& demand) override {
    const std::string who = demand.by == nullptr ? "owner" : *demand.by;
    asked.push_back(who + " " + VerbOf(demand.act));
    if (who == denied) return base::PolicyDenied(asked.back(), "test");
    return base::Ok();
  }
  uint64_t terms() const override { return 1; }

  // For the test's thread while the loop does nothing.
  std::vector<std::string> asked;
  std::string denied;

 private:
  Gauges gauges_;
  const std::string name_ = "sockets/test";
};

using Texts = std::vector<std::string>;

class ActorTest : public ::testing::Test {
 protected:
  ActorTest() {
    OpenPlan plan;
    plan.kind = {.family = AF_INET, .type = SOCK_DGRAM};
    plan.bind = SocketAddress::Any4(0);
    auto opened = std::make_shared<std::promise<bool>>();
    rig_.Run([&] {
      rig_.shard().Open(handle_, plan, {.id = Shard::NextId(), .timeout = {}}, asked_,
                        [opened](base::Result<OpenResult> result) { opened->set_value(result.ok()); });
    });
    EXPECT_TRUE(opened->get_future().get());
    asked_->asked.clear();
  }
  ~ActorTest() override {
    auto closed = std::make_shared<std::promise<void>>();
    rig_.shard().Post([this, closed] {
      rig_.shard().Close(handle_, base::SocketClosedWhileWaiting(), [closed] { closed->set_value(); });
    });
    closed->get_future().get();
  }

  // To itself; "sent", or the reason why not.
  std::string Send(const Actor* actor) {
    auto sent = std::make_shared<std::promise<std::string>>();
    rig_.Run([&] {
      Socket& socket = *rig_.shard().Find(handle_);
      const SocketAddress to = *SocketAddress::Inet("127.0.0.1", socket.info().local.port(), "");
      std::vector<OutgoingDatagram> one;
      one.push_back({.payload = "x", .destination = to});
      socket.Start(std::make_unique<SendDatagramsOperation>(
          OperationBase{.id = Shard::NextId(), .mode = Mode::kExact, .timeout = {}, .actor = actor}, std::move(one),
          std::nullopt, [sent](base::Result<SendDatagramsResult> result) {
            sent->set_value(result.ok() ? "sent" : result.error().reason);
          }));
    });
    return sent->get_future().get();
  }
  Texts Asked() { return std::exchange(asked_->asked, {}); }

  Rig rig_;
  const SocketHandle handle_ = Shard::NextId();
  const std::shared_ptr<AskedFor> asked_ = std::make_shared<AskedFor>();
  const Actor guest_{.identity = "guest"}, other_{.identity = "other"};
};

TEST_F(ActorTest, APermitIsForWhomItWasGiven) {
  EXPECT_EQ(Send(nullptr), "sent");
  EXPECT_EQ(Send(nullptr), "sent");
  EXPECT_EQ(Asked(), Texts{"owner send"});
  EXPECT_EQ(Send(&guest_), "sent");
  EXPECT_EQ(Send(&guest_), "sent");
  EXPECT_EQ(Asked(), Texts{"guest send"});
  EXPECT_EQ(Send(&other_), "sent");
  EXPECT_EQ(Send(nullptr), "sent");
  EXPECT_EQ(Asked(), (Texts{"other send", "owner send"}));
}

TEST_F(ActorTest, NobodyPassesByAnothersPermit) {
  asked_->denied = "guest";
  EXPECT_EQ(Send(nullptr), "sent");
  EXPECT_EQ(Send(&guest_), "POLICY_DENIED");
  asked_->denied = "owner";
  EXPECT_EQ(Send(&guest_), "sent");
  EXPECT_EQ(Send(nullptr), "POLICY_DENIED");
}

TEST_F(ActorTest, VerbsThatNeverWaitAreJudgedForHimToo) {
  const OptionRow* const row = FindOption("keepalive");
  const auto set = [&](const Actor* actor) {
    return rig_.Run([&] {
      Socket& socket = *rig_.shard().Find(handle_);
      const Socket::Acting acting(socket, actor);
      return socket.SetOptions({{row, OptionValue{true}}}).ok();
    });
  };
  set(&guest_);
  EXPECT_EQ(Asked(), Texts{"guest setsockopt"});
  set(nullptr);
  EXPECT_EQ(Asked(), Texts{"owner setsockopt"});
}

}  // namespace
}  // namespace socketeer::net::testing
