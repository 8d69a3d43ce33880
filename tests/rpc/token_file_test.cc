#include "server/rpc/token_file.h"

#include <gtest/gtest.h>

#include <string>

namespace socketeer::rpc {
namespace {

// sha256sum's, of "one" and "two".
constexpr char kOne[] = "sha256:7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed";
constexpr char kTwo[] = "sha256:3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3";

std::string ErrorOf(const std::string& text) {
  auto table = ParseTokenFile(text);
  return table.ok() ? "(none)" : table.error().message;
}

TEST(TokenFile, FindsTokensByTheirHash) {
  const auto table = ParseTokenFile(std::string("ci ") + kOne + "\ncd " + kTwo + "\n");
  ASSERT_TRUE(table.ok()) << table.error().message;
  ASSERT_EQ(table->size(), 2u);
  EXPECT_EQ(FindToken(*table, HashOf("one")), &(*table)[0]);
  EXPECT_EQ(FindToken(*table, HashOf("two"))->name, "cd");
  EXPECT_EQ(FindToken(*table, HashOf("three")), nullptr);
  EXPECT_EQ(FindToken(*table, HashOf("")), nullptr);
  EXPECT_EQ(FindToken({}, HashOf("one")), nullptr);
  TokenHash nearly = HashOf("one");
  nearly.back() ^= 1;
  EXPECT_EQ(FindToken(*table, nearly), nullptr);
}

TEST(TokenFile, PassesOverCommentsAndBlanks) {
  const std::string upper = "sha256:7692C3AD3540BB803C020B3AEE66CD8887123234EA0C6E7143C0ADD73FF431ED";
  const auto table = ParseTokenFile("# tokens\n\n  \t\r\n \tci\t " + upper + " \r\n#" + kTwo + "\nA.b_c@d-1 " + kTwo);
  ASSERT_TRUE(table.ok()) << table.error().message;
  ASSERT_EQ(table->size(), 2u);
  EXPECT_EQ(FindToken(*table, HashOf("one"))->name, "ci");
  EXPECT_EQ((*table)[1].name, "A.b_c@d-1");
  EXPECT_TRUE(ParseTokenFile("").ok());
}

TEST(TokenFile, ANameMayHaveTwoTokensButATokenOneName) {
  EXPECT_TRUE(ParseTokenFile(std::string("ci ") + kOne + "\nci " + kTwo + "\n").ok());
  EXPECT_EQ(ErrorOf(std::string("ci ") + kOne + "\ncd " + kOne + "\n"), "2: the hash stands there already, for \"ci\"");
  EXPECT_EQ(ErrorOf(std::string("ci ") + kOne + "\nci " + kOne + "\n"), "2: the hash stands there already, for \"ci\"");
}

TEST(TokenFile, TellsTheLineAndWhatIsWrong) {
  EXPECT_TRUE(ErrorOf(std::string("ci ") + kOne + "\n\n-x " + kTwo).starts_with("3: the name \"-x\" must be"));
  EXPECT_TRUE(ErrorOf(std::string(64, 'n') + " " + kOne).starts_with("1: the name "));
  EXPECT_TRUE(ErrorOf(std::string("a\0b ", 4) + kOne).starts_with("1: the name \"a\\x00b\""));
  EXPECT_TRUE(ErrorOf(std::string("caf\xc3\xa9 ") + kOne).starts_with("1: the name "));
  EXPECT_EQ(ErrorOf(std::string("ci ") + kOne + " x"), "1: there is something behind the hash");
}

// What stands in a hash's place may be the token itself.
TEST(TokenFile, AWrongHashIsNotRepeated) {
  const std::string hash(kOne);
  for (const std::string& wrong :
       {std::string(), std::string("my-secret"), "sha256:" + std::string(64, 'g'), hash.substr(0, hash.size() - 1),
        hash + "0", "sha512:" + hash.substr(7), hash.substr(7), "sha256:" + std::string(62, '0') + "-1",
        "sha256:" + std::string(62, '0') + "0x"}) {
    EXPECT_EQ(ErrorOf("ci " + wrong), "1: behind the name must stand sha256: and 64 hexadecimal digits") << wrong;
  }
}

// sha256sum </dev/null, of an empty variable: everybody has that token.
TEST(TokenFile, RefusesTheHashOfNothing) {
  EXPECT_EQ(ErrorOf("ci sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            "1: the hash is that of an empty token");
}

TEST(TokenFile, IsBounded) {
  const auto line = [](size_t i) {
    char hex[65];
    std::snprintf(hex, sizeof(hex), "%064zx", i);
    return "ci sha256:" + std::string(hex) + "\n";
  };
  std::string text;
  for (size_t i = 0; i < kMaxTokens; ++i) text += line(i);
  EXPECT_EQ(ParseTokenFile(text)->size(), kMaxTokens);
  EXPECT_EQ(ErrorOf(text + line(kMaxTokens)), "1025: more than 1024 tokens");
}

}  // namespace
}  // namespace socketeer::rpc
