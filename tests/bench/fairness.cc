// Does one socket at full speed starve another on the same loop?
//
//   fairness ENDPOINT OTHER [ROUNDS [CALLS]]
//
// Two daemons, of one loop each. The p99 of a small call (SendDatagrams of 64 bytes) to the first: alone; beside a TCP
// socket of the same loop that is flooded by a local sender and drained by ReceiveData calls of 1 MiB; and beside the
// same flood in the other daemon, which tells what of it is the machine's, whose cores the flood keeps busy. Rounds are
// interleaved; medians are compared. Prints lines for people and one of JSON. Goal: at most 3 times.
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

// What the rounds of one situation gave.
struct Rounds {
  std::vector<double> p50, p99, rates;

  void Add(const std::vector<double>& times) {
    p50.push_back(times[times.size() / 2]);
    p99.push_back(times[times.size() * 99 / 100]);
  }
  void AddBeside(Stub& stub, const v1::SendDatagramsRequest& request, int calls, const std::string& flooded) {
    Flood flood(flooded);
    const auto start = Clock::now();
    Add(Measure(stub, request, calls));
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    rates.push_back(static_cast<double>(flood.received()) / seconds / 1e6);
  }
  std::string Json() const {
    char text[128];
    std::snprintf(text, sizeof(text), "{\"p50_us\":%.1f,\"p99_us\":%.1f,\"flood_mb_s\":%.0f}", Median(p50), Median(p99),
                  rates.empty() ? 0 : Median(rates));
    return text;
  }
};

void Print(const char* where, const Rounds& alone, const Rounds& beside, const char* goal) {
  std::printf("fairness: beside a flood of %.0f MB/s %s: p99 %.0f -> %.0f us, %.2f x%s; p50 %.0f -> %.0f us\n",
              Median(beside.rates), where, Median(alone.p99), Median(beside.p99),
              Median(beside.p99) / Median(alone.p99), goal, Median(alone.p50), Median(beside.p50));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return std::fputs("usage: fairness ENDPOINT OTHER [ROUNDS [CALLS]]\n", stderr), 1;
  const std::string endpoint = argv[1];
  const std::string other = argv[2];
  const int rounds = argc > 3 ? std::atoi(argv[3]) : 5;
  const int calls = argc > 4 ? std::atoi(argv[4]) : 4000;

  const auto stub = Connect(endpoint);
  const v1::Socket sink = Open(*stub, Loopback(v1::SOCKET_TYPE_DGRAM));
  const v1::Socket quiet = Open(*stub, Loopback(v1::SOCKET_TYPE_DGRAM));
  v1::SendDatagramsRequest request;
  request.set_name(quiet.name());
  request.add_datagrams()->set_payload(std::string(64, 'x'));
  *request.mutable_datagrams(0)->mutable_destination() = sink.local();
  Measure(*stub, request, calls / 4);  // warms up

  Rounds alone, same, elsewhere;
  for (int round = 0; round < rounds; ++round) {
    alone.Add(Measure(*stub, request, calls));
    same.AddBeside(*stub, request, calls, endpoint);
    elsewhere.AddBeside(*stub, request, calls, other);
  }
  Close(*stub, quiet.name());
  Close(*stub, sink.name());

  Print("on the same loop", alone, same, " (goal <= 3 x)");
  Print("in another daemon", alone, elsewhere, "");
  std::printf("{\"bench\":\"fairness\",\"rounds\":%d,\"calls\":%d,\"alone\":%s,\"same_loop\":%s,\"other_daemon\":%s}\n",
              rounds, calls, alone.Json().c_str(), same.Json().c_str(), elsewhere.Json().c_str());
  return 0;
}
