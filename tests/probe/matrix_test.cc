// What a matrix says, and what is said about a wrong one.
#include "client/probe/matrix.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace socketeer::probe {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

Matrix Read(const std::string& text) {
  const auto matrix = ReadMatrix(text, "m.yaml");
  if (!matrix.ok()) ADD_FAILURE() << matrix.status();
  return matrix.value_or(Matrix());
}

// "a->b:tcp/80" and what is expected there.
std::vector<std::pair<std::string, std::string>> CellsOf(const std::string& text) {
  std::vector<std::pair<std::string, std::string>> cells;
  for (const Cell& each : Read(text).cells) {
    cells.emplace_back(each.from + "->" + each.to + ":" + PortText(each.port), ExpectedText(each.expected));
  }
  return cells;
}

TEST(Matrix, EachHostToEachOtherAtEachPort) {
  EXPECT_THAT(CellsOf("hosts: [a, b]\nports: [80, udp/53]\n"),
              ElementsAre(Pair("a->b:tcp/80", "open"), Pair("b->a:tcp/80", "open"), Pair("a->b:udp/53", "open"),
                          Pair("b->a:udp/53", "open")));
}

TEST(Matrix, OneSideMayHaveOtherHostsAndAddresses) {
  EXPECT_THAT(CellsOf("from: [a, b]\nto: [b, 10.0.0.9, \"fd00::1\"]\nports: [tcp/22]\ndefault: blocked\n"
                      "cells: {\"a -> [fd00::1]:22\": open, \"b -> fd00::1\": dns, \"* -> 10.0.0.9:22\": timeout}\n"),
              ElementsAre(Pair("a->b:tcp/22", "blocked"), Pair("a->10.0.0.9:tcp/22", "timeout"),
                          Pair("a->fd00::1:tcp/22", "open"), Pair("b->10.0.0.9:tcp/22", "timeout"),
                          Pair("b->fd00::1:tcp/22", "dns")));
}

TEST(Matrix, OfTheCellsThatStandLaterCount) {
  const std::string text = R"(
hosts: [web, app, db]
ports: [22, 5432]
default: blocked
cells:
  "* -> *:22": open
  web, app -> db: [refused, timeout]
  app->db:tcp/5432: open
)";
  std::map<std::string, std::string> cells;
  for (auto& [cell, expected] : CellsOf(text)) cells[cell] = expected;
  EXPECT_EQ(cells.size(), 12u);
  EXPECT_EQ(cells["web->app:tcp/22"], "open");
  EXPECT_EQ(cells["web->app:tcp/5432"], "blocked");
  EXPECT_EQ(cells["web->db:tcp/22"], "refused or timeout");
  EXPECT_EQ(cells["web->db:tcp/5432"], "refused or timeout");
  EXPECT_EQ(cells["app->db:tcp/5432"], "open");
  EXPECT_EQ(cells["db->web:tcp/5432"], "blocked");
}

TEST(Matrix, ListenAndTimeout) {
  const Matrix said = Read("hosts: [a, b]\nports: [1]\nlisten: true\ntimeout: 300ms\n");
  EXPECT_TRUE(said.listen);
  EXPECT_EQ(said.timeout, absl::Milliseconds(300));
  const Matrix unsaid = Read("hosts: [a, b]\nports: [1]\n");
  EXPECT_FALSE(unsaid.listen);
  EXPECT_EQ(unsaid.timeout, std::nullopt);
}

struct Mistake {
  std::string text;
  std::string said;
};

