// Barriers and published values through the API: who meets whom, and what becomes of those who wait.
#include <set>
#include <string>

#include "tests/support/test_server.h"

namespace socketeer {
namespace {

using grpc::StatusCode;
using testing::AsyncCoordination;
using testing::AsyncStub;
using testing::Caller;
using testing::CoordinationStub;
using testing::Fails;
using testing::Ok;
using testing::Pending;
using testing::Refuses;
using testing::SessionStub;
using testing::Stub;
using testing::TestServer;

class CoordinationTest : public ::testing::Test {
 protected:
  Pending<v1::AwaitBarrierResponse> Arrive(const Caller& caller, const std::string& request) {
    return caller.Start(&AsyncCoordination::AwaitBarrier,
                        (request.find("barrier:") == std::string::npos ? "barrier: 'barriers/go' " : "") + request);
  }
  Pending<v1::AwaitBarrierResponse> Arrive(const std::string& request) { return Arrive(server_.caller(), request); }
  Pending<v1::AwaitValueResponse> Await(const Caller& caller, const std::string& request) {
    return caller.Start(&AsyncCoordination::AwaitValue, request);
  }
  testing::Reply<v1::Value> Publish(const Caller& caller, const std::string& request) {
    return caller.Ask(&CoordinationStub::PublishValue, request);
  }
  testing::Reply<v1::Value> Get(const Caller& caller, const std::string& request) {
    return caller.Ask(&CoordinationStub::GetValue, request);
  }
  // So many calls are at the daemon, beside the one that looks.
  bool UnderWay(uint32_t calls) {
    return testing::Eventually([&] { return server_->GetHost()->usage().calls() == calls + 1; },
                               "the API has no event for a call that began to wait");
  }
  std::string Create(const std::string& request) { return server_->Ask(&SessionStub::CreateSession, request)->name(); }
  void ExpectBroken(const Pending<v1::AwaitBarrierResponse>& party, const std::string& why) {
    const auto reply = party.Wait();
    EXPECT_TRUE(Fails(reply, StatusCode::ABORTED, "BARRIER_BROKEN"));
    EXPECT_EQ(reply.problem().Given("why"), why);
    EXPECT_EQ(reply.problem().error.operation(), "barrier");
    EXPECT_EQ(reply.problem().error.origin(), v1::ORIGIN_REGISTRY);
  }

