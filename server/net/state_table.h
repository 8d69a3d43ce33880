// Every state x every call: one stated result (docs/states.md is made from it, tests/net/state_table_test.cc proves
// it).
//
// The kernel judges where it refuses without a trace; the table says how it does. Where it would refuse and yet change
// something, the daemon refuses by itself (WRONG_STATE). A call that the state forbids is FAILED_PRECONDITION, whatever
// the errno.
#pragma once

#include <span>
#include <string_view>

#include "server/net/socket_info.h"

namespace socketeer::net {

// Where a socket stands, as far as the results of calls depend on it: the state, what is shut down, what the peer did.
enum class Situation {
  kCreated,
  kBound,
  kListening,
  kConnecting,
  kFailed,  // CREATED or BOUND: a connect failed, and no call has told it yet
  kConnected,
  kReadShut,    // CONNECTED, like the next ones
  kWriteShut,   //
  kBothShut,    //
  kPeerClosed,  // the peer is gone; what it sent has been read
  kFinished,    // the peer is gone, and the write side is shut down
  kDisconnected,
};

enum class KindClass { kTcp, kUdp, kUnix, kUnixDgram, kUnixSeqpacket };

enum class Call {
  kBind,
  kConnect,
  kDisconnect,
  kListen,
  kAccept,
  kSend,    // to the peer
  kSendTo,  // to an address
  kReceive,
  kPeek,
  kShutdownRead,
  kShutdownWrite,
  kShutdownBoth,
  kAttach,
  // These are "ok" in every situation. (GetSocket, ListSockets and UpdateSocket do not come to the socket at all.)
  kGetOptions,
  kSetOptions,
  kAwait,
  kClose,
};
inline constexpr int kCalls = static_cast<int>(Call::kClose) + 1;

// What a call in mode EXACT comes to, with a peer that does nothing.
struct Outcome {
  enum class Verdict {
    kMissing,    // the kind has no such call
    kOk,         // done; `next` says where that leads
    kEnd,        // end of stream
    kWait,       // EAGAIN, EINPROGRESS, EALREADY: other modes would wait
    kFails,      // allowed, but it fails: news of the connection, told by `word`
    kForbidden,  // the state forbids it: FAILED_PRECONDITION, nothing changes
    kUnknown,    // the kind does not know it in any state: UNIMPLEMENTED, nothing changes
  };
  Verdict verdict = Verdict::kMissing;
  std::string_view word = {};        // "ok", "eof", the errno's name, or "WRONG_STATE"; empty: kMissing
  int number = 0;                    // errno; 0: none
  State next = State::kUnspecified;  // kUnspecified: the state stays

  friend bool operator==(const Outcome&, const Outcome&) = default;
};

// `named`: of a socket that bind(2) gave a name: a UNIX name, or a port that was asked for. A port that the kernel
// chose is as none.
struct Cell {
  Outcome unnamed;
  Outcome named;
};

struct Row {
  KindClass kind;
  Situation situation;
  Cell cells[kCalls];

  const Cell& of(Call call) const { return cells[static_cast<int>(call)]; }
};

// By kind, then by situation. Made at its first use.
std::span<const Row> StateTable();
// Null when a socket of the kind cannot come into the situation.
const Row* FindRow(KindClass kind, Situation situation);

KindClass ClassOf(const SocketKind& kind);
const char* NameOf(KindClass kind);             // "unix-dgram"
const char* NameOf(Situation situation);        // "CONNECTED, write shut"
const char* NameOf(Call call);                  // "disconnect"
const char* OperationName(Call call);           // of SocketError.operation: "connect" for kDisconnect
Situation SituationOf(const SocketInfo& info);  // without what only the kernel knows: kFailed, kPeerClosed, kFinished

// Is the failure `number` the state's doing? A pending error of the connection (ECONNRESET, EPIPE, ECONNABORTED) that
// is told by a forbidden call is not.
bool StateForbids(KindClass kind, Situation situation, Call call, bool named, int number);

}  // namespace socketeer::net
