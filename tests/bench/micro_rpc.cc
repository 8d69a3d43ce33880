// What a call costs between gRPC and a shard: the registry, the look at a request, the messages.
#include <benchmark/benchmark.h>
#include <sys/socket.h>

#include <memory>
#include <string>
#include <vector>

#include "server/registry/registry.h"
#include "server/rpc/convert.h"
#include "server/rpc/request_scan.h"
#include "socketeer/v1/data.pb.h"

namespace socketeer {
namespace {

constexpr char kOwner[] = "uid:1000";

// A registry that holds so many connected sockets.
class Held {
 public:
  explicit Held(int64_t count) {
    for (int64_t i = 0; i < count; ++i) {
      const auto record = Open("socket-" + std::to_string(i));
      net::SocketInfo info;
      info.kind = {.family = AF_INET, .type = SOCK_STREAM};
      info.state = net::State::kConnected;
      info.local = *net::SocketAddress::Inet("127.0.0.1", 40'000, "");
      info.peer = *net::SocketAddress::Inet("127.0.0.1", 80, "");
      record->OnChanged(info);
    }
    middle_ = "socket-" + std::to_string(count / 2);
  }

  registry::RecordPtr Open(const std::string& id) {
    const auto record = *registry_.Reserve(id, session_, {}, nullptr, net::Shard::NextId());
    (void)registry_.Publish(record);
    return record;
  }
  registry::Registry& registry() { return registry_; }
  const std::string& middle() const { return middle_; }

 private:
  registry::Registry registry_{base::DefaultLimits(20'000), base::SystemClock()};
  const registry::SessionPtr session_ = std::make_shared<registry::Session>("standing", kOwner, registry::Terms{},
                                                                            base::WallTime(), base::MonotonicTime());
  std::string middle_;
};

void RegistryFind(benchmark::State& state) {
  Held held(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(held.registry().Find(held.middle(), "", kOwner));
}
BENCHMARK(RegistryFind)->Arg(10)->Arg(15'000);

void RegistryOpenClose(benchmark::State& state) {
  Held held(state.range(0));
  for (auto _ : state) {
    const auto record = held.Open("");
    record->OnClosing();
    record->OnClosed();
  }
}
BENCHMARK(RegistryOpenClose)->Arg(10)->Arg(15'000);

// A page of ten from the middle: as much work whatever is held.
void RegistryList(benchmark::State& state) {
  Held held(state.range(0));
  const auto filter = *registry::Filter::Parse("");
  for (auto _ : state) benchmark::DoNotOptimize(held.registry().List(kOwner, filter, "socket-1", 10));
}
BENCHMARK(RegistryList)->Arg(10)->Arg(15'000);

// None but the last matches: the whole registry is looked through, under its mutex.
void RegistryListFiltered(benchmark::State& state) {
  Held held(state.range(0));
  const auto filter = *registry::Filter::Parse("state = LISTENING");
  for (auto _ : state) benchmark::DoNotOptimize(held.registry().List(kOwner, filter, "", 100));
}
BENCHMARK(RegistryListFiltered)->Arg(10)->Arg(15'000);

void Weigh(benchmark::State& state, const google::protobuf::Message& request) {
  const std::string bytes = request.SerializeAsString();
  const std::string_view piece = bytes;
  for (auto _ : state) benchmark::DoNotOptimize(rpc::WeightOf(std::span(&piece, 1), *request.GetDescriptor()));
}

void WeightOfSend(benchmark::State& state) {
  v1::SendDataRequest request;
  request.set_name("sockets/bench");
  request.set_data(std::string(64, 'x'));
  request.mutable_timeout()->set_seconds(1);
  Weigh(state, request);
}
BENCHMARK(WeightOfSend);

void WeightOfOpen(benchmark::State& state) {
  v1::OpenSocketRequest request;
  request.set_socket_id("bench");
  request.set_type(v1::SOCKET_TYPE_STREAM);
  request.mutable_bind()->mutable_inet()->set_ip("127.0.0.1");
  request.mutable_connect()->mutable_inet()->set_ip("127.0.0.1");
  request.mutable_connect()->mutable_inet()->set_port(80);
  for (int i = 0; i < 4; ++i) (*request.mutable_labels())["key" + std::to_string(i)] = "value";
  Weigh(state, request);
}
BENCHMARK(WeightOfOpen);

void SocketToProto(benchmark::State& state) {
  Held held(1);
  const auto view = held.registry().Look(*held.registry().Find("socket-0", "", kOwner));
  for (auto _ : state) {
    v1::Socket socket;
    rpc::ToProto(view, &socket);
    benchmark::DoNotOptimize(socket);
  }
}
BENCHMARK(SocketToProto);

}  // namespace
}  // namespace socketeer

BENCHMARK_MAIN();
