// The client of the bulk rows (bulk.py): pushes bytes through what is measured, or pulls them.
//
//   bulk bare TARGET           through streams of the bare server, on one channel
//   bulk library|blocking|copying|raw TARGET PORT
//                              through attached sockets of the daemon, on one channel, to the far end (flood.cc)
//   bulk tcp PORT              through plain connections
//
// Reads commands and answers each with a line of JSON:
//
//   up|down FRAME SOCKETS BYTES      so many bytes in all, through so many connections at once, in frames of that size
//   stall reader|peer SOCKETS 0      (raw) so many sockets do not move from now on
//   stall waiting 0 0                (raw) how many bytes wait in them, here or in the daemon
//
// TARGET: "unix:PATH" or "HOST:PORT".
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <iostream>
#include <string>
#include <vector>

#include "tests/bench/bulk_attached.h"
#include "tests/bench/bulk_bare.h"
#include "tests/bench/bulk_library.h"
#include "tests/bench/bulk_tcp.h"
#include "tests/bench/tls.h"

namespace socketeer::bench {
namespace {

// How many bytes a stalled socket would move: more than all that lies between it and the far end can hold.
constexpr uint64_t kEndless = 1ULL << 40;

using Clock = std::chrono::steady_clock;

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Connecting is not measured.
void Move(const MakeMover& make, const Load& whole, size_t connections) {
  Load load = whole;
  load.bytes /= connections;
  std::vector<std::unique_ptr<Mover>> movers;
  for (size_t i = 0; i < connections; ++i) movers.push_back(make(load));
  const double cpu = CpuSeconds();
  const auto start = Clock::now();
  for (const auto& mover : movers) mover->Start();
  for (const auto& mover : movers) mover->Wait();
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  const double bytes = static_cast<double>(load.bytes * connections);
  std::printf("{\"gb_s\": %.4f, \"cpu_s\": %.6f, \"bytes\": %.0f}\n", bytes / seconds / 1e9, CpuSeconds() - cpu, bytes);
  std::fflush(stdout);
}

using Answer = std::function<void(const std::string& what, size_t connections)>;

void Serve(const MakeMover& make, const Answer& stall = nullptr) {
  std::string command, what;
  size_t connections = 0;
  uint64_t bytes = 0;
  while (std::cin >> command >> what >> connections >> bytes) {
    if (command == "stall" && stall) {
      stall(what, connections);
    } else if ((command == "up" || command == "down") && connections > 0) {
      const Load load{.up = command == "up", .frame = std::stoul(what), .bytes = bytes};
      if (load.frame == 0 || load.frame > kMaxPieceBytes) Fail("a frame is 1 to 1048576 bytes");
      Move(make, load, connections);
    } else {
      Fail("no command " + command);
    }
  }
}

void ServeRaw(const std::shared_ptr<grpc::Channel>& channel, int port) {
  std::vector<std::unique_ptr<AttachedMover>> stalled;
  const auto stall = [&](const std::string& what, size_t connections) {
    const Stall kind = what == "peer" ? Stall::kPeer : Stall::kReader;
    const Load load{.up = kind == Stall::kPeer, .frame = 64 << 10, .bytes = kEndless};
    for (size_t i = 0; i < connections; ++i) {
      stalled.push_back(std::make_unique<AttachedMover>(channel, port, load, kind));
      stalled.back()->Start();
    }
    size_t waiting = RetainedBytes(channel);
    for (const auto& mover : stalled) waiting += mover->Unaccepted();
    std::printf("{\"bytes\": %zu}\n", waiting);
    std::fflush(stdout);
  };
  Serve([&](const Load& load) { return std::make_unique<AttachedMover>(channel, port, load); }, stall);
}

int Main(const std::vector<std::string>& words) {
  const std::string side = words.size() > 1 ? words[1] : "";
  if (side == "bare" && words.size() == 3) {
    const auto channel = LibraryChannel(words[2]);
    Serve([&](const Load& load) { return std::make_unique<BareMover>(channel, load); });
  } else if ((side == "library" || side == "blocking" || side == "copying") && words.size() == 4) {
    const Host host = Must(Host::Connect(words[2], OptionsFor(words[2])));
    const int port = std::stoi(words[3]);
    Serve([&](const Load& load) -> std::unique_ptr<Mover> {
      if (side == "library") return std::make_unique<AsyncMover>(host, port, load);
      return std::make_unique<BlockingMover>(host, port, load, side == "copying");
    });
  } else if (side == "raw" && words.size() == 4) {
    ServeRaw(LibraryChannel(words[2]), std::stoi(words[3]));
  } else if (side == "tcp" && words.size() == 3) {
    const int port = std::stoi(words[2]);
    Serve([&](const Load& load) { return std::make_unique<TcpMover>(port, load); });
  } else {
    return std::fputs("usage: bulk bare TARGET | library|blocking|copying|raw TARGET PORT | tcp PORT\n", stderr), 2;
  }
  return 0;
}

}  // namespace
}  // namespace socketeer::bench

int main(int argc, char** argv) { return socketeer::bench::Main({argv, argv + argc}); }
