// socketeer.v1.SocketService. Every handler is thin: check, find the socket, start one operation on its thread,
// translate the result.
#pragma once

#include "server/rpc/attach.h"
#include "server/rpc/call.h"
#include "socketeer/v1/socket_service.grpc.pb.h"

namespace socketeer::rpc {

class SocketService final : public v1::SocketService::CallbackService {
 public:
  using grpc::Service::GetHandler;  // for its RequestGate

  // `core` must outlive the service.
  explicit SocketService(Core& core);

  using Context = grpc::CallbackServerContext;
  using Reactor = grpc::ServerUnaryReactor;

  // lifecycle.cc
  Reactor* OpenSocket(Context*, const v1::OpenSocketRequest*, v1::OpenSocketResponse*) override;
  Reactor* BindSocket(Context*, const v1::BindSocketRequest*, v1::Socket*) override;
  Reactor* ConnectSocket(Context*, const v1::ConnectSocketRequest*, v1::ConnectSocketResponse*) override;
  Reactor* ListenSocket(Context*, const v1::ListenSocketRequest*, v1::Socket*) override;
  Reactor* AcceptSocket(Context*, const v1::AcceptSocketRequest*, v1::AcceptSocketResponse*) override;
  Reactor* ShutdownSocket(Context*, const v1::ShutdownSocketRequest*, v1::ShutdownSocketResponse*) override;
  Reactor* CloseSocket(Context*, const v1::CloseSocketRequest*, v1::CloseSocketResponse*) override;

  // data.cc
  Reactor* SendData(Context*, const v1::SendDataRequest*, v1::SendDataResponse*) override;
  Reactor* ReceiveData(Context*, const v1::ReceiveDataRequest*, v1::ReceiveDataResponse*) override;
  Reactor* SendDatagrams(Context*, const v1::SendDatagramsRequest*, v1::SendDatagramsResponse*) override;
  Reactor* ReceiveDatagrams(Context*, const v1::ReceiveDatagramsRequest*, v1::ReceiveDatagramsResponse*) override;

  // sharing.cc
  Reactor* ShareSocket(Context*, const v1::ShareSocketRequest*, v1::Socket*) override;
  Reactor* UnshareSocket(Context*, const v1::UnshareSocketRequest*, v1::Socket*) override;

  // query.cc
  Reactor* GetSocketOptions(Context*, const v1::GetSocketOptionsRequest*, v1::SocketOptions*) override;
  Reactor* SetSocketOptions(Context*, const v1::SetSocketOptionsRequest*, v1::SocketOptions*) override;
  Reactor* AwaitSockets(Context*, const v1::AwaitSocketsRequest*, v1::AwaitSocketsResponse*) override;
  Reactor* GetSocket(Context*, const v1::GetSocketRequest*, v1::Socket*) override;
  Reactor* ListSockets(Context*, const v1::ListSocketsRequest*, v1::ListSocketsResponse*) override;
  Reactor* UpdateSocket(Context*, const v1::UpdateSocketRequest*, v1::Socket*) override;
  Reactor* TransferSocket(Context*, const v1::TransferSocketRequest*, v1::Socket*) override;
  grpc::ServerWriteReactor<v1::WatchSocketsResponse>* WatchSockets(Context*, const v1::WatchSocketsRequest*) override;

 private:
  // As the caller may see it; its name alone when that has just ended.
  void Show(const Call& call, const registry::RecordPtr& record, v1::Socket* out);

  Core& core_;
};

}  // namespace socketeer::rpc
