#include "server/net/state_table.h"

#include <sys/socket.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <iterator>
#include <vector>

#include "server/net/errno_table.h"

namespace socketeer::net {
namespace {

// A cell is an outcome:
//   ok       done
//   ok>B     done, and the state is BOUND (C CREATED, B BOUND, L LISTENING, G CONNECTING, N CONNECTED, D DISCONNECTED)
//   eof      end of stream
//   EAGAIN   it would wait; with another errno, it has failed, though the state allows it
//   !EINVAL  the state forbids it, says the kernel
//   !WS      the state forbids it, says the daemon (WRONG_STATE), because the kernel would leave a trace
//   -EINVAL  the kind of socket forbids it in every state
// or two: of a socket without a name, and after the slash, of one that bind(2) gave one; ok>C/B is short for ok>C/ok>B.
// A head names the calls that the kind has; `receive` is peek too.
constexpr std::string_view kText = R"(
tcp
             bind         connect       discon listen  accept  send         receive      sh.read   sh.write  sh.both   attach
Created      ok>B         EINPROGRESS>G ok     ok>L    !EINVAL !EPIPE       !ENOTCONN    !WS       !WS       !WS       !WS
Bound        !EINVAL      EINPROGRESS>G ok     ok>L    !EINVAL !EPIPE       !ENOTCONN    !WS       !WS       !WS       !WS
Listening    !EINVAL      !EISCONN      ok>C/B ok      EAGAIN  !EPIPE       !ENOTCONN    ok>C/B    ok        ok>C/B    ok
Connecting   !EINVAL      EALREADY      ok>C/B !EINVAL !EINVAL EAGAIN       EAGAIN       ok>C/B    ok>C/B    ok>C/B    !WS
Failed       ok>B/!EINVAL ECONNREFUSED  ok     !EINVAL !EINVAL ECONNREFUSED ECONNREFUSED !WS       !WS       !WS       !WS
Connected    !EINVAL      !EISCONN      ok>C/B !EINVAL !EINVAL ok           EAGAIN       ok        ok        ok        ok
ReadShut     !EINVAL      !EISCONN      ok>C/B !EINVAL !EINVAL ok           eof          ok        ok        ok        ok
WriteShut    !EINVAL      !EISCONN      ok>C/B !EINVAL !EINVAL !EPIPE       EAGAIN       ok        ok        ok        ok
BothShut     !EINVAL      !EISCONN      ok>C/B !EINVAL !EINVAL !EPIPE       eof          ok        ok        ok        ok
PeerClosed   !EINVAL      !EISCONN      ok>C/B !EINVAL !EINVAL ok           eof          ok        ok        ok        ok
Finished     ok>D/!EINVAL !EISCONN      ok>C/B !EINVAL !EINVAL !EPIPE       eof          !ENOTCONN !ENOTCONN !ENOTCONN ok
Disconnected ok/!EINVAL   !EISCONN      ok>C/B !EINVAL !EINVAL !EPIPE       eof          !ENOTCONN !ENOTCONN !ENOTCONN ok
udp
          bind    connect discon  listen      accept      send          sendto receive sh.read sh.write sh.both attach
Created   ok>B    ok>N    ok      -EOPNOTSUPP -EOPNOTSUPP !WS           ok>B   EAGAIN  !WS     !WS      !WS     ok
Bound     !EINVAL ok>N    ok>C/ok -EOPNOTSUPP -EOPNOTSUPP !EDESTADDRREQ ok     EAGAIN  !WS     !WS      !WS     ok
Connected !EINVAL ok      ok>C/B  -EOPNOTSUPP -EOPNOTSUPP ok            ok     EAGAIN  ok      ok       ok      ok
ReadShut  !EINVAL ok      ok>C/B  -EOPNOTSUPP -EOPNOTSUPP ok            ok     EAGAIN  ok      ok       ok      ok
WriteShut !EINVAL ok      ok>C/B  -EOPNOTSUPP -EOPNOTSUPP !EPIPE        !EPIPE EAGAIN  ok      ok       ok      ok
BothShut  !EINVAL ok      ok>C/B  -EOPNOTSUPP -EOPNOTSUPP !EPIPE        !EPIPE EAGAIN  ok      ok       ok      ok
unix
             bind       connect  discon  listen  accept  send      receive sh.read sh.write sh.both attach
Created      ok>B       ok>N     !EINVAL !EINVAL !EINVAL !ENOTCONN !EINVAL ok      ok       ok      !WS
Bound        !EINVAL    ok>N     !EINVAL ok>L    !EINVAL !ENOTCONN !EINVAL ok      ok       ok      !WS
Listening    !EINVAL    !EINVAL  !EINVAL ok      EAGAIN  !ENOTCONN !EINVAL ok      ok       ok      ok
Connected    ok/!EINVAL !EISCONN !EINVAL !EINVAL !EINVAL ok        EAGAIN  ok      ok       ok      ok
ReadShut     ok/!EINVAL !EISCONN !EINVAL !EINVAL !EINVAL ok        eof     ok      ok       ok      ok
WriteShut    ok/!EINVAL !EISCONN !EINVAL !EINVAL !EINVAL !EPIPE    EAGAIN  ok      ok       ok      ok
BothShut     ok/!EINVAL !EISCONN !EINVAL !EINVAL !EINVAL !EPIPE    eof     ok      ok       ok      ok
PeerClosed   ok/!EINVAL !EISCONN !EINVAL !EINVAL !EINVAL EPIPE     eof     ok      ok       ok      ok
Finished     ok/!EINVAL !EISCONN !EINVAL !EINVAL !EINVAL !EPIPE    eof     ok      ok       ok      ok
Disconnected ok/!EINVAL !EISCONN !EINVAL !EINVAL !EINVAL !EPIPE    eof     ok      ok       ok      ok
unix-dgram
           bind       connect discon listen      accept      send             sendto receive sh.read sh.write sh.both attach
Created    ok>B       ok>N    ok     -EOPNOTSUPP -EOPNOTSUPP !ENOTCONN        ok     EAGAIN  ok      ok       ok      ok
Bound      !EINVAL    ok>N    ok     -EOPNOTSUPP -EOPNOTSUPP !ENOTCONN        ok     EAGAIN  ok      ok       ok      ok
Connected  ok/!EINVAL ok      ok>C/B -EOPNOTSUPP -EOPNOTSUPP ok               ok     EAGAIN  ok      ok       ok      ok
ReadShut   ok/!EINVAL ok      ok>C/B -EOPNOTSUPP -EOPNOTSUPP ok               ok     EAGAIN  ok      ok       ok      ok
WriteShut  ok/!EINVAL ok      ok>C/B -EOPNOTSUPP -EOPNOTSUPP !EPIPE           !EPIPE EAGAIN  ok      ok       ok      ok
BothShut   ok/!EINVAL ok      ok>C/B -EOPNOTSUPP -EOPNOTSUPP !EPIPE           !EPIPE EAGAIN  ok      ok       ok      ok
PeerClosed ok/!EINVAL ok      ok>C/B -EOPNOTSUPP -EOPNOTSUPP ECONNREFUSED>C/B ok     EAGAIN  ok      ok       ok      ok
unix-seqpacket
             bind       connect  discon  listen  accept  send      receive   sh.read sh.write sh.both attach
Created      ok>B       ok>N     !EINVAL !EINVAL !EINVAL !ENOTCONN !ENOTCONN ok      ok       ok      !WS
Bound        !EINVAL    ok>N     !EINVAL ok>L    !EINVAL !ENOTCONN !ENOTCONN ok      ok       ok      !WS
Listening    !EINVAL    !EINVAL  !EINVAL ok      EAGAIN  !ENOTCONN !ENOTCONN ok      ok       ok      ok
Connected    ok/!EINVAL !EISCONN !EINVAL !EINVAL !EINVAL ok        EAGAIN    ok      ok       ok      ok
ReadShut     ok/!EINVAL !EISCONN !EINVAL !EINVAL !EINVAL ok        eof       ok      ok       ok      ok
WriteShut    ok/!EINVAL !EISCONN !EINVAL !EINVAL !EINVAL !EPIPE    EAGAIN    ok      ok       ok      ok
BothShut     ok/!EINVAL !EISCONN !EINVAL !EINVAL !EINVAL !EPIPE    eof       ok      ok       ok      ok
PeerClosed   ok/!EINVAL !EISCONN !EINVAL !EINVAL !EINVAL EPIPE     eof       ok      ok       ok      ok
Finished     ok/!EINVAL !EISCONN !EINVAL !EINVAL !EINVAL !EPIPE    eof       ok      ok       ok      ok
Disconnected ok/!EINVAL !EISCONN !EINVAL !EINVAL !EINVAL !EPIPE    eof       ok      ok       ok      ok
)";

constexpr std::string_view kKindNames[] = {"tcp", "udp", "unix", "unix-dgram", "unix-seqpacket"};
constexpr std::string_view kRowWords[] = {"Created",  "Bound",      "Listening", "Connecting",
                                          "Failed",   "Connected",  "ReadShut",  "WriteShut",
                                          "BothShut", "PeerClosed", "Finished",  "Disconnected"};
constexpr const char* kSituationNames[] = {"CREATED",
                                           "BOUND",
                                           "LISTENING",
                                           "CONNECTING",
                                           "CREATED or BOUND, a connect failed",
                                           "CONNECTED",
                                           "CONNECTED, read shut",
                                           "CONNECTED, write shut",
                                           "CONNECTED, both shut",
                                           "CONNECTED, peer closed",
                                           "CONNECTED, write shut, peer closed",
                                           "DISCONNECTED"};
constexpr const char* kCallNames[] = {"bind",           "connect",       "disconnect", "listen",     "accept",
                                      "send",           "send to",       "receive",    "peek",       "shutdown read",
                                      "shutdown write", "shutdown both", "attach",     "getsockopt", "setsockopt",
                                      "await",          "close"};
constexpr const char* kOperations[] = {"bind",   "connect",    "connect",    "listen",   "accept",   "send",
                                       "send",   "receive",    "receive",    "shutdown", "shutdown", "shutdown",
                                       "attach", "getsockopt", "setsockopt", "await",    "close"};
static_assert(std::size(kCallNames) == kCalls && std::size(kOperations) == kCalls);
// The heads of kText, for the calls up to kAttach.
constexpr std::string_view kHeads[] = {"bind",    "connect", "discon",  "listen",   "accept",  "send",  "sendto",
                                       "receive", "peek",    "sh.read", "sh.write", "sh.both", "attach"};
static_assert(std::size(kHeads) == static_cast<size_t>(Call::kAttach) + 1);

// Takes the first word off `text`.
std::string_view NextWord(std::string_view& text) {
  const size_t begin = std::min(text.find_first_not_of(" \n"), text.size());
  const size_t end = std::min(text.find_first_of(" \n", begin), text.size());
  const std::string_view word = text.substr(begin, end - begin);
  text.remove_prefix(end);
  return word;
}

State StateOf(char letter) {
  constexpr std::pair<char, State> kLetters[] = {{'C', State::kCreated},   {'B', State::kBound},
                                                 {'L', State::kListening}, {'G', State::kConnecting},
                                                 {'N', State::kConnected}, {'D', State::kDisconnected}};
  const auto* found = std::ranges::find(kLetters, letter, &std::pair<char, State>::first);
  assert(found != std::end(kLetters));
  return found->second;
}

Outcome OutcomeOf(std::string_view code) {
  using enum Outcome::Verdict;
  if (code == "!WS") return {.verdict = kForbidden, .word = "WRONG_STATE"};
  Outcome outcome{.verdict = kFails};
  if (code[0] == '!' || code[0] == '-') {
    outcome.verdict = code[0] == '!' ? kForbidden : kUnknown;
    code.remove_prefix(1);
  }
  if (const size_t arrow = code.find('>'); arrow != code.npos) {
    outcome.next = StateOf(code[arrow + 1]);
    code = code.substr(0, arrow);
  }
  outcome.word = code;
  if (code == "ok") return outcome.verdict = kOk, outcome;
  if (code == "eof") return outcome.verdict = kEnd, outcome;
  const auto row = std::ranges::find_if(ErrnoTable(), [code](const ErrnoRow& each) { return each.name == code; });
  assert(row != ErrnoTable().end());
  outcome.number = row->number;
  if (row->number == EAGAIN || row->number == EINPROGRESS || row->number == EALREADY) outcome.verdict = kWait;
  return outcome;
}

Cell CellOf(std::string_view code) {
  const size_t slash = code.find('/');
  const Outcome first = OutcomeOf(code.substr(0, slash));
  if (slash == code.npos) return {.unnamed = first, .named = first};
  const std::string_view rest = code.substr(slash + 1);
  Cell cell{.unnamed = first, .named = first};
  if (rest.size() == 1) {
    cell.named.next = StateOf(rest[0]);
  } else {
    cell.named = OutcomeOf(rest);
  }
  return cell;
}

std::vector<Row> Parse(std::string_view text) {
  std::vector<Row> rows;
  KindClass kind{};
  std::vector<Call> columns;
  for (std::string_view word = NextWord(text); !word.empty(); word = NextWord(text)) {
    if (const auto* name = std::ranges::find(kKindNames, word); name != std::end(kKindNames)) {
      kind = static_cast<KindClass>(name - kKindNames);
      columns.clear();
    } else if (const auto* head = std::ranges::find(kHeads, word); head != std::end(kHeads)) {
      columns.push_back(static_cast<Call>(head - kHeads));
    } else {
      const auto* situation = std::ranges::find(kRowWords, word);
      assert(situation != std::end(kRowWords));
      Row row{.kind = kind, .situation = static_cast<Situation>(situation - kRowWords), .cells = {}};
      for (const Call call : columns) row.cells[static_cast<int>(call)] = CellOf(NextWord(text));
      row.cells[static_cast<int>(Call::kPeek)] = row.of(Call::kReceive);
      for (int call = static_cast<int>(Call::kGetOptions); call < kCalls; ++call) row.cells[call] = CellOf("ok");
      rows.push_back(row);
    }
  }
  return rows;
}

const Outcome& Of(const Cell& cell, bool named) { return named ? cell.named : cell.unnamed; }

}  // namespace

