// One method of a gRPC server, called as generated stubs call it. Request and response are messages or, for the bare
// peer, grpc::ByteBuffer: both sides of a comparison run the same code, but for what Protobuf does.
#pragma once

#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/async_unary_call.h>
#include <grpcpp/impl/codegen/client_unary_call.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/impl/codegen/rpc_method.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "tests/bench/tls.h"

namespace socketeer::bench {

inline void Check(const grpc::Status& status, const char* what) {
  if (status.ok()) return;
  std::fprintf(stderr, "bench: %s: %s\n", what, status.error_message().c_str());
  std::exit(1);
}

// A connection of its own; over TCP with the environment's TLS.
inline std::shared_ptr<grpc::Channel> Connect(const std::string& target) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  const Credentials tls = CredentialsFor(target);
  return grpc::CreateCustomChannel(
      target, tls.ca.empty() ? grpc::InsecureChannelCredentials() : grpc::SslCredentials({tls.ca, tls.key, tls.cert}),
      arguments);
}

template <typename Request, typename Response>
class Method {
 public:
  // `name`: "SendData". It must live as long as this.
  Method(std::shared_ptr<grpc::Channel> channel, const char* name)
      : channel_(std::move(channel)),
        name_(name),
        path_(std::string("/socketeer.v1.SocketService/") + name),
        method_(path_.c_str(), grpc::internal::RpcMethod::NORMAL_RPC, channel_) {}
  Method(const Method&) = delete;
  Method& operator=(const Method&) = delete;

  // The fastest way for one caller with one call: its own thread polls.
  Response operator()(const Request& request) const {
    grpc::ClientContext context;
    Response response;
    Check(grpc::internal::BlockingUnaryCall(channel_.get(), method_, &context, request, &response), name_);
    return response;
  }

  // A call under way, until it is waited for.
  class Pending {
   public:
    Response Wait() {
      void* tag = nullptr;
      bool ok = false;
      queue_.Next(&tag, &ok);
      Check(status_, name_);
      return std::move(response_);
    }
    ~Pending() { queue_.Shutdown(); }

   private:
    friend class Method;
    Pending(const Method& method, const Request& request) : name_(method.name_) {
      reader_.reset(grpc::internal::ClientAsyncResponseReaderHelper::Create<Response>(
          method.channel_.get(), &queue_, method.method_, &context_, request));
      reader_->StartCall();
      reader_->Finish(&response_, &status_, this);
    }
    const char* const name_;
    grpc::CompletionQueue queue_;
    grpc::ClientContext context_;
    Response response_;
    grpc::Status status_;
    std::unique_ptr<grpc::ClientAsyncResponseReader<Response>> reader_;
  };
  Pending Start(const Request& request) const { return Pending(*this, request); }

 private:
  const std::shared_ptr<grpc::Channel> channel_;
  const char* const name_;
  const std::string path_;
  const grpc::internal::RpcMethod method_;
};

}  // namespace socketeer::bench
