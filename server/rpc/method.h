// The methods of the API, as a closed set: to count calls by them, and to say in errors what was being done.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace socketeer::rpc {

enum class Method : uint8_t {
  kOpenSocket,
  kBindSocket,
  kConnectSocket,
  kListenSocket,
  kAcceptSocket,
  kSendData,
  kReceiveData,
  kSendDatagrams,
  kReceiveDatagrams,
  kShutdownSocket,
  kCloseSocket,
  kGetSocketOptions,
  kSetSocketOptions,
  kAwaitSockets,
  kGetSocket,
  kListSockets,
  kUpdateSocket,
  kTransferSocket,
  kShareSocket,
  kUnshareSocket,
  kWatchSockets,
  kAttachSocket,
  kCreateSession,
  kHoldSession,
  kEndSession,
  kGetSession,
  kListSessions,
  kGetHost,
  kGetCaller,
  kGetQuota,
  kAwaitBarrier,
  kPublishValue,
  kWithdrawValue,
  kGetValue,
  kAwaitValue,
  kListValues,
};
inline constexpr size_t kMethods = 36;

struct MethodRow {
  const char* name;  // in its service
  const char* verb;  // SocketError.operation of errors that do not say their own
  bool is_stream;
};

// In the order of Method.
inline constexpr std::array<MethodRow, kMethods> kMethodRows = {{
    {"OpenSocket", "open", false},
    {"BindSocket", "bind", false},
    {"ConnectSocket", "connect", false},
    {"ListenSocket", "listen", false},
    {"AcceptSocket", "accept", false},
    {"SendData", "send", false},
    {"ReceiveData", "receive", false},
    {"SendDatagrams", "send", false},
    {"ReceiveDatagrams", "receive", false},
    {"ShutdownSocket", "shutdown", false},
    {"CloseSocket", "close", false},
    {"GetSocketOptions", "getsockopt", false},
    {"SetSocketOptions", "setsockopt", false},
    {"AwaitSockets", "await", false},
    {"GetSocket", "get", false},
    {"ListSockets", "list", false},
    {"UpdateSocket", "update", false},
    {"TransferSocket", "transfer", false},
    {"ShareSocket", "share", false},
    {"UnshareSocket", "unshare", false},
    {"WatchSockets", "watch", true},
    {"AttachSocket", "attach", true},
    {"CreateSession", "create", false},
    {"HoldSession", "hold", true},
    {"EndSession", "end", false},
    {"GetSession", "get", false},
    {"ListSessions", "list", false},
    {"GetHost", "get", false},
    {"GetCaller", "whoami", false},
    {"GetQuota", "quota", false},
    {"AwaitBarrier", "barrier", false},
    {"PublishValue", "publish", false},
    {"WithdrawValue", "withdraw", false},
    {"GetValue", "get", false},
    {"AwaitValue", "await", false},
    {"ListValues", "list", false},
}};

constexpr const MethodRow& RowOf(Method method) { return kMethodRows[static_cast<size_t>(method)]; }

}  // namespace socketeer::rpc
