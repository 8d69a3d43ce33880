// gRPC and nothing else, in its strongest form: the callback API, and bytes instead of messages.
//
//   bare UNIX_PATH
//
// Serves there and on a free port of 127.0.0.1, and prints both. SendData, ReceiveData, OpenSocket and CloseSocket of
// SocketService answer with as many bytes as the first four of the request say; AttachSocket is bare_stream.h's.
#include <grpcpp/grpcpp.h>
#include <signal.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "proto/wire/http2.h"
#include "socketeer/v1/socket_service.grpc.pb.h"
#include "tests/bench/bare_stream.h"

namespace socketeer::bench {
namespace {

grpc::ServerUnaryReactor* Answer(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                 grpc::ByteBuffer* response) {
  static const std::string zeros(1 << 20, '\0');
  grpc::Slice first;
  uint32_t length = 0;
  if (request->TrySingleSlice(&first).ok() && first.size() >= sizeof(length)) {
    std::memcpy(&length, first.begin(), sizeof(length));
  }
  const grpc::Slice slice(zeros.data(), std::min<size_t>(length, zeros.size()), grpc::Slice::STATIC_SLICE);
  *response = grpc::ByteBuffer(&slice, 1);
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

using Plain = v1::SocketService::Service;
using WithSend = v1::SocketService::WithRawCallbackMethod_SendData<Plain>;
using WithReceive = v1::SocketService::WithRawCallbackMethod_ReceiveData<WithSend>;
using WithOpen = v1::SocketService::WithRawCallbackMethod_OpenSocket<WithReceive>;
using WithClose = v1::SocketService::WithRawCallbackMethod_CloseSocket<WithOpen>;
using WithAttach = v1::SocketService::WithRawCallbackMethod_AttachSocket<WithClose>;

class Service final : public WithAttach {
 public:
  using Context = grpc::CallbackServerContext;
  using Bytes = grpc::ByteBuffer;
  using Reactor = grpc::ServerUnaryReactor;
  Reactor* SendData(Context* context, const Bytes* request, Bytes* response) override {
    return Answer(context, request, response);
  }
  Reactor* ReceiveData(Context* context, const Bytes* request, Bytes* response) override {
    return Answer(context, request, response);
  }
  Reactor* OpenSocket(Context* context, const Bytes* request, Bytes* response) override {
    return Answer(context, request, response);
  }
  Reactor* CloseSocket(Context* context, const Bytes* request, Bytes* response) override {
    return Answer(context, request, response);
  }
  grpc::ServerBidiReactor<Bytes, Bytes>* AttachSocket(Context*) override { return new BareStream; }
};

int Main(const std::string& path) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  Service service;
  grpc::ServerBuilder builder;
  builder.RegisterService(&service);
  int port = 0;
  builder.AddListeningPort("unix:" + path, grpc::InsecureServerCredentials());
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.SetMaxReceiveMessageSize(12 << 20);  // this and the next four as in server/rpc/server.cc
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 1'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, wire::kStreamLookaheadBytes);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  const auto server = builder.BuildAndStart();
  if (!server) return 1;
  std::printf("listening on unix:%s\nlistening on 127.0.0.1:%d\n", path.c_str(), port);
  std::fflush(stdout);
  int number = 0;
  sigwait(&signals, &number);
  _exit(0);
}

}  // namespace
}  // namespace socketeer::bench

int main(int argc, char** argv) {
  if (argc != 2) return std::fputs("usage: bare UNIX_PATH\n", stderr), 1;
  return socketeer::bench::Main(argv[1]);
}
