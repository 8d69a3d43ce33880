// The client of the row datagrams (datagrams.py): how many a second arrive.
//
//   datagrams TARGET       "unix:PATH" or "HOST:PORT", of a daemon
//
// Reads commands, "NAME SIZE BATCH MILLISECONDS", and answers each with a line of JSON. The names:
//
//   local   a local socket sends to another one with sendmmsg(2), which receives with recvmmsg(2)
//   up      SendDatagrams through the daemon to that one
//   down    that sender to a socket of the daemon, and ReceiveDatagrams
//   attached.up, attached.down   the same by AttachSocket
//
// Senders do not wait for receivers: what is lost on the way is not counted.
#include "tests/bench/datagrams.h"

#include <chrono>
#include <functional>
#include <iostream>
#include <string>

#include "client/lib/channel.h"
#include "socketeer/v1/socket_service.pb.h"
#include "tests/bench/datagrams_attached.h"
#include "tests/bench/method.h"

namespace socketeer::bench {
namespace {

using Clock = std::chrono::steady_clock;

struct Load {
  size_t size = 0;
  size_t batch = 0;
  std::chrono::milliseconds time;
};

// Does `once` for that long; `count` a second.
double Rate(const Load& load, const std::function<uint64_t()>& count, const std::function<void()>& once) {
  const uint64_t before = count();
  const auto start = Clock::now();
  while (Clock::now() < start + load.time) once();
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return static_cast<double>(count() - before) / seconds;
}

double Local(const Load& load) {
  Receiver receiver(load.batch, load.size);
  const Sender sender(receiver.port(), load.batch, load.size);
  return Rate(
      load, [&] { return receiver.received(); }, [] { poll(nullptr, 0, 1); });
}

// A socket of the daemon, closed at the end.
class Remote {
 public:
  Remote(const std::shared_ptr<grpc::Channel>& channel, int connect_to)
      : open_(channel, "OpenSocket"), close_(channel, "CloseSocket") {
    v1::OpenSocketRequest request;
    request.set_family(v1::FAMILY_INET);
    request.set_type(v1::SOCKET_TYPE_DGRAM);
    auto* const address = (connect_to ? request.mutable_connect() : request.mutable_bind())->mutable_inet();
    address->set_ip("127.0.0.1");
    address->set_port(static_cast<uint32_t>(connect_to));
    socket_ = open_(request).socket();
  }
  ~Remote() {
    v1::CloseSocketRequest request;
    request.set_name(socket_.name());
    close_(request);
  }
  const v1::Socket& socket() const { return socket_; }

 private:
  const Method<v1::OpenSocketRequest, v1::OpenSocketResponse> open_;
  const Method<v1::CloseSocketRequest, v1::CloseSocketResponse> close_;
  v1::Socket socket_;
};

double Up(const std::shared_ptr<grpc::Channel>& channel, const Load& load) {
  Receiver receiver(load.batch, load.size);
  const Remote remote(channel, receiver.port());
  v1::SendDatagramsRequest request;
  request.set_name(remote.socket().name());
  for (size_t i = 0; i < load.batch; ++i) request.add_datagrams()->set_payload(std::string(load.size, 'x'));
  const Method<v1::SendDatagramsRequest, v1::SendDatagramsResponse> send(channel, "SendDatagrams");
  return Rate(
      load, [&] { return receiver.received(); }, [&] { send(request); });
}

double Down(const std::shared_ptr<grpc::Channel>& channel, const Load& load) {
  const Remote remote(channel, 0);
  const Sender sender(static_cast<int>(remote.socket().local().inet().port()), load.batch, load.size);
  v1::ReceiveDatagramsRequest request;
  request.set_name(remote.socket().name());
  request.set_max_datagrams(static_cast<uint32_t>(load.batch));
  const Method<v1::ReceiveDatagramsRequest, v1::ReceiveDatagramsResponse> receive(channel, "ReceiveDatagrams");
  uint64_t received = 0;
  return Rate(
      load, [&] { return received; }, [&] { received += static_cast<uint64_t>(receive(request).datagrams_size()); });
}

double AttachedUp(const std::shared_ptr<grpc::Channel>& channel, const Load& load) {
  Receiver receiver(load.batch, load.size);
  const Remote remote(channel, receiver.port());
  AttachedDatagrams stream(channel, remote.socket().name());
  v1::AttachSocketRequest frame;
  for (size_t i = 0; i < load.batch; ++i) {
    frame.mutable_datagrams()->add_datagrams()->set_payload(std::string(load.size, 'x'));
  }
  return Rate(
      load, [&] { return receiver.received(); }, [&] { stream.Send(frame); });
}

double AttachedDown(const std::shared_ptr<grpc::Channel>& channel, const Load& load) {
  const Remote remote(channel, 0);
  const Sender sender(static_cast<int>(remote.socket().local().inet().port()), load.batch, load.size);
  AttachedDatagrams stream(channel, remote.socket().name());
  uint64_t received = 0;
  return Rate(
      load, [&] { return received; }, [&] { received += stream.Receive(); });
}

double Measure(const std::string& name, const std::shared_ptr<grpc::Channel>& channel, const Load& load) {
  if (name == "local") return Local(load);
  if (name == "up") return Up(channel, load);
  if (name == "down") return Down(channel, load);
  if (name == "attached.up") return AttachedUp(channel, load);
  if (name == "attached.down") return AttachedDown(channel, load);
  std::fprintf(stderr, "datagrams: no command '%s'\n", name.c_str());
  std::exit(2);
}

int Main(const std::string& endpoint) {
  const auto target = internal::ParseTarget(endpoint);
  if (!target.ok()) return std::fprintf(stderr, "datagrams: %s\n", target.status().ToString().c_str()), 2;
  const auto channel = internal::MakeChannel(*target);
  std::string name;
  Load load;
  int milliseconds = 0;
  while (std::cin >> name >> load.size >> load.batch >> milliseconds) {
    load.time = std::chrono::milliseconds(milliseconds);
    std::printf("{\"per_s\": %.0f}\n", Measure(name, channel, load));
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace
}  // namespace socketeer::bench

int main(int argc, char** argv) {
  if (argc != 2) return std::fputs("usage: datagrams TARGET\n", stderr), 2;
  return socketeer::bench::Main(argv[1]);
}
