// Lists while sockets come and go; filters.
#include <algorithm>
#include <atomic>
#include <map>
#include <string>
#include <thread>

#include "tests/support/test_server.h"

namespace socketeer {
namespace {

using testing::Caller;
using testing::Ok;
using testing::Refuses;
using testing::Stub;
using testing::TestServer;

// All pages of one listing: how often each name was in it.
std::map<std::string, int> ListAll(const Caller& caller, int page_size, const std::string& filter = "") {
  std::map<std::string, int> seen;
  std::string token;
  do {
    auto page = caller.Ask(&Stub::ListSockets, "page_size: " + std::to_string(page_size) + " page_token: '" + token +
                                                   "' filter: '" + filter + "'");
    EXPECT_TRUE(Ok(page));
    EXPECT_LE(page->sockets_size(), page_size);
    for (const v1::Socket& socket : page->sockets()) ++seen[socket.name()];
    token = page->next_page_token();
  } while (!token.empty());
  return seen;
}

// A socket that is there from the first page to the last is listed exactly once.
TEST(List, PagesStayRightWhileSocketsComeAndGo) {
  TestServer server({.loops = 4});
  std::vector<std::string> stay;
  for (int i = 0; i < 30; ++i) {
    // Names between those that come and go.
    auto open =
        server->Ask(&Stub::OpenSocket, "socket_id: '" + std::string(1, static_cast<char>('a' + i % 26)) + "-stay-" +
                                           std::to_string(i) + "' type: SOCKET_TYPE_DGRAM family: FAMILY_INET");
    ASSERT_TRUE(Ok(open));
    stay.push_back(open->socket().name());
  }
  std::atomic<bool> stop{false};
  {
    const Caller other = server.AnotherCaller();
    std::thread churn([&] {
      for (int i = 0; !stop; ++i) {
        const std::string id = std::string(1, static_cast<char>('a' + i * 7 % 26)) + "-churn-" + std::to_string(i);
        EXPECT_TRUE(
            Ok(other.Ask(&Stub::OpenSocket, "socket_id: '" + id + "' type: SOCKET_TYPE_DGRAM family: FAMILY_INET")));
        EXPECT_TRUE(Ok(other.Ask(&Stub::CloseSocket, "name: 'sockets/" + id + "'")));
      }
    });
    for (int round = 0; round < 30; ++round) {
      const auto seen = ListAll(server.caller(), 1 + round % 5);
      for (const std::string& name : stay) {
        EXPECT_EQ(seen.contains(name) ? seen.at(name) : 0, 1) << name;
      }
      for (const auto& [name, times] : seen) EXPECT_EQ(times, 1) << name;
    }
    stop = true;
    churn.join();
  }
  server.CloseAll();
}

TEST(List, OrderDefaultAndLargestPage) {
  TestServer server({.limits = [](base::Limits& limits) { limits.max_page_size = 120; }});
  for (int i = 0; i < 130; ++i) {
    ASSERT_TRUE(Ok(server->Ask(
        &Stub::OpenSocket, "socket_id: 's-" + std::to_string(i) + "' type: SOCKET_TYPE_DGRAM family: FAMILY_INET")));
  }
  auto first = server->Ask(&Stub::ListSockets, "");
  EXPECT_EQ(first->sockets_size(), 100);
  EXPECT_TRUE(std::is_sorted(first->sockets().begin(), first->sockets().end(),
                             [](const v1::Socket& a, const v1::Socket& b) { return a.name() < b.name(); }));
  auto rest = server->Ask(&Stub::ListSockets, "page_token: '" + first->next_page_token() + "'");
  EXPECT_EQ(rest->sockets_size(), 30);
  EXPECT_EQ(rest->next_page_token(), "");
  EXPECT_EQ(server->Ask(&Stub::ListSockets, "page_size: 2147483647")->sockets_size(), 120)
      << "more is cut to the limit";
  // A page that is just full has no next one.
  auto full = server->Ask(&Stub::ListSockets, "page_size: 30 page_token: '" + first->next_page_token() + "'");
  EXPECT_EQ(full->next_page_token(), "");
  server.CloseAll();
}

// The socket that a token stands on may be gone.
TEST(List, GoesOnAfterASocketThatIsGone) {
  TestServer server;
  for (const std::string id : {"a", "b", "c"}) {
    server->Ask(&Stub::OpenSocket, "socket_id: '" + id + "' type: SOCKET_TYPE_DGRAM family: FAMILY_INET");
  }
  auto first = server->Ask(&Stub::ListSockets, "page_size: 2");
  server->Ask(&Stub::CloseSocket, "name: 'sockets/b'");
  auto rest = server->Ask(&Stub::ListSockets, "page_token: '" + first->next_page_token() + "'");
  ASSERT_EQ(rest->sockets_size(), 1);
  EXPECT_EQ(rest->sockets(0).name(), "sockets/c");
  server.CloseAll();
}

TEST(List, Filters) {
  TestServer server({.loops = 2});
  server->Ask(&Stub::OpenSocket,
              "socket_id: 'bare' type: SOCKET_TYPE_STREAM family: FAMILY_INET labels { key: 'app' value: 'web' }");
  server->Ask(&Stub::OpenSocket,
              "socket_id: 'bound' type: SOCKET_TYPE_DGRAM bind { inet { ip: '127.0.0.1' } } labels { key: 'app' value: "
              "'web 2' }");
  server->Ask(&Stub::OpenSocket, "socket_id: 'listening' type: SOCKET_TYPE_STREAM bind { named {} } listen {}");
  const auto names = [&](const std::string& filter) {
    std::string all;
    for (const auto& [name, times] : ListAll(server.caller(), 1, filter)) all += name.substr(8) + " ";
    return all;
  };
  EXPECT_EQ(names(""), "bare bound listening ");
  EXPECT_EQ(names("state = LISTENING"), "listening ");
  EXPECT_EQ(names("state != CREATED AND state != LISTENING"), "bound ");
  EXPECT_EQ(names("kind = tcp*"), "bare listening ");
  EXPECT_EQ(names("kind = tcp"), "listening ");
  EXPECT_EQ(names("labels.app:*"), "bare bound ");
  EXPECT_EQ(names("labels.app = web*"), "bare bound ");
  EXPECT_EQ(names("labels.app = \"web 2\""), "bound ");
  EXPECT_EQ(names("labels.app != web"), "bound listening ");
  EXPECT_EQ(names("state = CONNECTED"), "");
  // The answer follows what happens to a socket.
  server->Ask(&Stub::BindSocket, "name: 'sockets/bare' local { inet { ip: '127.0.0.1' } }");
  EXPECT_EQ(names("state = BOUND"), "bare bound ");
  server.CloseAll();
}

}  // namespace
}  // namespace socketeer
