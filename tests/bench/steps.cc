// What a scenario's steps do (scenarios.py), without a scenario: the same calls, one after the other, on each host in
// turns.
//
//   steps ECHO_PORT ENDPOINT...
//
// Reads commands, "NAME COUNT" a line: so many rounds of all hosts. Answers how long a call took, one with another.
#include <memory>
#include <string>
#include <vector>

#include "socketeer/session.h"
#include "tests/bench/commands.h"
#include "tests/bench/sides.h"

namespace socketeer::bench {
namespace {

// A host as a run has it: a session there, a socket in it that is connected to the echo server, a limit for each call.
class Member {
 public:
  Member(const std::string& endpoint, int echo_port)
      : session_(Must(Must(Host::Connect(endpoint)).CreateSession())),
        socket_(Must(session_.host().Open(ConnectedTo(echo_port)))) {
    receive_.set_max_bytes(kPayload);
    receive_.set_min_bytes(kPayload);
    receive_.set_mode(v1::MODE_WHOLE);
  }

  void Whoami() const { Must(session_.host().GetCaller(limit_)); }
  void Inspect() const { Must(socket_.Get(limit_)); }
  void SendReceive() const {
    Must(socket_.SendAll(data_, limit_));
    Expect(Must(socket_.Receive(receive_, limit_)).data() == data_, "the echo is what was sent");
  }

 private:
  const Session session_;
  const RemoteSocket socket_;
  const CallOptions limit_{.timeout = absl::Seconds(10)};
  const std::string data_ = std::string(kPayload, 'x');
  v1::ReceiveDataRequest receive_;
};

int Main(int argc, char** argv) {
  if (argc < 3) return std::fputs("usage: steps ECHO_PORT ENDPOINT...\n", stderr), 1;
  std::vector<std::unique_ptr<Member>> members;
  for (int i = 2; i < argc; ++i) members.push_back(std::make_unique<Member>(argv[i], std::atoi(argv[1])));
  const auto timed = [&](auto method, size_t calls) {
    return [&members, method, calls](size_t rounds) {
      const auto start = Clock::now();
      for (size_t i = 0; i < rounds; ++i) {
        for (const auto& member : members) ((*member).*method)();
      }
      return Json({{"call_us", Microseconds(start) / static_cast<double>(rounds * members.size() * calls)}});
    };
  };
  Serve({{"whoami", timed(&Member::Whoami, 1)},
         {"inspect", timed(&Member::Inspect, 1)},
         {"send-recv", timed(&Member::SendReceive, 2)}});
  return 0;
}

}  // namespace
}  // namespace socketeer::bench

int main(int argc, char** argv) { return socketeer::bench::Main(argc, argv); }
