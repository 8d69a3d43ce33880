// What is compared: pairs of calls to a daemon, to a bare gRPC server, and to a daemon through the client library.
//
// The bare server answers SendData, ReceiveData, OpenSocket and CloseSocket with as many bytes as the first four of the
// request say (bare.cc). Its requests and answers are as long as the daemon's.
#pragma once

#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "socketeer/host.h"
#include "socketeer/v1/socket_service.pb.h"
#include "tests/bench/method.h"

namespace socketeer::bench {

inline constexpr size_t kPayload = 64;

inline void Expect(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "bench: not so: %s\n", what);
  std::exit(1);
}

template <typename T>
T Must(absl::StatusOr<T> result) {
  if (result.ok()) return *std::move(result);
  std::fprintf(stderr, "bench: %s\n", std::string(result.status().message()).c_str());
  std::exit(1);
}

inline v1::OpenSocketRequest PlainTcp() {
  v1::OpenSocketRequest request;
  request.set_family(v1::FAMILY_INET);
  request.set_type(v1::SOCKET_TYPE_STREAM);
  return request;
}

inline v1::OpenSocketRequest ConnectedTo(int port) {
  v1::OpenSocketRequest request = PlainTcp();
  request.mutable_connect()->mutable_inet()->set_ip("127.0.0.1");
  request.mutable_connect()->mutable_inet()->set_port(static_cast<uint32_t>(port));
  return request;
}

// Sends and receives through one socket that is connected to an echo server.
class Ours {
 public:
  Ours(const std::string& target, int echo_port)
      : channel_(Connect(target)), open_(channel_, "OpenSocket"), socket_(open_(ConnectedTo(echo_port)).socket()) {
    send_request_.set_name(socket_.name());
    send_request_.set_data(std::string(kPayload, 'x'));
    receive_request_.set_name(socket_.name());
  }

  void SendReceive() const {
    send_(send_request_);
    Expect(receive_(receive_request_).data().size() == kPayload, "the echo comes in one piece");
  }
  void ReceiveFirst() const {
    auto received = receive_.Start(receive_request_);
    send_(send_request_);
    Expect(received.Wait().data().size() == kPayload, "the echo comes in one piece");
  }
  void OpenClose() const {
    v1::CloseSocketRequest request;
    request.set_name(open_(PlainTcp()).socket().name());
    close_(request);
  }
  void Get() const {
    v1::GetSocketRequest request;
    request.set_name(socket_.name());
    get_(request);
  }

  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

 private:
  friend class Bare;
  const std::shared_ptr<grpc::Channel> channel_;
  const Method<v1::OpenSocketRequest, v1::OpenSocketResponse> open_;
  const Method<v1::CloseSocketRequest, v1::CloseSocketResponse> close_{channel_, "CloseSocket"};
  const Method<v1::SendDataRequest, v1::SendDataResponse> send_{channel_, "SendData"};
  const Method<v1::ReceiveDataRequest, v1::ReceiveDataResponse> receive_{channel_, "ReceiveData"};
  const Method<v1::GetSocketRequest, v1::Socket> get_{channel_, "GetSocket"};
  const v1::Socket socket_;
  v1::SendDataRequest send_request_;
  v1::ReceiveDataRequest receive_request_;
};

class Bare {
 public:
  // Takes the lengths of messages from `model`.
  Bare(const std::string& target, const Ours& model) : channel_(Connect(target)) {
    send_request_ = Like(model.send_request_, model.send_(model.send_request_));
    receive_request_ = Like(model.receive_request_, model.receive_(model.receive_request_));
    const v1::OpenSocketResponse opened = model.open_(PlainTcp());
    open_request_ = Like(PlainTcp(), opened);
    v1::CloseSocketRequest close;
    close.set_name(opened.socket().name());
    close_request_ = Like(close, model.close_(close));
  }

  void SendReceive() const {
    send_(send_request_);
    receive_(receive_request_);
  }
  void OpenClose() const {
    open_(open_request_);
    close_(close_request_);
  }

 private:
  using Raw = Method<grpc::ByteBuffer, grpc::ByteBuffer>;
  template <typename Request, typename Response>
  static grpc::ByteBuffer Like(const Request& request, const Response& response) {
    std::string bytes = request.SerializeAsString();
    const auto answer = static_cast<uint32_t>(response.ByteSizeLong());
    Expect(bytes.size() >= sizeof(answer), "a request has room for the length of its answer");
    std::memcpy(bytes.data(), &answer, sizeof(answer));
    const grpc::Slice slice(bytes);
    return grpc::ByteBuffer(&slice, 1);
  }

  const std::shared_ptr<grpc::Channel> channel_;
  const Raw send_{channel_, "SendData"}, receive_{channel_, "ReceiveData"};
  const Raw open_{channel_, "OpenSocket"}, close_{channel_, "CloseSocket"};
  grpc::ByteBuffer send_request_, receive_request_, open_request_, close_request_;
};

// As an application calls: socketeer/host.h.
class Library {
 public:
  Library(const std::string& endpoint, int echo_port)
      : host_(Must(Host::Connect(endpoint, OptionsFor(endpoint)))), socket_(Must(host_.Open(ConnectedTo(echo_port)))) {}

  void SendReceive() const {
    Must(socket_.SendAll(data_));
    Expect(Must(socket_.Receive()).data() == data_, "the echo comes in one piece");
  }
  void OpenClose() const {
    auto socket = Must(host_.Open(PlainTcp()));
    Must(socket.Close());
  }

 private:
  const Host host_;
  const RemoteSocket socket_;
  const std::string data_ = std::string(kPayload, 'x');
};

}  // namespace socketeer::bench
