// What the daemon keeps of the operator's certificates when they change. That callers see it: tests/system.
#include "server/rpc/tls.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/support/certificates.h"
#include "tests/support/temp_dir.h"

namespace socketeer::rpc {
namespace {

using ::testing::HasSubstr;

class TlsKeeping : public ::testing::Test {
 protected:
  TlsKeeping() {
    WriteAnew();
    auto tls = Tls::Create(
        files_, true, base::SystemClock(), [this](Severity, const std::string& line) { log_.push_back(line); },
        [this](const std::string& pem) { client_cas_.push_back(pem); });
    if (!tls.ok()) ADD_FAILURE() << tls.error().message;
    tls_ = *std::move(tls);
  }

  // Another CA, and a certificate and key of it.
  void WriteAnew() const {
    const testing::TestAuthority ca;
    const auto pair = ca.Issue("DNS:localhost");
    testing::WriteFile(files_.cert, pair.cert);
    testing::WriteFile(files_.key, pair.key);
    testing::WriteFile(files_.client_ca, ca.cert());
  }

  // The texts in gRPC's files.
  static std::vector<std::string> Kept() {
    std::vector<std::string> texts;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
      std::error_code gone;  // the descriptor that lists them
      if (!read_symlink(entry.path(), gone).native().starts_with("/memfd:socketeer-tls")) continue;
      std::ostringstream text;
      text << std::ifstream(entry.path()).rdbuf();
      texts.push_back(text.str());
    }
    return texts;
  }

  testing::TempDir dir_;
  const TlsFiles files_{.cert = dir_.File("cert"), .key = dir_.File("key"), .client_ca = dir_.File("ca")};
  std::vector<std::string> log_;
  std::vector<std::string> client_cas_;  // those that were told
  std::unique_ptr<Tls> tls_;
};

// Files can be no longer than that, those in memory too.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit small{.rlim_cur = bytes, .rlim_max = before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    signal(SIGXFSZ, handler_);
  }

 private:
  const sighandler_t handler_;
  rlimit before_{};
};

TEST_F(TlsKeeping, WhatCannotBeKeptWholeChangesNothingAndIsTriedAgain) {
  const auto before = Kept();
  EXPECT_EQ(before.size(), 2u);
  WriteAnew();
  std::string bundle;
  while (bundle.size() < 8'192) bundle += testing::TestAuthority().cert();
  testing::WriteFile(files_.client_ca, bundle);
  {
    const FileSizeLimit limit(4'096);  // the first of two can be made, and the second cannot
    tls_->LookAtFiles();
    tls_->LookAtFiles();
  }
  EXPECT_EQ(Kept(), before);
  ASSERT_EQ(log_.size(), 1u) << "told once";
  EXPECT_THAT(log_[0], HasSubstr("in memory: File too large; the certificates before it stay in force"));
  tls_->LookAtFiles();
  const auto after = Kept();
  ASSERT_EQ(after.size(), 2u);
  EXPECT_NE(after[0], before[0]);
  EXPECT_NE(after[1], before[1]);
  EXPECT_THAT(log_.back(), HasSubstr("the new certificate is served"));
}

TEST_F(TlsKeeping, NothingButWhatIsMeantIsKept) {
  const testing::TestAuthority other;
  std::ostringstream key;
  key << other.cert() << "words\n" << std::ifstream(files_.key).rdbuf();
  testing::WriteFile(files_.key, key.str());
  std::ofstream(files_.client_ca, std::ios::app) << other.Issue("DNS:x").key;
  const auto before = Kept();
  tls_->LookAtFiles();
  EXPECT_EQ(Kept(), before);
  EXPECT_THAT(log_.back(), HasSubstr("the new certificate is served"));
}

// A file that is written over, as long as before, and given back the time that it had.
TEST(TlsStamp, TellsWhatWasWrittenOverWithItsTimeKept) {
  const testing::TempDir dir;
  const TlsFiles files{.cert = testing::WriteFile(dir.File("cert"), "one"), .key = dir.File("none")};
  const std::string before = StampOf(files);
  struct stat first {
  }, now{};
  stat(files.cert.c_str(), &first);
  do {  // until the clock of the file system has gone on
    testing::WriteFile(files.cert, "two");
    const timespec times[2] = {first.st_atim, first.st_mtim};
    utimensat(AT_FDCWD, files.cert.c_str(), times, 0);
    stat(files.cert.c_str(), &now);
  } while (now.st_ctim.tv_sec == first.st_ctim.tv_sec && now.st_ctim.tv_nsec == first.st_ctim.tv_nsec);
  EXPECT_NE(StampOf(files), before);
  EXPECT_EQ(StampOf(files), StampOf(files));
}

}  // namespace
}  // namespace socketeer::rpc
