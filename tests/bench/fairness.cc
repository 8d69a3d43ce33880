// Does one socket at full speed starve another on the same loop?
//
//   fairness ENDPOINT [ROUNDS [CALLS]]
//
// ENDPOINT is a daemon with one loop. The p99 of a small call (SendDatagrams of 64 bytes) alone, and beside a TCP
// socket of the same loop that is flooded by a local sender and drained by ReceiveData calls of 1 MiB. Rounds are
// interleaved; medians are compared. Prints a line for people and one of JSON. Goal: at most 3 times.
#include <arpa/inet.h>
#include <grpcpp/grpcpp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "socketeer/v1/socket_service.grpc.pb.h"

namespace {

namespace v1 = socketeer::v1;
using Stub = v1::SocketService::Stub;
using Clock = std::chrono::steady_clock;

void Check(const grpc::Status& status, const char* what) {
  if (status.ok()) return;
  std::fprintf(stderr, "fairness: %s: %s\n", what, status.error_message().c_str());
  std::exit(1);
}

std::unique_ptr<Stub> Connect(const std::string& endpoint) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // a connection of its own
  return v1::SocketService::NewStub(grpc::CreateCustomChannel(endpoint, grpc::InsecureChannelCredentials(), arguments));
}

v1::Socket Open(Stub& stub, v1::OpenSocketRequest request) {
  grpc::ClientContext context;
  v1::OpenSocketResponse response;
  Check(stub.OpenSocket(&context, request, &response), "OpenSocket");
  return response.socket();
}

v1::OpenSocketRequest Loopback(v1::SocketType type) {
  v1::OpenSocketRequest request;
  request.set_family(v1::FAMILY_INET);
  request.set_type(type);
  request.mutable_bind()->mutable_inet()->set_ip("127.0.0.1");
  return request;
}

void Close(Stub& stub, const std::string& name) {
  grpc::ClientContext context;
  v1::CloseSocketRequest request;
  v1::CloseSocketResponse response;
  request.set_name(name);
  Check(stub.CloseSocket(&context, request, &response), "CloseSocket");
}

// A socket of the daemon that a local sender floods and a client drains, until destroyed.
class Flood {
 public:
  explicit Flood(const std::string& endpoint) : stub_(Connect(endpoint)) {
    auto request = Loopback(v1::SOCKET_TYPE_STREAM);
    request.mutable_listen();
    const v1::Socket listener = Open(*stub_, request);
    sender_fd_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(listener.local().inet().port()));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(sender_fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) < 0) {
      std::perror("fairness: connect");
      std::exit(1);
    }
    grpc::ClientContext context;
    v1::AcceptSocketRequest accept;
    v1::AcceptSocketResponse accepted;
    accept.set_name(listener.name());
    Check(stub_->AcceptSocket(&context, accept, &accepted), "AcceptSocket");
    socket_ = accepted.socket().name();
    Close(*stub_, listener.name());
    sender_ = std::thread([this] { Send(); });
    drainer_ = std::thread([this] { Drain(); });
  }

  ~Flood() {
    stop_ = true;
    shutdown(sender_fd_, SHUT_RDWR);
    sender_.join();
    drainer_.join();
    close(sender_fd_);
    Close(*stub_, socket_);
  }

  uint64_t received() const { return received_; }

 private:
  void Send() {
    const std::vector<char> block(256 << 10);
    while (send(sender_fd_, block.data(), block.size(), MSG_NOSIGNAL) > 0) {
    }
  }

  void Drain() {
    v1::ReceiveDataRequest request;
    request.set_name(socket_);
    request.set_max_bytes(1 << 20);
    while (!stop_) {
      grpc::ClientContext context;
      v1::ReceiveDataResponse response;
      if (!stub_->ReceiveData(&context, request, &response).ok() || response.end_of_stream()) return;
      received_ += response.data().size();
    }
  }

  std::unique_ptr<Stub> stub_;
  std::string socket_;
  int sender_fd_ = -1;
  std::atomic<bool> stop_{false};
  std::atomic<uint64_t> received_{0};
  std::thread sender_;
  std::thread drainer_;
};

// Microseconds of `calls` calls, sorted.
std::vector<double> Measure(Stub& stub, const v1::SendDatagramsRequest& request, int calls) {
  std::vector<double> times;
  for (int i = 0; i < calls; ++i) {
    grpc::ClientContext context;
    v1::SendDatagramsResponse response;
    const auto start = Clock::now();
    Check(stub.SendDatagrams(&context, request, &response), "SendDatagrams");
    times.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count());
  }
  std::ranges::sort(times);
  return times;
}

double Median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return std::fputs("usage: fairness ENDPOINT [ROUNDS [CALLS]]\n", stderr), 1;
  const std::string endpoint = argv[1];
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 5;
  const int calls = argc > 3 ? std::atoi(argv[3]) : 4000;

  const auto stub = Connect(endpoint);
  const v1::Socket sink = Open(*stub, Loopback(v1::SOCKET_TYPE_DGRAM));
  const v1::Socket quiet = Open(*stub, Loopback(v1::SOCKET_TYPE_DGRAM));
  v1::SendDatagramsRequest request;
  request.set_name(quiet.name());
  request.add_datagrams()->set_payload(std::string(64, 'x'));
  *request.mutable_datagrams(0)->mutable_destination() = sink.local();
  Measure(*stub, request, calls / 4);  // warms up

  std::vector<double> alone_p50, alone_p99, beside_p50, beside_p99, rates;
  for (int round = 0; round < rounds; ++round) {
    const auto alone = Measure(*stub, request, calls);
    alone_p50.push_back(alone[alone.size() / 2]);
    alone_p99.push_back(alone[alone.size() * 99 / 100]);
    Flood flood(endpoint);
    const auto start = Clock::now();
    const auto beside = Measure(*stub, request, calls);
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    rates.push_back(static_cast<double>(flood.received()) / seconds / 1e6);
    beside_p50.push_back(beside[beside.size() / 2]);
    beside_p99.push_back(beside[beside.size() * 99 / 100]);
  }
  Close(*stub, quiet.name());
  Close(*stub, sink.name());

  const double ratio = Median(beside_p99) / Median(alone_p99);
  std::printf(
      "fairness: p99 alone %.0f us, beside a flood of %.0f MB/s on the same loop %.0f us: %.2f x (goal <= 3 x); "
      "p50 %.0f -> %.0f us\n",
      Median(alone_p99), Median(rates), Median(beside_p99), ratio, Median(alone_p50), Median(beside_p50));
  std::printf(
      "{\"bench\":\"fairness\",\"rounds\":%d,\"calls\":%d,\"alone_p50_us\":%.1f,\"alone_p99_us\":%.1f,"
      "\"beside_p50_us\":%.1f,\"beside_p99_us\":%.1f,\"flood_mb_s\":%.0f,\"p99_ratio\":%.2f}\n",
      rounds, calls, Median(alone_p50), Median(alone_p99), Median(beside_p50), Median(beside_p99), Median(rates),
      ratio);
  return 0;
}
