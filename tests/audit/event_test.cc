// Whatever is put into a line, it is one line of JSON.
#include "server/audit/event.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

namespace socketeer::audit {
namespace {

using nlohmann::json;

base::WallTime At(int64_t microseconds) { return base::WallTime(std::chrono::microseconds(microseconds)); }

json Parsed(const Event& event) {
  const std::string line = event.Line();
  EXPECT_EQ(line.find('\n'), line.size() - 1) << line;
  EXPECT_TRUE(std::all_of(line.begin(), line.end() - 1, [](char c) { return c >= ' ' && c <= '~'; })) << line;
  return json::parse(line);
}

std::string TextBack(const std::string& text) { return Parsed(Event("e", At(0)).Text("t", text))["t"]; }

TEST(EventTest, IsWrittenInTheOrderOfItsMaking) {
  EXPECT_EQ(Event("open", At(1'763'835'044'029'951))
                .Text("identity", "uid:0")
                .Number("duration_us", 85u)
                .Number("left", -3)
                .Yes("timed_out", true)
                .Yes("replayed", false)
                .Texts("addresses", {"a", "b"})
                .Text("none", "")
                .Texts("nothing", {})
                .Line(),
            "{\"time\":\"2025-11-22T18:10:44.029951Z\",\"event\":\"open\",\"identity\":\"uid:0\",\"duration_us\":85,"
            "\"left\":-3,\"timed_out\":true,\"addresses\":[\"a\",\"b\"]}\n");
}

TEST(EventTest, TellsTimeToTheMicrosecond) {
  EXPECT_EQ(Parsed(Event("e", At(0)))["time"], "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(Parsed(Event("e", At(1)).Time("t", At(-1)))["t"], "1969-12-31T23:59:59.999999Z");
  EXPECT_EQ(Parsed(Event("e", At(0)).Microseconds("d", std::chrono::nanoseconds(1'999)))["d"], 1);
  EXPECT_EQ(Parsed(Event("e", At(0)).Microseconds("d", std::chrono::nanoseconds(-1)))["d"], 0);
  EXPECT_EQ(Parsed(Event("e", At(0)).Number("n", UINT64_MAX))["n"], UINT64_MAX);
}

TEST(EventTest, GivesTextsBackAsTheyWere) {
  for (const std::string text :
       {"plain", "quote \" and \\ backslash", "line\nline\r\n", "tab\t\x01\x1f\x7f", "}\n{\"event\":\"forged\"}\n",
        "gr\xc3\xbc\xc3\x9f", "\xe2\x80\xa8 and \xe2\x80\xae", "\xf0\x9f\x98\x80 and \xf4\x8f\xbf\xbf", "\\u0041"}) {
    EXPECT_EQ(TextBack(text), text);
  }
  EXPECT_EQ(TextBack(std::string("a\0b", 3)), std::string("a\0b", 3));
}

TEST(EventTest, ReplacesWhatIsNoUtf8) {
  const std::string bad = "\xef\xbf\xbd";
  EXPECT_EQ(TextBack("a\xff"
                     "b"),
            "a" + bad + "b");
  EXPECT_EQ(TextBack("\xc3"), bad);                                // cut
  EXPECT_EQ(TextBack("\xc3\""), bad + "\"");                       // does not swallow what follows
  EXPECT_EQ(TextBack("\xc0\xaf"), bad + bad);                      // too long a form of "/"
  EXPECT_EQ(TextBack("\xe0\x80\xaf"), bad + bad + bad);            // the same
  EXPECT_EQ(TextBack("\xed\xa0\x80"), bad + bad + bad);            // half a surrogate pair
  EXPECT_EQ(TextBack("\xf4\x90\x80\x80"), bad + bad + bad + bad);  // beyond Unicode
  EXPECT_EQ(TextBack("\xf5\x80"), bad + bad);
  EXPECT_EQ(TextBack("\x80"), bad);
}

TEST(EventTest, CutsLongTextsBetweenCharacters) {
  EXPECT_EQ(TextBack(std::string(kMaxTextBytes, 'x')), std::string(kMaxTextBytes, 'x'));
  EXPECT_EQ(TextBack(std::string(kMaxTextBytes + 1, 'x')), std::string(kMaxTextBytes, 'x') + "...");
  const std::string escaped = TextBack(std::string(1 << 20, '\n'));
  EXPECT_EQ(escaped, std::string(kMaxTextBytes / 6, '\n') + "...");
  std::string pairs;
  for (int i = 0; i < 1'000; ++i) pairs += "\xf0\x9f\x98\x80";
  EXPECT_EQ(TextBack(pairs), pairs.substr(0, 4 * (kMaxTextBytes / 12)) + "...");
}

TEST(EventTest, CutsWhatIsTooMuchTogether) {
  Event event("e", At(0));
  const std::string ninth(kMaxTextBytes - 9, 'x');
  for (const char* const key : {"a", "b", "c", "d", "e", "f"}) event.Text(key, ninth);
  const json line = Parsed(event.Text("g", std::string(100, '\n')).Text("h", "h").Number("n", 7));
  EXPECT_EQ(line["f"], ninth);
  // Left are 6 x 9 less what the time does not and the event does take.
  EXPECT_EQ(line["g"], std::string(8, '\n') + "...");
  EXPECT_EQ(line["h"], "h");
  EXPECT_EQ(Parsed(event.Text("i", "1234567"))["i"], "1234...");
  EXPECT_EQ(Parsed(event.Text("j", "j"))["j"], "...");
  EXPECT_EQ(Parsed(event.Texts("k", {"k", "l"}))["k"], (std::vector<std::string>{"...", "..."}));
  EXPECT_LT(event.Line().size(), kMaxLineBytes);
}

TEST(EventTest, CutsLongLists) {
  const std::vector<std::string> most(kMaxTexts, "x"), more(kMaxTexts + 1, "x");
  EXPECT_EQ(Parsed(Event("e", At(0)).Texts("l", most))["l"].size(), kMaxTexts);
  const json list = Parsed(Event("e", At(0)).Texts("l", more))["l"];
  EXPECT_EQ(list.size(), kMaxTexts + 1);
  EXPECT_EQ(list.back(), "...");
}

TEST(EventTest, IsJsonWhateverTheBytes) {
  std::mt19937 random(7);
  for (int round = 0; round < 5'000; ++round) {
    std::string text(random() % 40, '\0');
    for (char& c : text) c = static_cast<char>(random());
    const json line = Parsed(Event("e", At(0)).Text("t", text).Text("after", "it"));
    EXPECT_EQ(line["after"], "it");
  }
}

}  // namespace
}  // namespace socketeer::audit
