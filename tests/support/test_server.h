// The real server in this process, for one test. When it goes it checks that the test left nothing behind: no socket,
// no call under way, and no more descriptors than before.
#pragma once

#include <grpc/grpc.h>
#include <sys/resource.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "server/rpc/server.h"
#include "tests/support/rpc.h"
#include "tests/support/temp_dir.h"

namespace socketeer::testing {

inline size_t OpenDescriptors() {
  const std::filesystem::directory_iterator list("/proc/self/fd");
  return static_cast<size_t>(std::distance(begin(list), end(list)));
}

inline bool DescriptorsReturnTo(size_t count) {
  return Eventually([count] { return OpenDescriptors() <= count; },
                    "gRPC closes connections on threads of its own and tells nobody");
}

// How many of them are sockets.
inline size_t OpenSockets() {
  const std::filesystem::directory_iterator list("/proc/self/fd");
  return static_cast<size_t>(std::count_if(begin(list), end(list), [](const auto& entry) {
    std::error_code gone;  // the descriptor that lists them
    return read_symlink(entry.path(), gone).native().starts_with("socket:");
  }));
}

struct TestServerOptions {
  int loops = 1;
  bool loopback = false;                        // listens on 127.0.0.1 too; callers there are "anonymous"
  std::function<void(base::Limits&)> limits{};  // changes the default ones
  net::Syscalls* syscalls = &net::KernelSyscalls();
  const base::Clock* clock = &base::SystemClock();
  rpc::CredentialSettings credentials{};
  // Far from being reached, so that all that is taken and given back is counted.
  std::string quotas = "quotas: [{identities: any, opens_per_second: 1G, bytes_per_second: 100000G}]";
};

class TestServer {
 public:
  explicit TestServer(TestServerOptions options = {}) {
    WarmUp();
    before_ = OpenDescriptors();
    rlimit descriptors{};
    getrlimit(RLIMIT_NOFILE, &descriptors);
    descriptors.rlim_cur = descriptors.rlim_max;
    setrlimit(RLIMIT_NOFILE, &descriptors);
    rpc::ServerSettings settings{.listen = {"unix:" + dir_.File("daemon")},
                                 .loops = options.loops,
                                 .limits = base::DefaultLimits(descriptors.rlim_cur),
                                 .descriptors = static_cast<int>(descriptors.rlim_cur)};
    settings.credentials = options.credentials;
    settings.quotas = dir_.File("quotas");
    std::ofstream(settings.quotas) << options.quotas;
    std::filesystem::permissions(settings.quotas, std::filesystem::perms::owner_read);
    if (options.loopback) settings.listen.push_back("127.0.0.1:0");
    if (options.limits) options.limits(settings.limits);
    auto server = rpc::Server::Start(settings, *options.syscalls, *options.clock);
    if (!server.ok()) {
      ADD_FAILURE() << server.error().message;
      std::abort();
    }
    server_ = *std::move(server);
    caller_ = std::make_unique<Caller>(server_->addresses()[0]);
    EXPECT_TRUE(Ok(caller_->GetHost()));
    serving_ = OpenDescriptors();
  }
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;
  ~TestServer() {
    if (server_ && !drained_) ExpectClean();
    Stop();
    EXPECT_TRUE(DescriptorsReturnTo(before_)) << OpenDescriptors() << " descriptors, before it started " << before_;
  }

  // The caller over the UNIX socket; its identity is uid:N.
  const Caller& caller() const { return *caller_; }
  const Caller* operator->() const { return caller_.get(); }
  Caller AnotherCaller(const std::string& session = "") const { return Caller(server_->addresses()[0], session); }
  Caller LoopbackCaller() const { return Caller("ipv4:" + server_->addresses().at(1)); }
  rpc::Server& server() { return *server_; }
  // A directory for the test's own files and UNIX sockets.
  const TempDir& dir() const { return dir_; }

  // Nothing is left of what the test did.
  void ExpectClean() const {
    v1::Usage usage;
    EXPECT_TRUE(Eventually(
        [&] {
          usage = caller_->GetHost()->usage();
          return usage.sockets() == 0 && usage.calls() == 1;
        },
        "a call that was cancelled ends at the daemon after it ended here"))
        << usage.ShortDebugString();
    v1::Quota quota;
    EXPECT_TRUE(Eventually(
        [&] {
          quota = *caller_->GetQuota();
          return std::none_of(quota.counts().begin(), quota.counts().end(),
                              [](const auto& count) { return count.used() > 0 && count.name() != "sessions"; });
        },
        "as above"))
        << quota.ShortDebugString();
    const auto list = caller_->Ask(&Stub::ListSockets, "");
    EXPECT_TRUE(Ok(list));
    EXPECT_EQ(list->sockets_size(), 0) << list->ShortDebugString();
    EXPECT_TRUE(DescriptorsReturnTo(serving_)) << OpenDescriptors() << " descriptors, at its start " << serving_;
  }

  // Closes all of the caller's sockets; for tests that end with some on purpose.
  void CloseAll() const {
    while (true) {
      const auto list = caller_->Ask(&Stub::ListSockets, "page_size: 1000");
      if (!list.ok() || list->sockets_size() == 0) return;
      for (const v1::Socket& socket : list->sockets()) {
        caller_->Ask(&Stub::CloseSocket, "name: '" + socket.name() + "'");
      }
    }
  }

  // As SIGTERM does; afterwards only the descriptors are checked.
  void Drain(std::chrono::milliseconds limit) {
    drained_ = true;
    server_->Drain(limit);
  }

  void Stop() {
    caller_.reset();
    server_.reset();
  }

 private:
  // What gRPC opens once in a process is open before anybody counts.
  static void WarmUp() {
    static const bool done = [] {
      grpc_init();  // so that it never shuts down between two servers
      const size_t sockets = OpenSockets();
      {
        const TempDir dir;
        auto server = rpc::Server::Start(
            {.listen = {"unix:" + dir.File("daemon")}, .limits = base::DefaultLimits(1000), .descriptors = 1000});
        const Caller caller((*server)->addresses()[0]);
        caller.Start(&AsyncStub::ListSockets, "").Wait();
      }
      // Or they are taken for what was there before.
      EXPECT_TRUE(Eventually([sockets] { return OpenSockets() <= sockets; }, "as above"));
      return true;
    }();
    (void)done;
  }

  TempDir dir_;
  size_t before_ = 0;
  size_t serving_ = 0;
  bool drained_ = false;
  std::unique_ptr<rpc::Server> server_;
  std::unique_ptr<Caller> caller_;
};

}  // namespace socketeer::testing
