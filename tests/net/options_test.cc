// Every option on every kind of socket, set and read back: what this table says is what the kernel does.
#include "server/net/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <fstream>
#include <limits>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "server/base/fd.h"

#ifndef SOCKETEER_SOURCE_DIR
#define SOCKETEER_SOURCE_DIR "."
#endif

namespace socketeer::net {
namespace {

constexpr int32_t kMaxInt = std::numeric_limits<int32_t>::max();

struct Kind {
  const char* name;
  int family;
  int type;
};

const Kind kKinds[] = {
    {"tcp4", AF_INET, SOCK_STREAM},
    {"tcp6", AF_INET6, SOCK_STREAM},
    {"udp4", AF_INET, SOCK_DGRAM},
    {"udp6", AF_INET6, SOCK_DGRAM},
    {"unix_stream", AF_UNIX, SOCK_STREAM},
    {"unix_dgram", AF_UNIX, SOCK_DGRAM},
    {"unix_seqpacket", AF_UNIX, SOCK_SEQPACKET},
};

base::Fd NewSocket(const Kind& kind) {
  return base::Fd(KernelSyscalls().Socket(kind.family, kind.type | SOCK_CLOEXEC, 0));
}

std::string ToText(const OptionValue& value) {
  if (const bool* flag = std::get_if<bool>(&value)) return *flag ? "on" : "off";
  if (const int32_t* integer = std::get_if<int32_t>(&value)) return std::to_string(*integer);
  const Linger& linger = std::get<Linger>(value);
  return (linger.enabled ? "on " : "off ") + std::to_string(linger.seconds);
}

int32_t ReadSysctl(const std::string& path) {
  int32_t value = 0;
  std::ifstream("/proc/sys/" + path) >> value;
  return value;
}

// What a set does to a fresh socket: the value that is read back, or the errno.
std::string OutcomeOf(const Kind& kind, const char* option, const OptionValue& value) {
  const base::Fd fd = NewSocket(kind);
  const OptionRow& row = *FindOption(option);
  const base::Status set = SetOption(KernelSyscalls(), fd.get(), row, value);
  if (!set.ok()) return set.error().reason;
  const base::Result<OptionValue> got = GetOption(KernelSyscalls(), fd.get(), row);
  return got.ok() ? ToText(*got) : got.error().reason;
}

class Options : public ::testing::TestWithParam<Kind> {
 protected:
  bool IsUnix() const { return GetParam().family == AF_UNIX; }
  bool IsTcp() const { return !IsUnix() && GetParam().type == SOCK_STREAM; }
};

INSTANTIATE_TEST_SUITE_P(EveryKind, Options, ::testing::ValuesIn(kKinds),
                         [](const auto& test) { return test.param.name; });

struct Expectation {
  const char* option;
  OptionValue set;
  const char* tcp4;
  const char* tcp6;
  const char* udp4;
  const char* udp6;
  const char* unix_any;
};

const Expectation kExpectations[] = {
    {"reuseaddr", true, "on", "on", "on", "on", "on"},
    {"reuseaddr", false, "off", "off", "off", "off", "off"},
    {"reuseport", true, "on", "on", "on", "on", nullptr},  // unix: see below
    {"reuseport", false, "off", "off", "off", "off", "off"},
    {"v6only", true, "ENOPROTOOPT", "on", "ENOPROTOOPT", "on", "EOPNOTSUPP"},
    {"v6only", false, "ENOPROTOOPT", "off", "ENOPROTOOPT", "off", "EOPNOTSUPP"},
    {"broadcast", true, "on", "on", "on", "on", "on"},
    {"broadcast", false, "off", "off", "off", "off", "off"},
    {"nodelay", true, "on", "on", "ENOPROTOOPT", "ENOPROTOOPT", "EOPNOTSUPP"},
    {"nodelay", false, "off", "off", "ENOPROTOOPT", "ENOPROTOOPT", "EOPNOTSUPP"},
    {"keepalive", true, "on", "on", "on", "on", "on"},
    {"keepalive", false, "off", "off", "off", "off", "off"},
    {"linger", Linger{true, 0}, "on 0", "on 0", "on 0", "on 0", "on 0"},
    {"linger", Linger{true, 65535}, "on 65535", "on 65535", "on 65535", "on 65535", "on 65535"},
    {"linger", Linger{false, 0}, "off 0", "off 0", "off 0", "off 0", "off 0"},
    // The kernel drops the seconds of a linger that is off, and says so when asked.
    {"linger", Linger{false, 7}, "off 0", "off 0", "off 0", "off 0", "off 0"},
    {"rcvbuf", 10'000, "20000", "20000", "20000", "20000", "20000"},
    {"sndbuf", 10'000, "20000", "20000", "20000", "20000", "20000"},
    {"rcvlowat", 10'000, "10000", "10000", "10000", "10000", "10000"},
    {"rcvlowat", 0, "1", "1", "1", "1", "1"},
};

TEST_P(Options, SetAndReadBack) {
  for (const Expectation& test : kExpectations) {
    const char* expected = IsUnix()                       ? test.unix_any
                           : GetParam().family == AF_INET ? (IsTcp() ? test.tcp4 : test.udp4)
                                                          : (IsTcp() ? test.tcp6 : test.udp6);
    if (expected == nullptr) continue;
    EXPECT_EQ(OutcomeOf(GetParam(), test.option, test.set), expected) << test.option << " = " << ToText(test.set);
  }
}

TEST(OptionExpectations, HaveEveryOption) {
  std::set<std::string> expected;
  for (const Expectation& test : kExpectations) expected.insert(test.option);
  for (const OptionRow& row : OptionTable()) EXPECT_TRUE(expected.contains(row.name)) << row.name;
}

// Linux kept a reuseport that means nothing to a UNIX socket, until 6.13 (and some 6.12) refused it.
TEST(OptionExpectations, ReusePortOnUnix) {
  for (const Kind& kind : kKinds) {
    if (kind.family != AF_UNIX) continue;
    EXPECT_THAT(OutcomeOf(kind, "reuseport", true), ::testing::AnyOf("EOPNOTSUPP", "on")) << kind.name;
  }
}

TEST_P(Options, BuffersAreDoubledAndCappedByTheKernelOnly) {
  const int64_t rmem_max = ReadSysctl("net/core/rmem_max"), wmem_max = ReadSysctl("net/core/wmem_max");
  EXPECT_EQ(OutcomeOf(GetParam(), "rcvbuf", kMaxInt), std::to_string(2 * rmem_max));
  EXPECT_EQ(OutcomeOf(GetParam(), "sndbuf", kMaxInt), std::to_string(2 * wmem_max));
  for (const char* option : {"rcvbuf", "sndbuf"}) {
    EXPECT_EQ(OutcomeOf(GetParam(), option, 0), OutcomeOf(GetParam(), option, 1)) << "both the kernel's minimum";
    EXPECT_GT(std::stoi(OutcomeOf(GetParam(), option, 0)), 1'000);
  }
  EXPECT_GT(std::stoi(OutcomeOf(GetParam(), "rcvlowat", kMaxInt)), 1'000'000);
}

TEST_P(Options, AllOptionsAreThoseThatApplyInTheTablesOrder) {
  std::vector<std::string> expected;
  for (const OptionRow& row : OptionTable()) {
    if (row.name == std::string("v6only") && GetParam().family != AF_INET6) continue;
    if (row.name == std::string("nodelay") && !IsTcp()) continue;
    expected.push_back(row.name);
  }
  const base::Fd fd = NewSocket(GetParam());
  const base::Result<OptionList> all = GetAllOptions(KernelSyscalls(), fd.get());
  ASSERT_TRUE(all.ok()) << all.error().message;
  std::vector<std::string> names;
  for (const auto& [row, value] : *all) {
    names.push_back(row->name);
    EXPECT_EQ(value.index(), static_cast<size_t>(row->type)) << row->name;
  }
  EXPECT_EQ(names, expected);
}

TEST_P(Options, ReadingSetsNothing) {
  const base::Fd fd = NewSocket(GetParam());
  const base::Result<OptionList> once = GetAllOptions(KernelSyscalls(), fd.get());
  const base::Result<OptionList> twice = GetAllOptions(KernelSyscalls(), fd.get());
  EXPECT_EQ(*once, *twice);
}

// Values that are refused before the kernel sees them.
TEST(OptionRange, IsTheRowsRange) {
  struct Refused {
    const char* option;
    OptionValue value;
    const char* field;
    const char* allowed;
  };
  const Refused cases[] = {
      {"rcvbuf", -1, "options.rcvbuf", "0 to 2147483647"},
      {"sndbuf", std::numeric_limits<int32_t>::min(), "options.sndbuf", "0 to 2147483647"},
      {"rcvlowat", -1, "options.rcvlowat", "0 to 2147483647"},
      {"linger", Linger{true, -1}, "options.linger.seconds", "0 to 65535"},
      {"linger", Linger{false, 65536}, "options.linger.seconds", "0 to 65535"},
      {"rcvbuf", true, "options.rcvbuf", "an integer"},
      {"nodelay", 1, "options.nodelay", "a flag"},
      {"linger", 1, "options.linger", "a linger"},
  };
  for (const Refused& test : cases) {
    const base::Status status = SetOption(KernelSyscalls(), /*fd=*/-1, *FindOption(test.option), test.value);
    ASSERT_FALSE(status.ok()) << test.field;
    EXPECT_EQ(status.error().reason, "INVALID_FIELD");
    EXPECT_EQ(status.error().metadata.at("field"), test.field);
    EXPECT_EQ(status.error().metadata.at("allowed"), test.allowed);
    EXPECT_FALSE(CheckOption(*FindOption(test.option), test.value).ok());
  }
}

TEST(OptionError, IsTheKernelsWithTheOptionsName) {
  const base::Fd fd = NewSocket(kKinds[0]);
  const base::Status set = SetOption(KernelSyscalls(), fd.get(), *FindOption("v6only"), true);
  ASSERT_FALSE(set.ok());
  EXPECT_EQ(set.error().code, base::Code::kUnimplemented);
  EXPECT_EQ(set.error().origin, base::Origin::kKernel);
  EXPECT_EQ(set.error().message, "v6only: setsockopt: Protocol not available (ENOPROTOOPT)");
  EXPECT_EQ(set.error().operation, "setsockopt");
  EXPECT_EQ(set.error().system_call, "setsockopt");
  EXPECT_EQ(set.error().metadata.at("option"), "v6only");

  const base::Result<OptionValue> got = GetOption(KernelSyscalls(), -1, *FindOption("linger"));
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().reason, "EBADF");
  EXPECT_EQ(got.error().operation, "getsockopt");
  EXPECT_EQ(got.error().metadata.at("option"), "linger");
}

// Fails getsockopt(2) of one option.
class FailingGetSyscalls : public Syscalls {
 public:
  FailingGetSyscalls(int number, int error) : number_(number), error_(error) {}
  int GetSockOpt(int fd, int level, int name, void* value, socklen_t* size) override {
    if (name != number_) return Syscalls::GetSockOpt(fd, level, name, value, size);
    errno = error_;
    return -1;
  }

 private:
  const int number_;
  const int error_;
};

TEST(GetAllOptions, LeavesOutOnlyWhatDoesNotApply) {
  const base::Fd fd = NewSocket(kKinds[0]);
  for (int error : {ENOPROTOOPT, EOPNOTSUPP}) {
    FailingGetSyscalls syscalls(SO_SNDBUF, error);
    const base::Result<OptionList> all = GetAllOptions(syscalls, fd.get());
    ASSERT_TRUE(all.ok());
    for (const auto& [row, value] : *all) EXPECT_STRNE(row->name, "sndbuf");
  }
  for (int error : {ENOBUFS, EPERM, EINVAL, EBADF}) {
    FailingGetSyscalls syscalls(SO_SNDBUF, error);
    const base::Result<OptionList> all = GetAllOptions(syscalls, fd.get());
    ASSERT_FALSE(all.ok());
    EXPECT_EQ(all.error().errno_number, error);
    EXPECT_EQ(all.error().metadata.at("option"), "sndbuf");
  }
}

TEST(FindOption, KnowsNamesOnlyExactly) {
  for (const OptionRow& row : OptionTable()) EXPECT_EQ(FindOption(row.name), &row);
  for (const char* name : {"", "NODELAY", "nodela", "nodelay ", "tcp_info"}) EXPECT_EQ(FindOption(name), nullptr);
}

TEST(OptionTable, IsThatOfTheProtoInTheOrderOfTheFieldNumbers) {
  std::ifstream proto(SOCKETEER_SOURCE_DIR "/proto/socketeer/v1/options.proto");
  ASSERT_TRUE(proto) << "run me in the source directory";
  const std::regex field(R"( *optional \w+ (\w+) = (\d+);)");
  std::map<int, std::string> fields;
  std::smatch match;
  for (std::string line; std::getline(proto, line);) {
    if (std::regex_match(line, match, field)) fields[std::stoi(match[2])] = match[1];
  }
  std::vector<std::string> names, expected;
  for (const OptionRow& row : OptionTable()) names.push_back(row.name);
  for (const auto& [number, name] : fields) expected.push_back(name);
  EXPECT_EQ(names, expected);
}

}  // namespace
}  // namespace socketeer::net
