// socketeerd: settings -> Server; signals; nothing else.
#include <fcntl.h>
#include <malloc.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <thread>

#include "server/audit/sink.h"
#include "server/main/confinement.h"
#include "server/main/logging.h"
#include "server/main/service_manager.h"
#include "server/main/settings.h"
#include "server/main/supervision.h"
#include "server/main/write_limits.h"
#include "server/rpc/grpc_log.h"

namespace socketeer {
namespace {

// Raises the limit of descriptors as far as allowed, and says what it is.
uint64_t RaiseDescriptorLimit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  getrlimit(RLIMIT_NOFILE, &limit);
  return std::min<uint64_t>(limit.rlim_cur, base::kMaxDescriptors);
}

// Bytes of a stream are allocated on a loop's thread and freed on one of gRPC's. With glibc's eight heaps for each core
// they spread over all of them, and no heap shrinks: 100 busy sockets took a tenth more memory, and were no faster.
void LimitHeaps() { mallopt(M_ARENA_MAX, static_cast<int>(std::max(2u, std::thread::hardware_concurrency()))); }

// Whoever started us may have closed them: then a socket must not get their numbers, nor what is written to them.
void FillStandardDescriptors() {
  int fd = 0;
  while ((fd = open("/dev/null", O_RDWR)) >= 0 && fd <= STDERR_FILENO) {
  }
  if (fd >= 0) close(fd);
}

void WarnOfLoopback(const std::vector<std::string>& addresses, bool tls) {
  if (tls) return;
  for (const std::string& address : addresses) {
    if (address.starts_with("unix:")) continue;
    spdlog::warn("{}: every local user may call this daemon, as \"anonymous\"", address);
  }
}

// Capabilities are not all that root has.
void WarnOfRoot() {
  if (geteuid() == 0) spdlog::warn("this daemon is root's: better give it a user of its own, see docs/security.md");
}

// Before there is a second thread.
base::Status Confine(const Settings& settings) {
  if (auto kept = KeepCapabilities(settings.keep_capabilities); !kept.ok()) return kept;
  if (auto filtered = FilterSystemCalls(); !filtered.ok()) return filtered;
  std::vector<std::string> folders;  // the audit is all that is written
  const std::string& audit = settings.server.audit;
  if (!audit.empty() && audit != audit::kStandardOutput) folders.push_back(FolderOf(audit));
  const auto limited = LimitWrites(folders);
  if (!limited.ok()) return limited.error();
  if (!*limited) spdlog::warn("this kernel does not limit where the daemon writes: it has no Landlock for it");
  return base::Unit{};
}

int Refuse(const base::Error& error) {
  std::fprintf(stderr, "socketeerd: %s\n", error.message.c_str());
  return 1;
}

int Main(int argc, char** argv) {
  LimitHeaps();
  FillStandardDescriptors();
  StartLog();
  auto manager = ServiceManager::Find();
  if (!manager.ok()) return Refuse(manager.error());
  auto read = ReadSettings(argc, argv, !manager->sockets().empty());
  if (const auto* farewell = std::get_if<Farewell>(&read)) {
    std::fputs(farewell->text.c_str(), farewell->exit_status == 0 ? stdout : stderr);
    return std::fflush(stdout) == 0 ? farewell->exit_status : 1;
  }
  SetLogFormat(std::get<Settings>(read).log_format);
  SetLogLevel(std::get<Settings>(read).log_level);
  umask(0177);  // UNIX sockets, the callers' and our own, are for this user alone
  sigset_t signals = BlockSignals();
  const uint64_t descriptors = RaiseDescriptorLimit();
  if (auto confined = Confine(std::get<Settings>(read)); !confined.ok()) return Refuse(confined.error());
  auto& settings = std::get<Settings>(read).server;
  settings.descriptors = static_cast<int>(descriptors);
  settings.limits = base::DefaultLimits(descriptors);
  settings.activated = manager->sockets();
  settings.notify_socket = manager->notify_socket();
  settings.log = WriteLog;
  settings.call_log = CallsToLog(std::get<Settings>(read).log_format);
  rpc::RouteGrpcLog(WriteLog);
  auto server = rpc::Server::Start(settings);
  if (!server.ok()) {
    rpc::EndGrpcLog();  // or gRPC's threads write to a logger that is gone
    return Refuse(server.error());
  }
  // Beside the audit there is nothing on the standard output, and beside JSON nothing that is none.
  const bool logged =
      settings.audit == audit::kStandardOutput || std::get<Settings>(read).log_format == LogFormat::kJson;
  const auto announce = [logged](const std::string& line) {
    if (logged) return SayAlways(line);
    std::printf("%s\n", line.c_str());
  };
  for (const std::string& address : (*server)->addresses()) announce("listening on " + address);
  if (const std::string& health = (*server)->health_address(); !health.empty()) announce("health on " + health);
  if (const std::string& at = (*server)->metrics_address(); !at.empty()) announce("metrics on " + at);
  std::fflush(stdout);
  WarnOfRoot();
  WarnOfLoopback((*server)->addresses(), settings.credentials.tls.given());

  Supervise(**server, *manager, signals, std::get<Settings>(read));
  settings.call_log.end();
  rpc::EndGrpcLog();
  spdlog::shutdown();
  // No destructors: a close that lingers may hold a thread for hours, and nothing is left that the kernel does not
  // clean up.
  std::fflush(stdout);
  _exit(0);
}

}  // namespace
}  // namespace socketeer

int main(int argc, char** argv) { return socketeer::Main(argc, argv); }
