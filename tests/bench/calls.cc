// The client of the comparisons (run).
//
//   calls TARGET ECHO_PORT [BARE_TARGET]
//
// Reads commands, "NAME COUNT" a line, and answers each with a line of JSON: so the caller can interleave whatever it
// compares. Targets are gRPC's: "unix:/run/x.sock", "ipv4:127.0.0.1:7625".
#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "tests/bench/commands.h"
#include "tests/bench/sides.h"

namespace socketeer::bench {
namespace {

// Does it `count` times; how long each took.
std::string Time(const std::function<void()>& once, size_t count) {
  std::vector<double> times;
  times.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    const auto start = Clock::now();
    once();
    times.push_back(Microseconds(start));
  }
  std::ranges::sort(times);
  return Json({{"p50_us", times[count / 2]}, {"p99_us", times[count * 99 / 100]}});
}

// Many sockets held at once.
class Crowd {
 public:
  Crowd(const std::shared_ptr<grpc::Channel>& channel, int echo_port)
      : request_(ConnectedTo(echo_port)), open_(channel, "OpenSocket"), receive_(channel, "ReceiveData") {
    list_.set_page_size(1'000);
    first_.set_page_size(100);
    ask_ = std::make_unique<Method<v1::ListSocketsRequest, v1::ListSocketsResponse>>(channel, "ListSockets");
  }

  // Connected sockets, on each of which a receive has once waited.
  void Open() {
    v1::ReceiveDataRequest receive;
    receive.set_name(open_(request_).socket().name());
    receive.mutable_timeout();  // zero
    Expect(receive_(receive).timed_out(), "an idle socket has nothing to receive");
  }

  // Every page, as the client library asks for them; and the first one as `socketeer ls` shows it.
  std::string List() const {
    const auto start = Clock::now();
    (*ask_)(first_);
    const double first = Microseconds(start);
    const auto again = Clock::now();
    double sockets = 0;
    double longest = 0;
    v1::ListSocketsRequest request = list_;
    do {
      const auto asked = Clock::now();
      const v1::ListSocketsResponse page = (*ask_)(request);
      longest = std::max(longest, Microseconds(asked));
      sockets += page.sockets_size();
      request.set_page_token(page.next_page_token());
    } while (!request.page_token().empty());
    return Json(
        {{"first_100_us", first}, {"all_us", Microseconds(again)}, {"longest_page_us", longest}, {"sockets", sockets}});
  }

 private:
  const v1::OpenSocketRequest request_;
  const Method<v1::OpenSocketRequest, v1::OpenSocketResponse> open_;
  const Method<v1::ReceiveDataRequest, v1::ReceiveDataResponse> receive_;
  std::unique_ptr<Method<v1::ListSocketsRequest, v1::ListSocketsResponse>> ask_;
  v1::ListSocketsRequest list_, first_;
};

std::string LibraryEndpoint(const std::string& target) {
  constexpr std::string_view kIpv4 = "ipv4:";
  return target.starts_with(kIpv4) ? target.substr(kIpv4.size()) : target;
}

int Main(int argc, char** argv) {
  if (argc < 3) return std::fputs("usage: calls TARGET ECHO_PORT [BARE_TARGET]\n", stderr), 1;
  const std::string target = argv[1];
  const int echo_port = std::atoi(argv[2]);
  const Ours ours(target, echo_port);
  const Library library(LibraryEndpoint(target), echo_port);
  Crowd crowd(ours.channel(), echo_port);
  const std::unique_ptr<Bare> bare = argc > 3 ? std::make_unique<Bare>(argv[3], ours) : nullptr;

  const auto timed = [](auto& side, auto method) {
    return [&side, method](size_t count) { return Time([&] { (side.*method)(); }, count); };
  };
  Commands commands{
      {"ours.send_receive", timed(ours, &Ours::SendReceive)},
      {"ours.receive_first", timed(ours, &Ours::ReceiveFirst)},
      {"ours.open_close", timed(ours, &Ours::OpenClose)},
      {"ours.get", timed(ours, &Ours::Get)},
      {"library.send_receive", timed(library, &Library::SendReceive)},
      {"library.open_close", timed(library, &Library::OpenClose)},
      {"hold", timed(crowd, &Crowd::Open)},
      {"list", [&](size_t) { return crowd.List(); }},
  };
  if (bare) {
    commands.emplace("bare.send_receive", timed(*bare, &Bare::SendReceive));
    commands.emplace("bare.open_close", timed(*bare, &Bare::OpenClose));
  }
  Serve(commands);
  return 0;
}

}  // namespace
}  // namespace socketeer::bench

int main(int argc, char** argv) { return socketeer::bench::Main(argc, argv); }