std::span<const Row> StateTable() {
  static const std::vector<Row>& rows = *new std::vector<Row>(Parse(kText));
  return rows;
}

const Row* FindRow(KindClass kind, Situation situation) {
  const auto table = StateTable();
  const auto row =
      std::ranges::find_if(table, [=](const Row& each) { return each.kind == kind && each.situation == situation; });
  return row == table.end() ? nullptr : &*row;
}

KindClass ClassOf(const SocketKind& kind) {
  if (kind.IsInet()) return kind.IsStream() ? KindClass::kTcp : KindClass::kUdp;
  if (kind.IsStream()) return KindClass::kUnix;
  return kind.IsConnectionOriented() ? KindClass::kUnixSeqpacket : KindClass::kUnixDgram;
}

const char* NameOf(KindClass kind) { return kKindNames[static_cast<int>(kind)].data(); }
const char* NameOf(Situation situation) { return kSituationNames[static_cast<int>(situation)]; }
const char* NameOf(Call call) { return kCallNames[static_cast<int>(call)]; }
const char* OperationName(Call call) { return kOperations[static_cast<int>(call)]; }

Situation SituationOf(const SocketInfo& info) {
  switch (info.state) {
    case State::kBound:
      return Situation::kBound;
    case State::kListening:
      return Situation::kListening;
    case State::kConnecting:
      return Situation::kConnecting;
    case State::kConnected:
      if (info.read_shutdown) return info.write_shutdown ? Situation::kBothShut : Situation::kReadShut;
      return info.write_shutdown ? Situation::kWriteShut : Situation::kConnected;
    case State::kDisconnected:
      return Situation::kDisconnected;
    default:
      return Situation::kCreated;
  }
}

bool StateForbids(KindClass kind, Situation situation, Call call, bool named, int number) {
  const Row* row = FindRow(kind, situation);
  if (row == nullptr) return false;
  const Outcome& stated = Of(row->of(call), named);
  if (stated.verdict != Outcome::Verdict::kForbidden) return false;
  return stated.number == number || ErrnoCode(number) != base::Code::kAborted;
}

}  // namespace socketeer::net
