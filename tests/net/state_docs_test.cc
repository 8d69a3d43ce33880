// docs/states.md is what the table says.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "server/net/state_table.h"

#ifndef SOCKETEER_SOURCE_DIR
#define SOCKETEER_SOURCE_DIR "."
#endif

namespace socketeer::net {
namespace {

using Verdict = Outcome::Verdict;

// The columns of the document. peek is like receive; the calls behind kAttach are ok everywhere.
constexpr Call kColumns[] = {Call::kBind,         Call::kConnect,       Call::kDisconnect,   Call::kListen,
                             Call::kAccept,       Call::kSend,          Call::kSendTo,       Call::kReceive,
                             Call::kShutdownRead, Call::kShutdownWrite, Call::kShutdownBoth, Call::kAttach};

const char* NameOf(State state) {
  constexpr const char* kNames[] = {"UNSPECIFIED", "CREATED",   "BOUND",        "LISTENING",
                                    "CONNECTING",  "CONNECTED", "DISCONNECTED", "CLOSED"};
  return kNames[static_cast<int>(state)];
}

std::string TextOf(const Outcome& outcome) {
  std::string text(outcome.verdict == Verdict::kEnd ? "end" : outcome.word);
  if (outcome.verdict == Verdict::kForbidden) text = "**" + text + "**";
  if (outcome.verdict == Verdict::kUnknown) text = "*" + text + "*";
  if (outcome.next != State::kUnspecified) text += std::string(" → ") + NameOf(outcome.next);
  return text;
}

std::string TextOf(const Cell& cell) {
  if (cell.unnamed == cell.named) return TextOf(cell.unnamed);
  return TextOf(cell.unnamed) + " / " + TextOf(cell.named);
}

bool Has(KindClass kind, Call call) {
  return FindRow(kind, Situation::kCreated)->of(call).unnamed.verdict != Verdict::kMissing;
}

// The section of one kind, without its heading.
std::string TableOf(KindClass kind) {
  std::string head = "| |", line = "|---|", rows;
  for (const Call call : kColumns) {
    if (!Has(kind, call)) continue;
    head += std::string(" ") + NameOf(call) + (call == Call::kReceive ? ", peek |" : " |");
    line += "---|";
  }
  for (const Row& row : StateTable()) {
    if (row.kind != kind) continue;
    rows += std::string("| ") + NameOf(row.situation) + " |";
    for (const Call call : kColumns) {
      if (Has(kind, call)) rows += " " + TextOf(row.of(call)) + " |";
    }
    rows += "\n";
  }
  return head + "\n" + line + "\n" + rows;
}

TEST(StatesDoc, HasTheTables) {
  std::ifstream stream(SOCKETEER_SOURCE_DIR "/docs/states.md");
  ASSERT_TRUE(stream) << "run me in the source directory";
  std::stringstream text;
  text << stream.rdbuf();
  for (int i = 0; i <= static_cast<int>(KindClass::kUnixSeqpacket); ++i) {
    const auto kind = static_cast<KindClass>(i);
    const std::string section = std::string("\n## ") + NameOf(kind) + "\n\n" + TableOf(kind) + "\n## ";
    EXPECT_NE(text.str().find(section), std::string::npos) << "docs/states.md must have this section:\n" << section;
  }
}

TEST(StatesDoc, IsRightThatPeekIsLikeReceive) {
  for (const Row& row : StateTable()) {
    EXPECT_EQ(row.of(Call::kPeek).unnamed, row.of(Call::kReceive).unnamed);
    EXPECT_EQ(row.of(Call::kPeek).named, row.of(Call::kReceive).named);
  }
}

TEST(StatesDoc, IsRightThatSomeCallsAreAlwaysOk) {
  for (const Row& row : StateTable()) {
    for (const Call call : {Call::kGetOptions, Call::kSetOptions, Call::kAwait, Call::kClose}) {
      EXPECT_EQ(TextOf(row.of(call)), "ok");
    }
  }
}

}  // namespace
}  // namespace socketeer::net
