// Mocks of the daemon's stubs: of the calls that the library makes and waits for, and none of a stub's asynchronous
// forms. (protoc's own mocks have all forms, and take a compiler a minute.)
#pragma once

#include <gmock/gmock.h>

#include "socketeer/stubs.h"

// The library makes no call in this form.
#define SOCKETEER_NO_ASYNC(Method, Request, Response)                                                                 \
  grpc::ClientAsyncResponseReaderInterface<Response>* Async##Method##Raw(grpc::ClientContext*, const Request&,        \
                                                                         grpc::CompletionQueue*) override {           \
    return nullptr;                                                                                                   \
  }                                                                                                                   \
  grpc::ClientAsyncResponseReaderInterface<Response>* PrepareAsync##Method##Raw(grpc::ClientContext*, const Request&, \
                                                                                grpc::CompletionQueue*) override {    \
    return nullptr;                                                                                                   \
  }
#define SOCKETEER_MOCK(Method, Request, Response)                                                   \
  MOCK_METHOD(grpc::Status, Method, (grpc::ClientContext*, const Request&, Response*), (override)); \
  SOCKETEER_NO_ASYNC(Method, Request, Response)
// A stream is a matter of reactors (fake_daemon.h), which no mock stands for.
#define SOCKETEER_NO_STREAM(Method, Request, Response)                                                        \
  grpc::ClientReaderInterface<Response>* Method##Raw(grpc::ClientContext*, const Request&) override {         \
    return nullptr;                                                                                           \
  }                                                                                                           \
  grpc::ClientAsyncReaderInterface<Response>* Async##Method##Raw(grpc::ClientContext*, const Request&,        \
                                                                 grpc::CompletionQueue*, void*) override {    \
    return nullptr;                                                                                           \
  }                                                                                                           \
  grpc::ClientAsyncReaderInterface<Response>* PrepareAsync##Method##Raw(grpc::ClientContext*, const Request&, \
                                                                        grpc::CompletionQueue*) override {    \
    return nullptr;                                                                                           \
  }
#define SOCKETEER_NO_BIDI(Method, Request, Response)                                                                   \
  grpc::ClientReaderWriterInterface<Request, Response>* Method##Raw(grpc::ClientContext*) override { return nullptr; } \
  grpc::ClientAsyncReaderWriterInterface<Request, Response>* Async##Method##Raw(                                       \
      grpc::ClientContext*, grpc::CompletionQueue*, void*) override {                                                  \
    return nullptr;                                                                                                    \
  }                                                                                                                    \
  grpc::ClientAsyncReaderWriterInterface<Request, Response>* PrepareAsync##Method##Raw(                                \
      grpc::ClientContext*, grpc::CompletionQueue*) override {                                                         \
    return nullptr;                                                                                                    \
  }

namespace socketeer::v1 {

class MockSocketServiceStub : public SocketService::StubInterface {
 public:
  SOCKETEER_MOCK(OpenSocket, OpenSocketRequest, OpenSocketResponse)
  SOCKETEER_MOCK(BindSocket, BindSocketRequest, Socket)
  SOCKETEER_MOCK(ConnectSocket, ConnectSocketRequest, ConnectSocketResponse)
  SOCKETEER_MOCK(ListenSocket, ListenSocketRequest, Socket)
  SOCKETEER_MOCK(AcceptSocket, AcceptSocketRequest, AcceptSocketResponse)
  SOCKETEER_MOCK(SendData, SendDataRequest, SendDataResponse)
  SOCKETEER_MOCK(ReceiveData, ReceiveDataRequest, ReceiveDataResponse)
  SOCKETEER_MOCK(SendDatagrams, SendDatagramsRequest, SendDatagramsResponse)
  SOCKETEER_MOCK(ReceiveDatagrams, ReceiveDatagramsRequest, ReceiveDatagramsResponse)
  SOCKETEER_MOCK(ShutdownSocket, ShutdownSocketRequest, ShutdownSocketResponse)
  SOCKETEER_MOCK(CloseSocket, CloseSocketRequest, CloseSocketResponse)
  SOCKETEER_MOCK(GetSocketOptions, GetSocketOptionsRequest, SocketOptions)
  SOCKETEER_MOCK(SetSocketOptions, SetSocketOptionsRequest, SocketOptions)
  SOCKETEER_MOCK(AwaitSockets, AwaitSocketsRequest, AwaitSocketsResponse)
  SOCKETEER_MOCK(GetSocket, GetSocketRequest, Socket)
  SOCKETEER_MOCK(ListSockets, ListSocketsRequest, ListSocketsResponse)
  SOCKETEER_MOCK(UpdateSocket, UpdateSocketRequest, Socket)
  SOCKETEER_MOCK(TransferSocket, TransferSocketRequest, Socket)
  SOCKETEER_MOCK(ShareSocket, ShareSocketRequest, Socket)
  SOCKETEER_MOCK(UnshareSocket, UnshareSocketRequest, Socket)
  SOCKETEER_NO_STREAM(WatchSockets, WatchSocketsRequest, WatchSocketsResponse)
  SOCKETEER_NO_BIDI(AttachSocket, AttachSocketRequest, AttachSocketResponse)
};

class MockSessionServiceStub : public SessionService::StubInterface {
 public:
  SOCKETEER_MOCK(CreateSession, CreateSessionRequest, Session)
  SOCKETEER_NO_STREAM(HoldSession, HoldSessionRequest, HoldSessionResponse)
  SOCKETEER_MOCK(EndSession, EndSessionRequest, EndSessionResponse)
  SOCKETEER_MOCK(GetSession, GetSessionRequest, Session)
  SOCKETEER_MOCK(ListSessions, ListSessionsRequest, ListSessionsResponse)
};

class MockHostServiceStub : public HostService::StubInterface {
 public:
  SOCKETEER_MOCK(GetHost, GetHostRequest, Host)
  SOCKETEER_MOCK(GetCaller, GetCallerRequest, Caller)
  SOCKETEER_MOCK(GetQuota, GetQuotaRequest, Quota)
};

}  // namespace socketeer::v1

namespace grpc::health::v1 {

class MockHealthStub : public Health::StubInterface {
 public:
  SOCKETEER_MOCK(Check, HealthCheckRequest, HealthCheckResponse)
  SOCKETEER_NO_STREAM(Watch, HealthCheckRequest, HealthCheckResponse)
};

}  // namespace grpc::health::v1