  TestServer server_{{.loops = 2, .loopback = true}};
};

TEST_F(CoordinationTest, PartiesPassTogetherAgainAndAgain) {
  for (uint64_t generation = 1; generation <= 3; ++generation) {
    std::set<uint32_t> indices;
    const auto a = Arrive("parties: 3"), b = Arrive("parties: 3");
    ASSERT_TRUE(UnderWay(2));
    EXPECT_FALSE(a.Ended() || b.Ended());
    const auto c = Arrive("parties: 3");
    for (const auto& each : {a, b, c}) {
      const auto passed = each.Wait();
      ASSERT_TRUE(Ok(passed));
      EXPECT_EQ(passed->generation(), generation);
      EXPECT_EQ(passed->arrived(), 3u);
      EXPECT_FALSE(passed->timed_out());
      indices.insert(passed->index());
    }
    EXPECT_EQ(indices, (std::set<uint32_t>{0, 1, 2}));
    EXPECT_EQ(c.Wait()->index(), 2u) << "in the order of arrival";
  }
}

TEST_F(CoordinationTest, WhoGivesUpBreaksTheBarrier) {
  const auto a = Arrive("parties: 3"), b = Arrive("parties: 3 party: 'b'");
  ASSERT_TRUE(UnderWay(2));
  b.Cancel();
  ExpectBroken(a, "CANCELLED");
  const auto problem = a.Wait().problem();
  EXPECT_EQ(problem.Given("party"), "b");
  EXPECT_EQ(problem.Given("arrived") + problem.Given("parties") + problem.Given("generation"), "231");
  EXPECT_EQ(b.Wait().status.error_code(), StatusCode::CANCELLED);
  // Whoever meant that one is told so too, later; any other begins the next.
  ExpectBroken(Arrive("parties: 3 generation: 1"), "CANCELLED");
  EXPECT_EQ(Arrive("parties: 1").Wait()->generation(), 2u);
  EXPECT_TRUE(Fails(Arrive("parties: 1 generation: 2").Wait(), StatusCode::FAILED_PRECONDITION, "BARRIER_GENERATION"));
}

TEST_F(CoordinationTest, WhoseTimeIsOverIsToldAndBreaksIt) {
  const auto a = Arrive("parties: 3");
  ASSERT_TRUE(UnderWay(1));
  const auto late = Arrive("parties: 3 timeout { nanos: 1000000 }").Wait();
  ASSERT_TRUE(Ok(late));
  EXPECT_TRUE(late->timed_out());
  EXPECT_EQ(late->arrived(), 2u);
  EXPECT_EQ(late->generation(), 1u);
  ExpectBroken(a, "TIMED_OUT");
}

TEST_F(CoordinationTest, TheEndOfASessionBreaksIt) {
  const std::string session = Create("session_id: 'mine'");
  const Caller in_session = server_.AnotherCaller(session);
  const auto a = Arrive("parties: 3");
  const auto b = Arrive(in_session, "parties: 3 party: 'b'");
  ASSERT_TRUE(UnderWay(2));
  EXPECT_TRUE(Ok(server_->Ask(&SessionStub::EndSession, "name: '" + session + "'")));
  EXPECT_TRUE(Fails(b.Wait(), StatusCode::ABORTED, "SESSION_ENDED"));
  ExpectBroken(a, "SESSION_ENDED");
}

TEST_F(CoordinationTest, WhoDisagreesIsRefusedAlone) {
  const auto a = Arrive("parties: 2 party: 'a'");
  ASSERT_TRUE(UnderWay(1));
  const auto three = Arrive("parties: 3").Wait();
  EXPECT_TRUE(Fails(three, StatusCode::FAILED_PRECONDITION, "BARRIER_PARTIES_DIFFER"));
  EXPECT_EQ(three.problem().Given("given") + three.problem().Given("allowed"), "32");
  EXPECT_NE(three.problem().message.find("parties is 3; those who wait at barriers/go say 2"), std::string::npos);
  EXPECT_TRUE(Fails(Arrive("parties: 2 party: 'a'").Wait(), StatusCode::ALREADY_EXISTS, "BARRIER_PARTY_EXISTS"));
  EXPECT_TRUE(Ok(Arrive("parties: 2 party: 'b'").Wait()));
  EXPECT_TRUE(Ok(a.Wait()));
}

TEST_F(CoordinationTest, ARepeatDoesNotArriveAgain) {
  EXPECT_EQ(Arrive("parties: 1 request_id: 'once'").Wait()->generation(), 1u);
  EXPECT_EQ(Arrive("parties: 1 request_id: 'once'").Wait()->generation(), 1u);
  EXPECT_EQ(Arrive("parties: 1").Wait()->generation(), 2u);
  const auto value = Publish(server_.caller(), "name: 'values/a' data: 'x' request_id: 'p'");
  EXPECT_EQ(Publish(server_.caller(), "name: 'values/a' data: 'x' request_id: 'p'")->revision(), value->revision());
}

TEST_F(CoordinationTest, IdentitiesMeetOnlyAtWhatIsShared) {
  const Caller other = server_.LoopbackCaller();
  const auto a = Arrive("parties: 2"), b = Arrive(other, "parties: 2");
  ASSERT_TRUE(UnderWay(2));
  const auto shared = Arrive("parties: 2 shared: true");
  ASSERT_TRUE(UnderWay(3));
  EXPECT_FALSE(a.Ended() || b.Ended() || shared.Ended());
  EXPECT_TRUE(Ok(Arrive(other, "parties: 2 shared: true").Wait()));
  EXPECT_TRUE(Ok(shared.Wait()));
  for (const auto& each : {a, b}) each.Cancel();
}

TEST_F(CoordinationTest, AValueIsSeenByWhomItIsFor) {
  const Caller other = server_.LoopbackCaller();
  const auto mine = Publish(server_.caller(), "name: 'values/a' data: '\\000\\377'");
  ASSERT_TRUE(Ok(mine));
  EXPECT_EQ(mine->data(), "");  // he has just sent it
  EXPECT_EQ(Get(server_.caller(), "name: 'values/a'")->data(), std::string("\0\xff", 2));
  EXPECT_EQ(mine->size(), 2u);
  EXPECT_EQ(mine->session(), "sessions/standing");
  EXPECT_EQ(Get(server_.caller(), "name: 'values/a'")->revision(), mine->revision());
  const auto never = Get(other, "name: 'values/b'"), foreign = Get(other, "name: 'values/a'");
  EXPECT_TRUE(Fails(never, StatusCode::NOT_FOUND, "VALUE_NOT_FOUND"));
  EXPECT_TRUE(Fails(foreign, StatusCode::NOT_FOUND, "VALUE_NOT_FOUND"));
  EXPECT_TRUE(Fails(Publish(other, "name: 'values/a'"), StatusCode::ALREADY_EXISTS, "VALUE_EXISTS"));
  EXPECT_TRUE(
      Fails(other.Ask(&CoordinationStub::WithdrawValue, "name: 'values/a'"), StatusCode::NOT_FOUND, "VALUE_NOT_FOUND"));
  const auto waits = Await(other, "name: 'values/a'");
  ASSERT_TRUE(UnderWay(1));
  EXPECT_TRUE(Ok(Publish(server_.caller(), "name: 'values/a' data: 'for all' shared: true")));
  const auto seen = waits.Wait();
  EXPECT_EQ(seen->value().data(), "for all");
  EXPECT_EQ(seen->value().owner(), mine->owner());
  EXPECT_EQ(seen->value().session(), "") << "it is the owner's business";
  EXPECT_TRUE(Fails(Get(other, "name: 'values/a' owner: 'anonymous'"), StatusCode::NOT_FOUND, "VALUE_NOT_FOUND"));
  EXPECT_EQ(other.Ask(&CoordinationStub::ListValues, "")->values(0).name(), "values/a");
}

TEST_F(CoordinationTest, WaitsForAValueAndForTheNext) {
  const auto waits = Await(server_.caller(), "name: 'values/later'");
  ASSERT_TRUE(UnderWay(1));
  const auto first = Publish(server_.caller(), "name: 'values/later' data: '1'");
  EXPECT_EQ(waits.Wait()->value().data(), "1");
  const std::string newer = "name: 'values/later' after_revision: " + std::to_string(first->revision());
  EXPECT_TRUE(Await(server_.caller(), newer + " timeout {}").Wait()->timed_out());
  const auto next = Await(server_.caller(), newer);
  ASSERT_TRUE(UnderWay(1));
  EXPECT_TRUE(Ok(server_->Ask(&CoordinationStub::WithdrawValue, "name: 'values/later'")));
  EXPECT_TRUE(Ok(Publish(server_.caller(), "name: 'values/later' data: '2'")));
  EXPECT_EQ(next.Wait()->value().data(), "2");
}

TEST_F(CoordinationTest, AValueEndsWithItsSession) {
  const std::string session = Create("session_id: 'mine'");
  const Caller in_session = server_.AnotherCaller(session);
  EXPECT_EQ(Publish(in_session, "name: 'values/a'")->session(), session);
  EXPECT_EQ(Publish(in_session, "name: 'values/b'")->session(), session);
  EXPECT_EQ(Publish(server_.caller(), "name: 'values/b'")->session(), "sessions/standing") << "it has moved";
  EXPECT_EQ(server_->GetHost()->usage().values(), 2u);
  EXPECT_TRUE(Ok(server_->Ask(&SessionStub::EndSession, "name: '" + session + "'")));
  EXPECT_TRUE(Fails(Get(server_.caller(), "name: 'values/a'"), StatusCode::NOT_FOUND, "VALUE_NOT_FOUND"));
  EXPECT_TRUE(Ok(Get(server_.caller(), "name: 'values/b'")));
}

// Nobody renews it: no daemon needs to be told that its owner is dead.
TEST_F(CoordinationTest, AValueEndsWithItsLease) {
  const Caller in_session = server_.AnotherCaller(Create("ttl { seconds: 1 }"));
  EXPECT_TRUE(Ok(Publish(in_session, "name: 'values/a'")));
  EXPECT_TRUE(testing::Eventually([&] { return server_->GetHost()->usage().values() == 0; },
                                  "the API has no event for a value that ends"));
}

TEST_F(CoordinationTest, ListsHavePagesWithoutData) {
  for (const std::string id : {"c", "a", "b"}) Publish(server_.caller(), "name: 'values/" + id + "' data: 'xyz'");
  std::string names, token;
  do {
    const auto page = server_->Ask(&CoordinationStub::ListValues, "page_size: 2 page_token: '" + token + "'");
    ASSERT_TRUE(Ok(page));
    for (const v1::Value& value : page->values()) {
      names += value.name() + " ";
      EXPECT_EQ(value.data() + std::to_string(value.size()), "3");
    }
    token = page->next_page_token();
  } while (!token.empty());
  EXPECT_EQ(names, "values/a values/b values/c ");
  EXPECT_TRUE(Refuses(server_->Ask(&CoordinationStub::ListValues, "page_token: 'x'"), "page_token"));
}

TEST_F(CoordinationTest, BadRequestsNameTheField) {
  const auto barrier = [&](const std::string& request) { return Arrive(request).Wait(); };
  EXPECT_TRUE(Refuses(barrier("parties: 0"), "parties"));
  EXPECT_TRUE(Refuses(barrier("parties: 10001"), "parties"));
  EXPECT_TRUE(Refuses(barrier("parties: 1 barrier: 'values/x'"), "barrier"));
  EXPECT_TRUE(Refuses(barrier("parties: 1 timeout { seconds: -1 }"), "timeout"));
  EXPECT_TRUE(Refuses(barrier("parties: 1 party: '" + std::string(129, 'x') + "'"), "party"));
  EXPECT_TRUE(Refuses(Publish(server_.caller(), "name: 'values/A'"), "name"));
  EXPECT_TRUE(Ok(Publish(server_.caller(), "name: 'values/big' data: '" + std::string(64 << 10, 'x') + "'")));
  EXPECT_TRUE(Refuses(Publish(server_.caller(), "name: 'values/big' data: '" + std::string((64 << 10) + 1, 'x') + "'"),
                      "data"));
  EXPECT_TRUE(Refuses(Get(server_.caller(), "name: 'a'"), "name"));
}

// A socket that is opened later is found by its name too, with no value to tell of it.
TEST_F(CoordinationTest, SocketsThatComeLaterAreWaitedFor) {
  const auto waits = server_->Start(
      &AsyncStub::AwaitSockets, "items { name: 'sockets/later' condition: CONDITION_LISTENING allow_missing: true }");
  ASSERT_TRUE(UnderWay(1));
  const auto opened = server_->Ask(
      &Stub::OpenSocket, "socket_id: 'later' type: SOCKET_TYPE_STREAM bind { inet { ip: '127.0.0.1' } } listen {}");
  ASSERT_TRUE(Ok(opened));
  EXPECT_EQ(waits.Wait()->results(0).socket().local().inet().port(), opened->socket().local().inet().port());
  server_.CloseAll();
}

TEST(Coordination, ADaemonThatStopsEndsWhatWaits) {
  TestServer server;
  const auto a = server->Start(&AsyncCoordination::AwaitBarrier, "barrier: 'barriers/go' parties: 3");
  const auto b = server->Start(&AsyncCoordination::AwaitBarrier, "barrier: 'barriers/go' parties: 3");
  const auto c = server->Start(&AsyncCoordination::AwaitValue, "name: 'values/never'");
  ASSERT_TRUE(testing::Eventually([&] { return server->GetHost()->usage().calls() == 4; },
                                  "the API has no event for a call that began to wait"));
  server.Drain(std::chrono::seconds(20));
  EXPECT_TRUE(Fails(a.Wait(), StatusCode::UNAVAILABLE, "DRAINING"));
  EXPECT_TRUE(Fails(b.Wait(), StatusCode::UNAVAILABLE, "DRAINING"));
  EXPECT_TRUE(Fails(c.Wait(), StatusCode::UNAVAILABLE, "DRAINING"));
}

TEST(Coordination, ValuesHaveALimit) {
  TestServer server({.limits = [](base::Limits& limits) { limits.max_values_per_identity = 1; }});
  EXPECT_TRUE(Ok(server->Ask(&CoordinationStub::PublishValue, "name: 'values/a'")));
  const auto more = server->Ask(&CoordinationStub::PublishValue, "name: 'values/b'");
  EXPECT_TRUE(Fails(more, StatusCode::RESOURCE_EXHAUSTED, "LIMIT_REACHED"));
  EXPECT_EQ(more.problem().Given("limit") + more.problem().Given("allowed"), "max_values_per_identity1");
  EXPECT_EQ(server->GetHost()->limits().max_values_per_identity(), 1u);
}

}  // namespace
}  // namespace socketeer
