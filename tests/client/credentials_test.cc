// What the library takes as credentials, and where it sends them.
#include "socketeer/credentials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "socketeer/error.h"
#include "socketeer/host.h"
#include "tests/support/certificates.h"
#include "tests/support/temp_dir.h"

namespace socketeer {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class CredentialsTest : public ::testing::Test {
 protected:
  std::string File(const std::string& name, const std::string& text) const {
    return testing::WriteFile(dir_.File(name), text);
  }
  static std::string ErrorOf(const CredentialFiles& files) {
    const auto read = ReadCredentials(files);
    EXPECT_EQ(read.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(read.status().message());
  }
  static absl::Status Connect(const std::string& endpoint, const Credentials& credentials) {
    return Host::Connect(endpoint, {.credentials = credentials}).status();
  }

  testing::TempDir dir_;
  testing::TestAuthority ca_;
  testing::TestPair pair_ = ca_.Issue("URI:spiffe://lab/agent");
  std::string ca_file_ = File("ca", ca_.cert());
  std::string cert_file_ = File("cert", pair_.cert);
  std::string key_file_ = File("key", pair_.key);
};

TEST_F(CredentialsTest, AreReadWhole) {
  const auto read = ReadCredentials(
      {.ca = ca_file_, .cert = cert_file_, .key = key_file_, .token_file = File("token", " \n a.token~\r\n")});
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->ca, ca_.cert());
  EXPECT_EQ(read->cert, pair_.cert);
  EXPECT_EQ(read->key, pair_.key);
  EXPECT_EQ(read->token, "a.token~");
  EXPECT_TRUE(ReadCredentials({}).ok());
}

TEST_F(CredentialsTest, WrongFilesAreNamed) {
  const std::string missing = dir_.File("missing");
  EXPECT_THAT(ErrorOf({.ca = missing}), HasSubstr(missing + ": No such file"));
  EXPECT_THAT(ErrorOf({.ca = dir_.File("")}), HasSubstr("Is a directory"));
  EXPECT_THAT(ErrorOf({.ca = key_file_}), HasSubstr(key_file_ + ": holds no certificate"));
  EXPECT_THAT(ErrorOf({.ca = ca_file_, .cert = cert_file_}), HasSubstr("needed together"));
  EXPECT_THAT(ErrorOf({.ca = ca_file_, .key = key_file_}), HasSubstr("needed together"));
  EXPECT_THAT(ErrorOf({.cert = cert_file_, .key = key_file_}), HasSubstr("needs the daemon's CA"));
  const std::string other = File("other", ca_.Issue("DNS:other").key);
  EXPECT_THAT(ErrorOf({.ca = ca_file_, .cert = cert_file_, .key = other}), HasSubstr(other + ": is not the key"));
  EXPECT_THAT(ErrorOf({.ca = ca_file_, .cert = cert_file_, .key = cert_file_}), HasSubstr("holds no private key"));
}

TEST_F(CredentialsTest, ATokenIsOneWordAndNeverRepeated) {
  for (const std::string& text :
       {std::string("two words"), std::string("a\nb"), std::string("caf\xc3\xa9"), std::string("a\0b", 3)}) {
    const std::string said = ErrorOf({.token_file = File("token", text)});
    EXPECT_THAT(said, HasSubstr("must hold one token"));
    EXPECT_THAT(said, Not(HasSubstr("two")));
  }
  EXPECT_THAT(ErrorOf({.token_file = File("token", " \n")}), HasSubstr("holds no token"));
  EXPECT_THAT(ErrorOf({.token_file = File("token", std::string(4097, 'x'))}), HasSubstr("longer than 4096"));
}

// Refused here, before anything is sent.
TEST_F(CredentialsTest, GoOnlyWhereTheyAreSafe) {
  const Credentials tls{.ca = ca_.cert(), .cert = pair_.cert, .key = pair_.key, .token = ""};
  Credentials token;
  token.token = "a.token";
  EXPECT_THAT(std::string(Connect("127.0.0.1:1", token).message()), HasSubstr("over TCP without TLS"));
  EXPECT_EQ(Connect("127.0.0.1:1", token).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(Connect("unix:/x", token).ok());
  EXPECT_THAT(std::string(Connect("unix:/x", tls).message()), HasSubstr("no TLS over the UNIX socket"));
  EXPECT_TRUE(Connect("127.0.0.1:1", tls).ok());
  token.ca = ca_.cert();
  EXPECT_TRUE(Connect("127.0.0.1:1", token).ok());
  EXPECT_FALSE(Connect("127.0.0.1:1", {.ca = ca_.cert(), .cert = pair_.cert, .key = "", .token = ""}).ok());
  EXPECT_FALSE(Connect("127.0.0.1:1", {.ca = "", .cert = pair_.cert, .key = pair_.key, .token = ""}).ok());
}

TEST(TlsErrors, AreAKindOfTheirOwn) {
  EXPECT_EQ(Classify(absl::UnauthenticatedError("no TLS with the daemon")), ErrorKind::kTls);
}

}  // namespace
}  // namespace socketeer
