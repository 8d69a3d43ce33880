#include "socketeer/endpoint.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace socketeer {
namespace {

using ::testing::HasSubstr;

v1::Endpoint Inet(const std::string& ip, uint32_t port, const std::string& scope = "") {
  v1::Endpoint endpoint;
  endpoint.mutable_inet()->set_ip(ip);
  endpoint.mutable_inet()->set_port(port);
  endpoint.mutable_inet()->set_scope(scope);
  return endpoint;
}

v1::Endpoint Named(const std::string& host, uint32_t port) {
  v1::Endpoint endpoint;
  endpoint.mutable_named()->set_host(host);
  endpoint.mutable_named()->set_port(port);
  return endpoint;
}

v1::Endpoint Path(const std::string& path) {
  v1::Endpoint endpoint;
  endpoint.mutable_unix_domain()->set_path(path);
  return endpoint;
}

v1::Endpoint Abstract(const std::string& name) {
  v1::Endpoint endpoint;
  endpoint.mutable_unix_domain()->set_abstract_name(name);
  return endpoint;
}

v1::Endpoint Unnamed() {
  v1::Endpoint endpoint;
  endpoint.mutable_unix_domain();
  return endpoint;
}

struct GoodCase {
  std::string text;
  v1::Endpoint endpoint;
};

std::vector<GoodCase> GoodCases() {
  return {
      {"10.0.0.1:80", Inet("10.0.0.1", 80)},
      {"0.0.0.0:0", Inet("0.0.0.0", 0)},
      {"10.0.0.1:65535", Inet("10.0.0.1", 65535)},
      {"[::1]:0", Inet("::1", 0)},
      {"[::]:80", Inet("::", 80)},
      {"[::ffff:10.0.0.1]:80", Inet("::ffff:10.0.0.1", 80)},
      {"[fe80::1%eth0]:80", Inet("fe80::1", 80, "eth0")},
      {"[fe80::1%2]:80", Inet("fe80::1", 80, "2")},
      {"name:80", Named("name", 80)},
      {"db-1.example_x.org:5432", Named("db-1.example_x.org", 5432)},
      {"1x:80", Named("1x", 80)},
      {"/run/x.sock", Path("/run/x.sock")},
      {"/with:colon", Path("/with:colon")},
      {"./x.sock", Path("./x.sock")},
      {"../x.sock", Path("../x.sock")},
      {"unix:x.sock", Path("x.sock")},
      {"@abstract", Abstract("abstract")},
      {"@", Abstract("")},
      {"@with:colon/slash", Abstract("with:colon/slash")},
      {"@\\x00\\\\", Abstract(std::string("\0\\", 2))},
  };
}

TEST(ParseEndpoint, TakesEveryForm) {
  for (const GoodCase& good : GoodCases()) {
    for (const EndpointUse use : {EndpointUse::kBind, EndpointUse::kConnect}) {
      const absl::StatusOr<v1::Endpoint> endpoint = ParseEndpoint(good.text, use);
      ASSERT_TRUE(endpoint.ok()) << good.text << ": " << endpoint.status();
      EXPECT_EQ(endpoint->SerializeAsString(), good.endpoint.SerializeAsString()) << good.text;
    }
  }
}

TEST(FormatEndpoint, IsWhatParseEndpointTook) {
  for (const GoodCase& good : GoodCases()) {
    EXPECT_EQ(FormatEndpoint(good.endpoint), good.text);
  }
}

TEST(ParseEndpoint, AWildcardIsForBindOnly) {
  const absl::StatusOr<v1::Endpoint> bind = ParseEndpoint(":80", EndpointUse::kBind);
  ASSERT_TRUE(bind.ok()) << bind.status();
  EXPECT_EQ(bind->SerializeAsString(), Named("", 80).SerializeAsString());
  const absl::Status connect = ParseEndpoint(":80", EndpointUse::kConnect).status();
  EXPECT_EQ(connect.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(connect.message()), HasSubstr("the host is missing"));
}

TEST(ParseEndpoint, TheUnnamedAddressIsForBindOnly) {
  const absl::StatusOr<v1::Endpoint> bind = ParseEndpoint("unix:", EndpointUse::kBind);
  ASSERT_TRUE(bind.ok()) << bind.status();
  EXPECT_EQ(bind->SerializeAsString(), Unnamed().SerializeAsString());
  EXPECT_EQ(FormatEndpoint(Unnamed()), "unix:");
  EXPECT_FALSE(ParseEndpoint("unix:", EndpointUse::kConnect).ok());
}

TEST(ParseEndpoint, KeepsTheLimitsOfUnixAddresses) {
  const std::string path_108 = "/" + std::string(107, 'p');
  EXPECT_TRUE(ParseEndpoint(path_108, EndpointUse::kBind).ok());
  const absl::Status path_109 = ParseEndpoint(path_108 + "p", EndpointUse::kBind).status();
  EXPECT_THAT(std::string(path_109.message()), HasSubstr("a path of 109 bytes"));
  EXPECT_THAT(std::string(path_109.message()), HasSubstr("1 to 108 bytes"));

  const std::string name_107 = "@" + std::string(107, 'n');
  EXPECT_TRUE(ParseEndpoint(name_107, EndpointUse::kBind).ok());
  const absl::Status name_108 = ParseEndpoint(name_107 + "n", EndpointUse::kBind).status();
  EXPECT_THAT(std::string(name_108.message()), HasSubstr("a name of 108 bytes"));

  const std::string with_nul("/a\0b", 4);
  EXPECT_FALSE(ParseEndpoint(with_nul, EndpointUse::kBind).ok());
}

struct BadCase {
  std::string text;
  std::string said;  // in the error, beside the text itself
};

TEST(ParseEndpoint, SaysWhatWasGivenAndWhatIsAllowed) {
  const std::vector<BadCase> cases = {
      {"", "the port is missing; write HOST:PORT"},
      {"10.0.0.1", "the port is missing; write HOST:PORT"},
      {"name", "the port is missing; write HOST:PORT"},
      {"[::1]", "the port is missing; write HOST:PORT"},
      {"10.0.0.1:", "the port is missing; it is 0 to 65535"},
      {"[::1]:", "the port is missing; it is 0 to 65535"},
      {":", "the port is missing; it is 0 to 65535"},
      {"10.0.0.1:70000", "port \"70000\" is not 0 to 65535"},
      {"10.0.0.1:65536", "port \"65536\" is not 0 to 65535"},
      {"10.0.0.1:000080", "is not 0 to 65535"},
      {"10.0.0.1:-1", "port \"-1\" is not 0 to 65535"},
      {"10.0.0.1:+80", "is not 0 to 65535"},
      {"10.0.0.1: 80", "is not 0 to 65535"},
      {"10.0.0.1:http", "port \"http\" is not 0 to 65535"},
      {"10.0.0.1:99999999999999999999", "is not 0 to 65535"},
      {"[::1:80", "'[' without its ']'"},
      {"[[::1]:80", "'[' without its ']'"},
      {"::1]:80", "a bracket out of place"},
      {"a[b:80", "a bracket out of place"},
      {"[::1]80", "after ']' comes ':PORT'"},
      {"::1:80", "an IPv6 address stands in brackets"},
      {"::1", "an IPv6 address stands in brackets"},
      {"a:b:80", "an IPv6 address stands in brackets"},
      {"[name]:80", "in brackets stands an IPv6 address"},
      {"[10.0.0.1]:80", "in brackets stands an IPv6 address"},
      {"[]:80", "in brackets stands an IPv6 address"},
      {"[fe80::1%]:80", "after '%' comes an interface"},
      {"10.0.0.256:80", "neither an IPv4 address nor a name"},
      {"10.0.1:80", "neither an IPv4 address nor a name"},
      {"1:80", "neither an IPv4 address nor a name"},
      {"a b:80", "neither an IPv4 address nor a name"},
      {"*:80", "neither an IPv4 address nor a name"},
      {"a/b:80", "neither an IPv4 address nor a name"},
      {"b\xc3\xbc:80", "neither an IPv4 address nor a name"},
      {"@a\\", "a lone backslash"},
      {"@a\\x0", "a lone backslash"},
      {"@a\\xzz", "a lone backslash"},
  };
  for (const BadCase& bad : cases) {
    const absl::Status status = ParseEndpoint(bad.text, EndpointUse::kBind).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << bad.text;
    EXPECT_THAT(std::string(status.message()), HasSubstr(bad.said)) << bad.text;
    const bool backslash = bad.text.find('\\') != std::string::npos;
    if (backslash) continue;  // shown as two
    EXPECT_THAT(std::string(status.message()), HasSubstr('"' + bad.text + '"'));
  }
}

TEST(ParseEndpoint, ALongNameIsRefusedAndShortened) {
  const std::string host(254, 'h');
  const absl::Status status = ParseEndpoint(host + ":80", EndpointUse::kBind).status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("up to 253"));
  EXPECT_LT(status.message().size(), 450u);
  EXPECT_TRUE(ParseEndpoint(host.substr(1) + ":80", EndpointUse::kBind).ok());
}

TEST(FormatEndpoint, ShowsWhatHasNoNotation) {
  v1::Endpoint raw;
  raw.set_raw(std::string("\x0a\0\xff", 3));
  EXPECT_EQ(FormatEndpoint(raw), "raw:0a00ff");
  EXPECT_EQ(FormatEndpoint(v1::Endpoint()), "");
  EXPECT_EQ(FormatEndpoint(Path("/a\x1b[0m\\")), "/a\\x1b[0m\\\\");
  EXPECT_EQ(FormatEndpoint(Path("/a\\b")), "/a\\b") << "as it is typed";
  EXPECT_EQ(FormatEndpoint(Path("/b\xc3\xbc")), "/b\xc3\xbc");
}

}  // namespace
}  // namespace socketeer