TEST(Matrix, EachMistakeWithItsPlace) {
  const std::string good = "hosts: [a, b]\nports: [80]\n";
  const std::string words =
      "open, refused, timeout, unreachable, reset, dropped, rejected, one-way, somebody-else, no-answer, dns, denied, "
      "no-daemon, failed, blocked";
  const std::string keys = "hosts, from, to, ports, listen, timeout, default, cells";
  const Mistake mistakes[] = {
      {"", "1: there is no matrix"},
      {"- a\n", "1:1: must be a map with some of the keys " + keys},
      {good + "port: 80\n", "3:1: unknown key \"port\"; known are " + keys},
      {good + "ports: [80]\n", "3:1: the key \"ports\" is given twice"},
      {good + "listen:\n", "3:1: the key \"listen\" has no value"},
      {"ports: [80]\n", "1:1: the key hosts is missing (or from and to): a list of names of the hosts file"},
      {"hosts: [a, b]\n", "1:1: the key ports is missing: a list such as [22, 443, udp/53]"},
      {"from: [a]\nports: [80]\n", "1:1: the key hosts is missing (or from and to): a list of names of the hosts file"},
      {"hosts: [a, b]\nto: [c]\nports: [80]\n", "1:8: give either hosts, or from and to"},
      {"hosts: a\nports: [80]\n", "1:8: must be a list of names of hosts"},
      {"hosts: []\nports: [80]\n", "1:8: hosts is an empty list"},
      {"hosts: [a, B]\nports: [80]\n",
       "1:12: hosts: \"B\" is not a host's name: a small letter, then up to 62 small letters, digits and '-'"},
      {"hosts: [a, b, a]\nports: [80]\n", "1:15: hosts: \"a\" stands there twice"},
      {"hosts: [a, [b]]\nports: [80]\n", "1:12: a list or a map; it must be one of names of hosts"},
      {"from: [a]\nto: [\"b c\"]\nports: [80]\n", "2:6: to: \"b c\" is neither a name nor an IP address"},
      {"hosts: [a, b]\nports: [80, 70000]\n",
       "2:13: ports: \"70000\" is no port; it must be 1 to 65535, as 80, tcp/80 or udp/53"},
      {"hosts: [a, b]\nports: [sctp/80]\n",
       "2:9: ports: \"sctp/80\" is no port; it must be 1 to 65535, as 80, tcp/80 or udp/53"},
      {"hosts: [a, b]\nports: [80, tcp/80]\n", "2:13: ports: tcp/80 stands there twice"},
      {"hosts: [a, b]\nports: []\n", "2:8: ports is an empty list"},
      {"hosts: [a]\nports: [80]\n", "1:1: there is no cell: one host alone, and none is asked for itself"},
      {good + "listen: yes\n", "3:9: listen must be true or false"},
      {good + "timeout: soon\n", "3:10: timeout: \"soon\" is not a duration: 10ms to 10m, as in 500ms, 2s, 1m"},
      {good + "timeout: 1h\n", "3:10: timeout: \"1h\" is out of range: 10ms to 10m"},
      {good + "default: shut\n", "3:10: \"shut\" is not what a probe finds: " + words},
      {good + "default: []\n", "3:10: an empty list; it must have a word such as open or blocked"},
      {good + "cells: [a]\n", "3:8: cells must be a map, such as {\"web -> db:5432\": open}"},
      {good + "cells:\n  a b: open\n", "4:3: cells: \"a b\" has no arrow; it must be FROM -> TO or FROM -> TO:PORT"},
      {good + "cells:\n  a -> c: open\n", "4:3: cells: \"c\" is none of the matrix's hosts"},
      {good + "cells:\n  a, -> b: open\n", "4:3: cells: \"\" is none of the matrix's hosts"},
      {good + "cells:\n  a -> b:81: open\n", "4:3: cells: tcp/81 is none of the matrix's ports"},
      {good + "cells:\n  a -> b:x: open\n",
       "4:3: cells: \"x\" is no port; it must be 1 to 65535, as 80, tcp/80 or udp/53"},
      {good + "cells:\n  a -> a: open\n", "4:3: cells: \"a -> a\" is none of the matrix"},
      {good + "cells:\n  a -> b: open\n  b -> a: [open, shut]\n", "5:18: \"shut\" is not what a probe finds: " + words},
      {good + "cells:\n  a -> b: open\n  a -> b: blocked\n", "5:3: cells: \"a -> b\" stands there twice"},
      {good + "cells: {a: [}\n", "3:13: illegal flow end"},
      {good + "---\n" + good, "3:1: a second document"},
  };
  for (const Mistake& each : mistakes) {
    const auto matrix = ReadMatrix(each.text, "m.yaml");
    ASSERT_EQ(matrix.status().code(), absl::StatusCode::kInvalidArgument) << each.text;
    EXPECT_EQ(std::string(matrix.status().message()), "m.yaml:" + each.said) << each.text;
  }
}

TEST(Matrix, IsBounded) {
  std::string hosts;
  for (int i = 0; i < 101; ++i) hosts += (i == 0 ? "h" : ", h") + std::to_string(i);
  const auto matrix = ReadMatrix("hosts: [" + hosts + "]\nports: [80]\n", "m.yaml");
  EXPECT_EQ(std::string(matrix.status().message()), "m.yaml:1:1: 10201 cells; at most 10,000 are allowed");
}

}  // namespace
}  // namespace socketeer::probe
