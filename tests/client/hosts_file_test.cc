// What a hosts file says, and what is said about a wrong one.
#include "socketeer/hosts_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "socketeer/names.h"
#include "tests/support/certificates.h"
#include "tests/support/temp_dir.h"

namespace socketeer {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Pair;

HostsFile ReadHostsFile(const std::string& text, const std::string& path = "f/h") {
  auto file = HostsFile::Parse(text, path);
  if (!file.ok()) ADD_FAILURE() << file.status();
  return file.ok() ? *std::move(file) : *HostsFile::Parse("hosts: [{name: x, address: x}]", "x");
}

std::string WrongHosts(const std::string& text) {
  const auto file = HostsFile::Parse(text, "f/h");
  EXPECT_EQ(file.status().code(), absl::StatusCode::kInvalidArgument) << text;
  return std::string(file.status().message());
}

TEST(HostsFile, EveryKey) {
  const HostsFile file = ReadHostsFile(R"(
defaults:
  ca: lab/ca.pem
  cert: lab/me.pem
  key: lab/me.key
  token_file: /etc/token
hosts:
  - name: a
    address: 10.77.0.1:7625
    labels: {rack: r1, port: 80, empty: ''}
  - {name: b-2, address: "[::1]", ca: /b/ca.pem, cert: b.pem, key: b.key, token_file: b.token}
)");
  ASSERT_EQ(file.hosts().size(), 2u);
  const HostEntry a = *file.Find("a");
  EXPECT_EQ(a.name, "a");
  EXPECT_EQ(a.address, "10.77.0.1:7625");
  EXPECT_EQ(a.credentials.ca, "f/lab/ca.pem");
  EXPECT_EQ(a.credentials.cert, "f/lab/me.pem");
  EXPECT_EQ(a.credentials.key, "f/lab/me.key");
  EXPECT_EQ(a.credentials.token_file, "/etc/token");
  EXPECT_THAT(a.labels, ElementsAre(Pair("empty", ""), Pair("port", "80"), Pair("rack", "r1")));
  const HostEntry b = *file.Find("b-2");
  EXPECT_EQ(b.address, "[::1]");
  EXPECT_EQ(b.credentials.ca, "/b/ca.pem");
  EXPECT_EQ(b.credentials.cert, "f/b.pem");
  EXPECT_EQ(b.credentials.key, "f/b.key");
  EXPECT_EQ(b.credentials.token_file, "f/b.token");
  EXPECT_TRUE(b.labels.empty());
}

TEST(HostsFile, WhereAHostsSocketsAreReached) {
  const HostsFile file = ReadHostsFile(R"(
hosts:
  - {name: said, address: "10.0.0.1:7625", data_address: 192.0.2.1}
  - {name: v6, address: ./a.sock, data_address: "fd00::1"}
  - {name: named, address: /a.sock, data_address: build-3.lab}
  - {name: control, address: "10.0.0.1:7625"}
  - {name: control-v6, address: "[fd00::2]"}
  - {name: nowhere, address: ./a.sock}
)");
  const std::pair<const char*, const char*> expected[] = {{"said", "192.0.2.1"},     {"v6", "fd00::1"},
                                                          {"named", "build-3.lab"},  {"control", "10.0.0.1"},
                                                          {"control-v6", "fd00::2"}, {"nowhere", ""}};
  for (const auto& [name, address] : expected) EXPECT_EQ(DataAddressOf(*file.Find(name)), address) << name;
  for (const std::string wrong : {"10.0.0.1:80", "[fd00::1]", "1.2.3", "a b"}) {
    EXPECT_EQ(WrongHosts("hosts: [{name: a, address: b, data_address: \"" + wrong + "\"}]"),
              "f/h:1:45: data_address: \"" + wrong + "\" is no IP address and no name; it has no port");
  }
}

// A certificate and a key of two places would seldom belong together.
TEST(HostsFile, DefaultsByField) {
  const HostsFile file = ReadHostsFile(
      "{defaults: {ca: ca, cert: c, key: k}, hosts: [{name: a, address: a, cert: own, key: own.key}, "
      "{name: b, address: b, ca: other}]}",
      "hosts.yaml");
  EXPECT_EQ(file.Find("a")->credentials.ca, "ca");
  EXPECT_EQ(file.Find("a")->credentials.cert, "own");
  EXPECT_EQ(file.Find("a")->credentials.key, "own.key");
  EXPECT_EQ(file.Find("b")->credentials.ca, "other");
  EXPECT_EQ(file.Find("b")->credentials.cert, "c");
}

TEST(HostsFile, AUnixSocketHasNoTls) {
  const HostsFile file = ReadHostsFile(
      "{defaults: {ca: ca, cert: c, key: k, token_file: t}, hosts: [{name: a, address: ./d.sock}, "
      "{name: b, address: 'unix:/run/d.sock', token_file: own}, {name: c, address: 'unix:../d.sock'}]}");
  EXPECT_EQ(file.Find("a")->address, "unix:f/./d.sock");
  EXPECT_EQ(file.Find("a")->credentials.ca, "");
  EXPECT_EQ(file.Find("a")->credentials.cert, "");
  EXPECT_EQ(file.Find("a")->credentials.key, "");
  EXPECT_EQ(file.Find("a")->credentials.token_file, "f/t");
  EXPECT_EQ(file.Find("b")->address, "unix:/run/d.sock");
  EXPECT_EQ(file.Find("b")->credentials.token_file, "f/own");
  EXPECT_EQ(file.Find("c")->address, "unix:f/../d.sock");
}

TEST(HostsFile, SaysWhatIsWrongAndWhere) {
  const std::string in_hosts = "known are name, address, data_address, ca, cert, key, token_file, labels";
  const std::pair<std::string, std::string> wrong[] = {
      {"", "f/h:1: there are no hosts"},
      {"# nothing\n", "f/h:1: there are no hosts"},
      {"hosts: []\n", "f/h:1:1: there are no hosts: the key hosts must be a list of at least one"},
      {"defaults: {ca: x}\n", "f/h:1:1: there are no hosts: the key hosts must be a list of at least one"},
      {"[a, b]\n", "f/h:1:1: must be a map with some of the keys defaults, hosts"},
      {"hosts: {a: 10.0.0.1}\n", "f/h:1:8: must be a list of hosts"},
      {"hosts:\n  - a\n",
       "f/h:2:5: must be a map with some of the keys name, address, data_address, ca, cert, key, token_file, labels"},
      {"hosts: [{name: a, address: a}]\nhost: []\n", "f/h:2:1: unknown key \"host\"; known are defaults, hosts"},
      {"hosts:\n  - name: a\n    adress: b\n", "f/h:3:5: unknown key \"adress\"; " + in_hosts},
      {"hosts:\n  - name: a\n    address: b\n    name: c\n", "f/h:4:5: the key \"name\" is given twice"},
      {"hosts:\n  - name: a\n", "f/h:2:5: the key address of a host is missing"},
      {"hosts:\n  - address: b\n", "f/h:2:5: the key name of a host is missing"},
      {"hosts:\n  - name: a\n    address:\n", "f/h:3:5: the key \"address\" has no value"},
      {"hosts:\n- {name: a, address: a}\n- {name: a, address: b}\n",
       "f/h:3:10: name: \"a\" is taken by the host in line 2"},
      {"hosts: [{name: A.b, address: a}]\n",
       "f/h:1:16: name: \"A.b\" is not a host's name: a small letter, then up to 62 small letters, digits and '-'"},
      {"hosts: [{name: [a], address: a}]\n", "f/h:1:16: name must be text, not a list"},
      {"hosts: [{name: a, address: {b: c}}]\n", "f/h:1:28: address must be text, not a map"},
      {"hosts: [{name: a, address: ''}]\n", "f/h:1:28: address is \"\"; it must be 1 to 4,095 bytes, none of them NUL"},
      {"hosts: [{name: a, address: 'b:0'}]\n",
       "f/h:1:28: address: \"b:0\" is not a daemon's address: the port is 1 to 65535; it must be a daemon's address: "
       "unix:PATH, /PATH, ./PATH or HOST[:PORT]"},
      {"hosts: [{name: a, address: b, ca: ''}]\n",
       "f/h:1:35: ca is \"\"; it must be 1 to 4,095 bytes, none of them NUL"},
      {"hosts: [{name: a, address: b, ca: \"x\\0y\"}]\n",
       "f/h:1:35: ca is \"x\\x00y\"; it must be 1 to 4,095 bytes, none of them NUL"},
      {"hosts:\n- {name: a, address: b, cert: c}\n", "f/h:2:3: there is a cert without its key"},
      {"defaults: {key: c}\nhosts: [{name: a, address: b}]\n", "f/h:1:11: there is a key without its cert"},
      {"defaults: {name: c}\n", "f/h:1:12: unknown key \"name\"; known are ca, cert, key, token_file"},
      {"defaults: [ca]\n", "f/h:1:11: must be a map with some of the keys ca, cert, key, token_file"},
      {"hosts: [{name: a, address: /d.sock, ca: x}]\n",
       "f/h:1:41: ca does not go with the UNIX socket \"unix:/d.sock\", over which there is no TLS; of credentials "
       "token_file does"},
      {"hosts: [{name: a, address: b, token_file: !secret t}]\n",
       "f/h:1:43: token_file: the tag \"!secret\" is not allowed"},
      {"hosts: [{name: a, address: b, labels: [x]}]\n", "f/h:1:39: labels must be a map of text, not a list"},
      {"hosts: [{name: a, address: b, labels: {X: y}}]\n",
       "f/h:1:40: labels: \"X\" is not a label's key: a small letter or digit, then up to 62 of those and of '._/-'"},
      {"hosts: [{name: a, address: b, labels: {x: [y]}}]\n", "f/h:1:43: label \"x\" must be text, not a list"},
      {"hosts: [{name: a, address: b, labels: {x: }}]\n", "f/h:1:43: label \"x\" must be text, not nothing"},
      {"hosts: [{name: a, address: b, labels: {x: 1, x: 2}}]\n", "f/h:1:46: labels: the key \"x\" is given twice"},
      {"hosts: [{name: a, address: b}]\n---\nhosts: []\n", "f/h:2:1: a second document"},
      {"hosts: [{name: a\n", "f/h:2:1: end of map flow not found"},
  };
  for (const auto& [text, said] : wrong) EXPECT_EQ(WrongHosts(text), said) << text;
}

TEST(HostsFile, IsBounded) {
  const auto repeated = [](size_t count, const auto& each) {
    std::string text;
    for (size_t i = 0; i < count; ++i) text += each(std::to_string(i));
    return text;
  };
  const auto hosts = [&](size_t count) {
    return "hosts:\n" + repeated(count, [](const auto& i) { return "- {name: h" + i + ", address: a}\n"; });
  };
  EXPECT_EQ(ReadHostsFile(hosts(1'000)).hosts().size(), 1'000u);
  EXPECT_EQ(WrongHosts(hosts(1'001)), "f/h:2:1: a list of 1001; at most 1000 are allowed");
  const auto labels = [&](size_t count) {
    return "hosts: [{name: a, address: b, labels: {" +
           repeated(count, [](const auto& i) { return "l" + i + ": x, "; }) + "}}]";
  };
  EXPECT_EQ(ReadHostsFile(labels(64)).Find("a")->labels.size(), 64u);
  EXPECT_EQ(WrongHosts(labels(65)), "f/h:1:39: 65 labels; at most 64 are allowed");
  EXPECT_THAT(WrongHosts("hosts: [{name: a, address: b, labels: {x: " + std::string(256, 'y') + "}}]"),
              HasSubstr("is not a label's value: at most 255 bytes of UTF-8"));
  EXPECT_THAT(WrongHosts("hosts: [{name: a, address: b, ca: " + std::string(4'096, 'y') + "}]"),
              EndsWith("it must be 1 to 4,095 bytes, none of them NUL"));
}

// Deep nests, aliases of aliases, and one that holds itself.
TEST(HostsFile, HostileYamlIsOnlyWrong) {
  EXPECT_THAT(WrongHosts("hosts: " + std::string(100'000, '[')), HasSubstr("f/h:1:"));
  EXPECT_THAT(WrongHosts(std::string(100'000, '{')), HasSubstr("f/h:1:"));
  EXPECT_THAT(WrongHosts("hosts: &a [*a]"), HasSubstr("f/h:1:"));
  EXPECT_THAT(WrongHosts("hosts: [&a {name: a, address: b, labels: *a}]"), HasSubstr("f/h:1:"));
  std::string laughs = "hosts:\n- {name: a, address: b, labels: &x0 {k: v}}\n";
  for (int i = 0; i < 30; ++i) {
    const std::string before = "*x" + std::to_string(i);
    laughs += "- &x" + std::to_string(i + 1) + " [" + before + ", " + before + ", " + before + "]\n";
  }
  EXPECT_THAT(WrongHosts(laughs), HasSubstr("f/h:3:3: must be a map"));
}

TEST(HostsFile, AnUnknownNameHasTheLikelyOnesFirst) {
  const HostsFile file =
      ReadHostsFile("hosts: [{name: db, address: a}, {name: web-1, address: a}, {name: web-2, address: a}]");
  EXPECT_EQ(file.Find("web-2")->name, "web-2");
  const absl::Status status = file.Find("web2").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "there is no host \"web2\" in f/h; there is web-2, web-1, db");
  std::string many = "hosts:\n";
  for (int i = 0; i < 10; ++i) many += "- {name: h" + std::to_string(i) + ", address: a}\n";
  EXPECT_THAT(std::string(ReadHostsFile(many).Find("h77").status().message()),
              EndsWith("there is h7, h0, h1, h2, h3, h4, h5, h6 and 2 more"));
  EXPECT_FALSE(file.Find(std::string(1 << 20, 'x')).ok());
}

// No address is a name: with a dot, a colon, a slash or a bracket, or of digits alone.
TEST(HostsFile, NamesAreNoAddresses) {
  for (const char* const name : {"a", "build-3", "h2o-"}) EXPECT_TRUE(CheckHostName(name).ok()) << name;
  for (const char* const address :
       {"", "10.0.0.1", "127", "::1", "[::1]", "a:1", "unix:x", "/x", "./x", "a.lab", "A", "a_b", "-a", "3a"}) {
    EXPECT_FALSE(CheckHostName(address).ok()) << address;
  }
  EXPECT_FALSE(CheckHostName(std::string(64, 'a')).ok());
}

class HostsOnDisk : public ::testing::Test {
 protected:
  std::string ErrorOf(const std::string& path) { return std::string(HostsFile::Load(path).status().message()); }

  testing::TempDir dir_;
  std::string path_ = testing::WriteFile(dir_.File("hosts.yaml"), "hosts: [{name: a, address: b, ca: ca.pem}]");
};

TEST_F(HostsOnDisk, IsLoaded) {
  ASSERT_EQ(chmod(path_.c_str(), 0644), 0);
  const auto file = HostsFile::Load(path_);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->Find("a")->credentials.ca, dir_.File("ca.pem"));
}

TEST(HostsFile, ByLabels) {
  const HostsFile file = ReadHostsFile(R"(
hosts:
- {name: a, address: x, labels: {rack: r1, role: web}}
- {name: b, address: x, labels: {rack: r2, role: web}}
- {name: c, address: x}
- {name: d, address: x, labels: {rack: r1, role: ''}}
)");
  const auto names = [&](const std::map<std::string, std::string>& labels) {
    std::vector<std::string> found;
    const std::vector<HostEntry> selected = file.Select(labels).value();
    for (const HostEntry& host : selected) found.push_back(host.name);
    return found;
  };
  EXPECT_THAT(names({}), ElementsAre("a", "b", "c", "d"));
  EXPECT_THAT(names({{"role", "web"}}), ElementsAre("a", "b"));
  EXPECT_THAT(names({{"rack", "r1"}}), ElementsAre("a", "d"));
  EXPECT_THAT(names({{"rack", "r1"}, {"role", ""}}), ElementsAre("d"));
  const auto none = [&](const std::map<std::string, std::string>& labels) {
    return std::string(file.Select(labels).status().message());
  };
  EXPECT_EQ(none({{"rack", "r"}}), "no host in f/h is labelled rack=r; there is rack=r1, rack=r2, role=, role=web");
  EXPECT_THAT(none({{"rack", "r2"}, {"role", ""}}), HasSubstr("is labelled rack=r2 and role=; there is rack=r1"));
}

TEST(HostsFile, LabelsThatThereAreNot) {
  const HostsFile file = ReadHostsFile("hosts: [{name: a, address: x}]");
  EXPECT_EQ(file.Select({{"rack", "r1"}}).status(),
            absl::InvalidArgumentError("no host in f/h is labelled rack=r1; there is no label in it"));
  std::string many = "hosts: [{name: a, address: x, labels: {";
  for (char key = 'a'; key < 'k'; ++key) many += std::string(1, key) + ": 1, ";
  const auto status = ReadHostsFile(many + "}}]").Select({{"rack", "r1"}}).status();
  EXPECT_THAT(std::string(status.message()), EndsWith("; there is a=1, b=1, c=1, d=1, e=1, f=1, g=1, h=1 and 2 more"));
}

TEST_F(HostsOnDisk, IsRefusedWhenOthersMayWriteIt) {
  for (const mode_t mode : {0620, 0602, 0666}) {
    ASSERT_EQ(chmod(path_.c_str(), mode), 0);
    EXPECT_THAT(ErrorOf(path_), HasSubstr("nobody else may write it: chmod go-w"));
  }
}

TEST_F(HostsOnDisk, CannotBeRead) {
  EXPECT_EQ(ErrorOf(dir_.File("none")), dir_.File("none") + ": No such file or directory");
  EXPECT_EQ(ErrorOf(dir_.path()), dir_.path() + ": Is a directory");
  const std::string large = testing::WriteFile(dir_.File("large"), std::string((1 << 20) + 1, '#'));
  EXPECT_EQ(ErrorOf(large), large + ": is longer than 1 MiB");
}

TEST_F(HostsOnDisk, WhereItIsLookedFor) {
  const std::string folder = dir_.File("socketeer");
  setenv("XDG_CONFIG_HOME", dir_.path().c_str(), 1);
  EXPECT_EQ(DefaultHostsFile(), "");
  std::filesystem::create_directory(folder);
  testing::WriteFile(folder + "/hosts.yaml", "");
  EXPECT_EQ(DefaultHostsFile(), folder + "/hosts.yaml");
  setenv("XDG_CONFIG_HOME", "not/absolute", 1);
  setenv("HOME", dir_.path().c_str(), 1);
  EXPECT_EQ(DefaultHostsFile(), "");
  std::filesystem::create_directory(dir_.File(".config"));
  std::filesystem::rename(folder, dir_.File(".config/socketeer"));
  EXPECT_EQ(DefaultHostsFile(), dir_.File(".config/socketeer/hosts.yaml"));
  unsetenv("XDG_CONFIG_HOME");
  EXPECT_EQ(DefaultHostsFile(), dir_.File(".config/socketeer/hosts.yaml"));
  unsetenv("HOME");
  EXPECT_EQ(DefaultHostsFile(), "");
}

}  // namespace
}  // namespace socketeer
