// The operations of the contract: the columns of the table. Each is run for each kind that it applies to.
#pragma once

#include <vector>

#include "tests/contract/rig.h"

namespace socketeer::contract {

struct Operation {
  const char* name;
  bool (*applies)(const Kind&);  // false: the cell is n/a, by this rule
  void (*run)(Rig&);             // leaves no socket behind
};

// The rules.
inline bool Always(const Kind&) { return true; }
inline bool Connections(const Kind& kind) { return kind.HasConnections(); }
inline bool Streams(const Kind& kind) { return kind.IsStream(); }
inline bool Records(const Kind& kind) { return kind.HasRecords(); }
inline bool Datagrams(const Kind& kind) { return kind.IsDgram(); }
inline bool Tcp(const Kind& kind) { return kind.IsTcp(); }
// The kernel knows no disconnect for the connections of UNIX sockets.
inline bool CanDisconnect(const Kind& kind) { return kind.IsInet() || kind.IsDgram(); }

std::vector<Operation> LifecycleOperations();
std::vector<Operation> ConnectionOperations();
std::vector<Operation> DataOperations();
std::vector<Operation> RecordOperations();
std::vector<Operation> OffsetOperations();
std::vector<Operation> QueryOperations();

}  // namespace socketeer::contract
