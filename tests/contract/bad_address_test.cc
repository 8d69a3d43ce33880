// Addresses and protocols that cannot be: refused by us when they are malformed, by the kernel when only it can know.
#include <netinet/in.h>
#include <sys/socket.h>

#include <filesystem>
#include <string>

#include "tests/support/test_server.h"

namespace socketeer {
namespace {

using grpc::StatusCode;
using testing::Escaped;
using testing::Fails;
using testing::Ok;
using testing::Refuses;
using testing::Stub;

class BadAddress : public ::testing::Test {
 protected:
  testing::Reply<v1::OpenSocketResponse> Open(const std::string& request) {
    auto reply = server_->Ask(&Stub::OpenSocket, "type: SOCKET_TYPE_STREAM " + request);
    EXPECT_EQ(server_->GetHost()->usage().sockets(), reply.ok() ? 1u : 0u) << "a failed open left something";
    server_.CloseAll();
    return reply;
  }
  testing::TestServer server_;
};

TEST_F(BadAddress, Inet) {
  EXPECT_TRUE(Refuses(Open("bind { inet { ip: '127.0.0.1' port: 70000 } }"), "bind.inet.port"));
  EXPECT_TRUE(Refuses(Open("bind { inet { ip: '127.0.0.1' port: 65536 } }"), "bind.inet.port"));
  EXPECT_TRUE(Refuses(Open("connect { inet { ip: '127.0.0.1' port: 4294967295 } }"), "connect.inet.port"));
  for (const std::string ip : {"", "localhost", "127.0.0", "127.0.0.256", "0x7f.1", " 127.0.0.1", "127.0.0.1:80",
                               "[::1]", "::1%lo", "127.0.0.1\\000", ":::1"}) {
    EXPECT_TRUE(Refuses(Open("bind { inet { ip: '" + ip + "' } }"), "bind.inet.ip")) << ip;
  }
  EXPECT_TRUE(Refuses(Open("bind { inet { ip: 'fe80::1' scope: 'nosuch0' } }"), "bind.inet.scope"));
  EXPECT_TRUE(Refuses(Open("bind { inet { ip: '127.0.0.1' scope: 'lo' } }"), "bind.inet.scope"));
  EXPECT_TRUE(Refuses(Open("connect {}"), "connect"));
  EXPECT_TRUE(Refuses(Open("bind {}"), "bind"));
}

TEST_F(BadAddress, Raw) {
  EXPECT_TRUE(Refuses(Open("family: FAMILY_INET bind { raw: '' }"), "bind.raw"));
  EXPECT_TRUE(Refuses(Open("family: FAMILY_INET bind { raw: 'x' }"), "bind.raw"));
  EXPECT_TRUE(Refuses(Open("family: FAMILY_INET bind { raw: '" + std::string(129, 'x') + "' }"), "bind.raw"));
  // From here on it is the kernel's to judge; "xx" is no family.
  EXPECT_TRUE(Fails(Open("family: FAMILY_INET bind { raw: '" + std::string(128, 'x') + "' }"),
                    StatusCode::INVALID_ARGUMENT, "EAFNOSUPPORT"));
  EXPECT_TRUE(Fails(Open("family: FAMILY_INET connect { raw: '" + std::string(16, 'x') + "' }"),
                    StatusCode::INVALID_ARGUMENT, "EAFNOSUPPORT"));
  auto no_family = Open("bind { raw: '" + std::string(16, 'x') + "' }");
  EXPECT_TRUE(Fails(no_family, StatusCode::INVALID_ARGUMENT, "EAFNOSUPPORT"));
  EXPECT_EQ(no_family.problem().error.system_call(), "socket");
  auto too_short = Open("family: FAMILY_INET bind { raw: '" + Escaped(std::string("\x02\0\0\0", 4)) + "' }");
  EXPECT_TRUE(Fails(too_short, StatusCode::INVALID_ARGUMENT, "EINVAL"));
  EXPECT_EQ(too_short.problem().error.system_call(), "bind");
  // A good one works: the escape is no dead end.
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto good = Open("bind { raw: '" + Escaped(std::string(reinterpret_cast<char*>(&address), sizeof(address))) + "' }");
  ASSERT_TRUE(Ok(good));
  EXPECT_EQ(good->socket().local().inet().ip(), "127.0.0.1");
}

TEST_F(BadAddress, UnixPaths) {
  const auto path = [this](size_t size) {
    std::string text = server_.dir().File("");
    return text + std::string(size - text.size(), 'p');
  };
  auto longest = Open("bind { unix_domain { path: '" + path(108) + "' } }");
  ASSERT_TRUE(Ok(longest));
  EXPECT_EQ(longest->socket().local().unix_domain().path(), path(108));
  EXPECT_FALSE(std::filesystem::exists(path(108)));
  EXPECT_TRUE(Refuses(Open("bind { unix_domain { path: '" + path(109) + "' } }"), "bind.unix_domain.path"));
  EXPECT_TRUE(Refuses(Open("bind { unix_domain { path: '' } }"), "bind.unix_domain.path"));
  EXPECT_TRUE(Refuses(Open("bind { unix_domain { path: 'a\\000b' } }"), "bind.unix_domain.path"));
  EXPECT_TRUE(Ok(Open("bind { unix_domain { abstract_name: '" + std::string(107, 'n') + "' } }")));
  EXPECT_TRUE(Refuses(Open("bind { unix_domain { abstract_name: '" + std::string(108, 'n') + "' } }"),
                      "bind.unix_domain.abstract_name"));
  EXPECT_TRUE(Fails(Open("bind { unix_domain { path: '" + server_.dir().File("no/folder") + "' } }"),
                    StatusCode::NOT_FOUND, "ENOENT"));
  EXPECT_TRUE(Fails(Open("connect { unix_domain { path: '" + server_.dir().File("nobody") + "' } }"),
                    StatusCode::NOT_FOUND, "ENOENT"));
}

// A file that is there is no place to bind, and stays (gvisor-tap-vsock #681).
TEST_F(BadAddress, UnixPathThatIsTaken) {
  const std::string path = server_.dir().File("folder");
  std::filesystem::create_directory(path);
  EXPECT_TRUE(Fails(Open("bind { unix_domain { path: '" + path + "' } }"), StatusCode::ALREADY_EXISTS, "EADDRINUSE"));
  EXPECT_TRUE(std::filesystem::is_directory(path));
}

TEST_F(BadAddress, Protocols) {
  EXPECT_TRUE(Refuses(Open("family: FAMILY_INET protocol: -1"), "protocol"));
  auto unknown = Open("family: FAMILY_INET protocol: 17");  // UDP is no stream
  EXPECT_TRUE(Fails(unknown, StatusCode::INVALID_ARGUMENT, "EPROTONOSUPPORT"));
  EXPECT_EQ(unknown.problem().error.operation(), "open");
  EXPECT_EQ(unknown.problem().error.system_call(), "socket");
  EXPECT_TRUE(Fails(Open("family: FAMILY_INET protocol: 2147483647"), StatusCode::INVALID_ARGUMENT, "EINVAL"));
  EXPECT_TRUE(Fails(Open("family: FAMILY_UNIX protocol: 6"), StatusCode::INVALID_ARGUMENT, "EPROTONOSUPPORT"));
  auto mine = Open("family: FAMILY_INET protocol: 6");
  ASSERT_TRUE(Ok(mine));
  EXPECT_EQ(mine->socket().protocol(), 6);
  auto seqpacket = server_->Ask(&Stub::OpenSocket, "type: SOCKET_TYPE_SEQPACKET family: FAMILY_INET");
  EXPECT_TRUE(Fails(seqpacket, StatusCode::UNIMPLEMENTED, "ESOCKTNOSUPPORT"));
  EXPECT_EQ(seqpacket.problem().error.origin(), v1::ORIGIN_KERNEL);
}

TEST_F(BadAddress, FamiliesThatDiffer) {
  EXPECT_TRUE(Refuses(Open("bind { inet { ip: '127.0.0.1' } } connect { inet { ip: '::1' port: 1 } }"), "bind"));
  EXPECT_TRUE(Refuses(Open("bind { unix_domain {} } connect { inet { ip: '127.0.0.1' port: 1 } }"), "bind"));
  // With the family given the kernel judges.
  auto judged = Open("family: FAMILY_INET bind { inet { ip: '::1' } }");
  EXPECT_TRUE(Fails(judged, StatusCode::INVALID_ARGUMENT, "EAFNOSUPPORT"));
  EXPECT_EQ(judged.problem().error.operation(), "bind");
}

TEST_F(BadAddress, OptionOfAnotherFamily) {
  auto reply = Open("family: FAMILY_INET options { v6only: true }");
  EXPECT_TRUE(Fails(reply, StatusCode::UNIMPLEMENTED, "ENOPROTOOPT"));
  EXPECT_EQ(reply.problem().error.operation(), "setsockopt");
  EXPECT_EQ(reply.problem().error.system_call(), "setsockopt");
  EXPECT_EQ(reply.problem().Given("option"), "v6only");
}

TEST_F(BadAddress, Names) {
  auto nowhere = Open("connect { named { host: 'no-such-host.invalid' port: 1 } }");
  EXPECT_EQ(nowhere.problem().reason, "NAME_NOT_RESOLVED") << nowhere;
  EXPECT_EQ(nowhere.problem().Given("host"), "no-such-host.invalid");
  EXPECT_EQ(nowhere.problem().error.origin(), v1::ORIGIN_DAEMON);
  EXPECT_TRUE(Refuses(Open("connect { named { port: 1 } }"), "connect.named.host"));
  EXPECT_TRUE(Refuses(Open("connect { named { host: 'localhost' port: 65536 } }"), "connect.named.port"));
  EXPECT_TRUE(Refuses(Open("connect { named { host: 'a\\000b' port: 1 } }"), "connect.named.host"));
  EXPECT_TRUE(
      Refuses(Open("connect { named { host: '" + std::string(256, 'h') + "' port: 1 } }"), "connect.named.host"));
}

// Each address of a name is tried; what failed before is told.
TEST_F(BadAddress, NameWhoseAddressesRefuse) {
  auto bound = server_->Ask(&Stub::OpenSocket, "type: SOCKET_TYPE_STREAM bind { named { port: 0 } }");
  const std::string port = std::to_string(bound->socket().local().inet().port());
  auto reply = server_->Ask(&Stub::OpenSocket,
                            "type: SOCKET_TYPE_STREAM connect { named { host: 'localhost' port: " + port + " } }");
  EXPECT_TRUE(Fails(reply, StatusCode::FAILED_PRECONDITION, "ECONNREFUSED"));
  EXPECT_EQ(reply.problem().error.operation(), "connect");
  EXPECT_TRUE(reply.problem().error.has_peer());
  server_.CloseAll();
}

}  // namespace
}  // namespace socketeer
