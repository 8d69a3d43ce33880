#include "server/main/write_limits.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "server/base/fd.h"

namespace socketeer {
namespace {

// Of Linux 6.2 and 6.10: Debian 12's headers do not know them.
constexpr uint64_t kTruncate = 1ULL << 14;
constexpr uint64_t kIoctlDevice = 1ULL << 15;

constexpr uint64_t kWrite = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG;
constexpr uint64_t kNobodyNeeds = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
                                  LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |
                                  LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
                                  LANDLOCK_ACCESS_FS_MAKE_SYM;

// What a kernel of this version of Landlock can refuse, of what we would have refused. REFER is refused by each.
uint64_t RefusedBy(long version) {
  return kWrite | kNobodyNeeds | (version >= 2 ? LANDLOCK_ACCESS_FS_REFER : 0) | (version >= 3 ? kTruncate : 0) |
         (version >= 5 ? kIoctlDevice : 0);
}

base::Error CannotLimit(const std::string& what) {
  base::Error error;
  error.code = base::Code::kFailedPrecondition;
  error.message = "cannot limit where files are written: " + what + ": " + std::strerror(errno);
  return error;
}

base::Status Allow(int rules, const std::string& folder, uint64_t rights) {
  const base::Fd fd(open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0) return base::Unit{};
  landlock_path_beneath_attr beneath{};
  beneath.allowed_access = rights;
  beneath.parent_fd = fd.get();
  if (syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) == 0) return base::Unit{};
  return CannotLimit(folder);
}

}  // namespace

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

base::Result<bool> LimitWrites(const std::vector<std::string>& folders) {
  const long version = syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (version < 1) return false;
  landlock_ruleset_attr refused{};
  refused.handled_access_fs = RefusedBy(version);
  const base::Fd rules(static_cast<int>(syscall(SYS_landlock_create_ruleset, &refused, sizeof(refused), 0)));
  if (rules.get() < 0) return CannotLimit("landlock_create_ruleset");
  for (const std::string& folder : folders) {
    const auto allowed = Allow(rules.get(), folder, (kWrite | kTruncate) & refused.handled_access_fs);
    if (!allowed.ok()) return allowed.error();
  }
  if (syscall(SYS_landlock_restrict_self, rules.get(), 0) != 0) return CannotLimit("landlock_restrict_self");
  return true;
}

}  // namespace socketeer
