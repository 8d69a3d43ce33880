#include "server/metrics/process.h"

#include <dirent.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <memory>

namespace socketeer::metrics {
namespace {

constexpr char kDescriptors[] = "/proc/self/fd";

uint64_t OpenDescriptors() {
  struct stat found {};
  // Since Linux 6.2 its size is their number.
  if (stat(kDescriptors, &found) == 0 && found.st_size > 0) return static_cast<uint64_t>(found.st_size);
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(opendir(kDescriptors), closedir);
  uint64_t entries = 0;
  while (folder && readdir(folder.get()) != nullptr) ++entries;
  return entries > 3 ? entries - 3 : 0;  // ".", "..", and the one that looks
}

uint64_t ResidentBytes() {
  uint64_t size = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> size >> resident;
  return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

double SecondsOf(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

void AddProcess(base::WallTime started, Page* page) {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  rlimit descriptors{};
  getrlimit(RLIMIT_NOFILE, &descriptors);
  page->Gauge("process_start_time_seconds", "When the daemon began to serve, in seconds since 1970.",
              std::chrono::duration<double>(started.time_since_epoch()).count());
  page->Counter("process_cpu_seconds_total", "Processor time used.",
                SecondsOf(used.ru_utime) + SecondsOf(used.ru_stime));
  page->Gauge("process_resident_memory_bytes", "Memory in use.", ResidentBytes());
  page->Gauge("process_open_fds", "Descriptors that are open.", OpenDescriptors());
  page->Gauge("process_max_fds", "Descriptors that may be open.", descriptors.rlim_cur);
}

}  // namespace socketeer::metrics
