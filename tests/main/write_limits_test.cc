// Where a process whose writes are limited still writes.
#include "server/main/write_limits.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>

#include "server/main/confinement.h"
#include "tests/main/in_child.h"
#include "tests/support/temp_dir.h"

namespace socketeer {
namespace {

class WriteLimits : public ::testing::Test {
 protected:
  WriteLimits() {
    std::filesystem::create_directory(At("allowed"));
    for (const char* name : {"there", "allowed/there"}) std::ofstream(At(name)) << "text";
  }

  std::string At(const std::string& name) const { return directory_.File(name); }
  // The errno of a call in a child that may write in "allowed" alone; 0: it passed.
  int Limited(const std::function<int()>& call) const {
    return InChild([&] {
      if (!FilterSystemCalls().ok()) return 255;
      const auto limited = LimitWrites({At("allowed"), At("not there")});
      if (!limited.ok() || !*limited) return 254;
      return call() < 0 ? errno : 0;
    });
  }
  int Open(const std::string& name, int flags) const {
    return Limited([&] { return open(At(name).c_str(), flags, 0600); });
  }

  const ::socketeer::testing::TempDir directory_;
};

TEST_F(WriteLimits, NothingIsWrittenElsewhere) {
  for (const int flags : {O_WRONLY, O_RDWR | O_APPEND, O_RDONLY | O_TRUNC}) EXPECT_EQ(Open("there", flags), EACCES);
  EXPECT_EQ(Open("new", O_WRONLY | O_CREAT), EACCES);
  EXPECT_EQ(Limited([&] { return truncate(At("there").c_str(), 0); }), EACCES);
  EXPECT_EQ(Limited([&] { return mkdir(At("new").c_str(), 0700); }), EACCES);
  EXPECT_EQ(Limited([&] { return mkdir(At("allowed/new").c_str(), 0700); }), EACCES);
  EXPECT_EQ(Limited([&] { return symlink("there", At("new").c_str()); }), EACCES);
  EXPECT_EQ(Limited([&] { return mkfifo(At("new").c_str(), 0600); }), EPERM);  // the filter
  EXPECT_EQ(Limited([&] { return link(At("there").c_str(), At("new").c_str()); }), EACCES);
  EXPECT_EQ(Limited([&] { return std::rename(At("there").c_str(), At("new").c_str()); }), EACCES);
  EXPECT_EQ(Limited([&] { return std::rename(At("allowed/there").c_str(), At("new").c_str()); }), EACCES);
}

TEST_F(WriteLimits, InItsFoldersItWrites) {
  EXPECT_EQ(Open("allowed/there", O_RDWR | O_APPEND), 0);
  EXPECT_EQ(Open("allowed/new", O_WRONLY | O_CREAT), 0);
  EXPECT_EQ(Limited([&] { return truncate(At("allowed/there").c_str(), 1); }), 0);
}

TEST_F(WriteLimits, ReadingIsAsBefore) {
  EXPECT_EQ(Open("there", O_RDONLY), 0);
  EXPECT_EQ(Open("", O_RDONLY | O_DIRECTORY), 0);
}

TEST_F(WriteLimits, SocketsAreBoundAndRemovedAnywhere) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::snprintf(address.sun_path, sizeof(address.sun_path), "%s", At("socket").c_str());
  ASSERT_EQ(At("socket"), address.sun_path);
  EXPECT_EQ(Limited([&] {
              const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
              return bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
            }),
            0);
  EXPECT_EQ(Limited([&] { return unlink(address.sun_path); }), 0);
}

// Who takes the daemon over must not go on in what else its user runs.
TEST_F(WriteLimits, OtherProcessesOfTheUserAreOutOfReach) {
  const std::string memory = "/proc/" + std::to_string(getpid()) + "/mem";
  EXPECT_EQ(Limited([&] { return open(memory.c_str(), O_RDONLY); }), EACCES);
  EXPECT_EQ(Limited([&] { return open(memory.c_str(), O_RDWR); }), EACCES);
}

TEST(FolderOf, IsWhatStandsBeforeTheName) {
  EXPECT_EQ(FolderOf("audit.jsonl"), ".");
  EXPECT_EQ(FolderOf("/audit.jsonl"), "/");
  EXPECT_EQ(FolderOf("/var/log/audit.jsonl"), "/var/log");
  EXPECT_EQ(FolderOf("log/audit.jsonl"), "log");
}

}  // namespace
}  // namespace socketeer
