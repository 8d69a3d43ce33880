#include "client/scenario/verb.h"

#include <algorithm>
#include <string>

#include "socketeer/v1/coordination_service.pb.h"
#include "socketeer/v1/host_service.pb.h"
#include "socketeer/v1/session_service.pb.h"
#include "socketeer/v1/socket_service.pb.h"

namespace socketeer::scenario {

const std::vector<Verb>& Verbs() {
  static const std::vector<Verb> kVerbs = {
      {"open", "SocketService/OpenSocket"},
      {"bind", "SocketService/BindSocket"},
      {"connect", "SocketService/ConnectSocket"},
      {"listen", "SocketService/ListenSocket"},
      {"accept", "SocketService/AcceptSocket"},
      {"send", "SocketService/SendData", "SocketService/SendDatagrams"},
      {"recv", "SocketService/ReceiveData", "SocketService/ReceiveDatagrams"},
      {"shutdown", "SocketService/ShutdownSocket"},
      {"close", "SocketService/CloseSocket"},
      {"get-options", "SocketService/GetSocketOptions"},
      {"set-options", "SocketService/SetSocketOptions"},
      {"wait", "SocketService/AwaitSockets"},
      {"inspect", "SocketService/GetSocket"},
      {"ls", "SocketService/ListSockets"},
      {"label", "SocketService/UpdateSocket"},
      {"share", "SocketService/ShareSocket"},
      {"unshare", "SocketService/UnshareSocket"},
      {"transfer", "SocketService/TransferSocket"},
      {"host", "HostService/GetHost"},
      {"whoami", "HostService/GetCaller"},
      {"quota", "HostService/GetQuota"},
      {"barrier", "CoordinationService/AwaitBarrier"},
      {"publish", "CoordinationService/PublishValue"},
      {"wait-value", "CoordinationService/AwaitValue"},
      {"withdraw", "CoordinationService/WithdrawValue"},
      {"values", "CoordinationService/ListValues"},
      {"call", ""},
  };
  return kVerbs;
}

const Verb* FindVerb(std::string_view word) {
  const std::vector<Verb>& verbs = Verbs();
  const auto found = std::find_if(verbs.begin(), verbs.end(), [word](const Verb& verb) { return verb.word == word; });
  return found == verbs.end() ? nullptr : &*found;
}

const google::protobuf::MethodDescriptor* FindMethod(std::string_view method) {
  const size_t slash = method.find('/');
  if (slash == method.npos) return nullptr;
  static const google::protobuf::FileDescriptor* const kFiles[] = {
      v1::AwaitBarrierRequest::descriptor()->file(),
      v1::GetHostRequest::descriptor()->file(),
      v1::GetSessionRequest::descriptor()->file(),
      v1::GetSocketRequest::descriptor()->file(),
  };
  for (const auto* const file : kFiles) {
    const auto* const service = file->FindServiceByName(std::string(method.substr(0, slash)));
    const auto* const found =
        service == nullptr ? nullptr : service->FindMethodByName(std::string(method.substr(slash + 1)));
    if (found != nullptr && !found->client_streaming() && !found->server_streaming()) return found;
  }
  return nullptr;
}

}  // namespace socketeer::scenario
