#include "server/main/confinement.h"

#include <sched.h>
#include <seccomp.h>
#include <sys/capability.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <type_traits>

#include "server/base/printable.h"

namespace socketeer {
namespace {

constexpr size_t kMaxName = 100;
constexpr scmp_datum_t kLowerHalf = 0xffffffff;

base::Error Failed(const std::string& what) {
  base::Error error;
  error.code = base::Code::kFailedPrecondition;
  error.message = what;
  return error;
}

base::Error Failed(const std::string& what, int number) { return Failed(what + ": " + std::strerror(number)); }

std::optional<cap_value_t> CapabilityOf(const std::string& name) {
  const bool is_whole = strncasecmp(name.c_str(), "cap_", 4) == 0;
  cap_value_t value = 0;
  // The library takes numbers, too, and reads no further than to what may end a name in its texts.
  const auto may_be_in_it = [](unsigned char c) { return std::isalpha(c) != 0 || c == '_'; };
  if (!std::all_of(name.begin(), name.end(), may_be_in_it)) return std::nullopt;
  if (cap_from_name((is_whole ? name : "cap_" + name).c_str(), &value) != 0) return std::nullopt;
  return value;
}

struct FreeCapabilities {
  void operator()(cap_t set) const { cap_free(set); }
};
using Capabilities = std::unique_ptr<std::remove_pointer_t<cap_t>, FreeCapabilities>;

// What a later exec could gain; without CAP_SETPCAP it can not be changed, and no_new_privs is in its way anyhow.
void EmptyBoundingSet(const std::vector<cap_value_t>& keep) {
  for (cap_value_t each = 0; each < cap_max_bits(); ++each) {
    if (std::find(keep.begin(), keep.end(), each) == keep.end()) cap_drop_bound(each);
  }
}

// clang-format off
constexpr int kForbidden[] = {
    // Processes: the daemon starts none, and is not a debugger.
    SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(kcmp),
    SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev), SCMP_SYS(process_madvise), SCMP_SYS(pidfd_getfd), SCMP_SYS(pidfd_send_signal),
    SCMP_SYS(personality),
    // Mounts and namespaces.
    SCMP_SYS(mount), SCMP_SYS(umount2), SCMP_SYS(pivot_root), SCMP_SYS(chroot), SCMP_SYS(move_mount),
    SCMP_SYS(open_tree), SCMP_SYS(fsopen), SCMP_SYS(fsmount), SCMP_SYS(fsconfig), SCMP_SYS(fspick),
    SCMP_SYS(mount_setattr), SCMP_SYS(setns), SCMP_SYS(unshare), SCMP_SYS(open_by_handle_at),
    SCMP_SYS(name_to_handle_at), SCMP_SYS(swapon), SCMP_SYS(swapoff), SCMP_SYS(quotactl), SCMP_SYS(acct),
    // Users.
    SCMP_SYS(setuid), SCMP_SYS(setgid), SCMP_SYS(setreuid), SCMP_SYS(setregid), SCMP_SYS(setresuid),
    SCMP_SYS(setresgid), SCMP_SYS(setfsuid), SCMP_SYS(setfsgid), SCMP_SYS(setgroups), SCMP_SYS(capset),
    // Devices.
    SCMP_SYS(mknod), SCMP_SYS(mknodat), SCMP_SYS(iopl), SCMP_SYS(ioperm),
    // The kernel itself, its clock, keys and modules; and interfaces that go past this filter.
    SCMP_SYS(init_module), SCMP_SYS(finit_module), SCMP_SYS(delete_module), SCMP_SYS(kexec_load),
    SCMP_SYS(kexec_file_load), SCMP_SYS(reboot), SCMP_SYS(syslog), SCMP_SYS(settimeofday), SCMP_SYS(clock_settime),
    SCMP_SYS(clock_adjtime), SCMP_SYS(adjtimex), SCMP_SYS(sethostname), SCMP_SYS(setdomainname), SCMP_SYS(add_key),
    SCMP_SYS(request_key), SCMP_SYS(keyctl), SCMP_SYS(bpf), SCMP_SYS(perf_event_open), SCMP_SYS(userfaultfd),
    SCMP_SYS(io_uring_setup), SCMP_SYS(io_uring_enter), SCMP_SYS(io_uring_register),
};
// clang-format on

constexpr bool IsFamilyOfOurs(int family) {
  return family == AF_UNIX || family == AF_INET || family == AF_INET6 || family == AF_NETLINK;
}

// A filter that is being made; its first failure stays.
class Filter {
 public:
  Filter() : context_(seccomp_init(SCMP_ACT_ALLOW)), failed_(context_ == nullptr ? -ENOMEM : 0) {}
  ~Filter() { seccomp_release(context_); }
  Filter(const Filter&) = delete;
  Filter& operator=(const Filter&) = delete;

  template <typename... Comparisons>
  void Refuse(int number, int system_call, Comparisons... when) {
    if (failed_ != 0) return;
    failed_ = seccomp_rule_add(context_, SCMP_ACT_ERRNO(static_cast<uint32_t>(number)), system_call, sizeof...(when),
                               when...);
  }
  // 0 or a negative errno.
  int Load() { return failed_ != 0 ? failed_ : seccomp_load(context_); }

 private:
  const scmp_filter_ctx context_;
  int failed_;
};

}  // namespace

std::string WrongCapability(const std::string& name) {
  if (CapabilityOf(name)) return "";
  return "\"" + base::Printable(name, kMaxName) + "\" is no capability; capabilities(7) lists them, like net_raw";
}

base::Status KeepCapabilities(const std::vector<std::string>& names) {
  const Capabilities given(cap_get_proc());
  const Capabilities kept(cap_init());
  if (given == nullptr || kept == nullptr) return Failed("cannot read this process's capabilities", errno);
  std::vector<cap_value_t> values;
  for (const std::string& name : names) {
    const auto value = CapabilityOf(name);
    if (!value) return Failed("--keep-capability: " + WrongCapability(name));
    cap_flag_value_t has = CAP_CLEAR;
    cap_get_flag(given.get(), *value, CAP_PERMITTED, &has);
    if (has != CAP_SET) return Failed("--keep-capability " + name + ": this process was not given it");
    values.push_back(*value);
  }
  for (const cap_flag_t flag : {CAP_PERMITTED, CAP_EFFECTIVE}) {
    if (!values.empty()) cap_set_flag(kept.get(), flag, static_cast<int>(values.size()), values.data(), CAP_SET);
  }
  cap_reset_ambient();
  EmptyBoundingSet(values);
  if (cap_set_proc(kept.get()) != 0) return Failed("cannot give up capabilities", errno);
  return base::Unit{};
}

base::Status FilterSystemCalls() {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return Failed("cannot set no_new_privs", errno);
  Filter filter;
  for (const int each : kForbidden) filter.Refuse(EPERM, each);
  // A thread is allowed, a process is not. The flags of clone3 are in memory, where no filter looks: without it, the C
  // library uses clone.
  if (!kLeaksAreLookedFor) {
    filter.Refuse(EPERM, SCMP_SYS(ptrace));
    filter.Refuse(EPERM, SCMP_SYS(clone), SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
  }
  filter.Refuse(ENOSYS, SCMP_SYS(clone3));
  for (const scmp_datum_t space : {CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWNET}) {
    filter.Refuse(EPERM, SCMP_SYS(clone), SCMP_A0(SCMP_CMP_MASKED_EQ, space, space));
  }
  // The kernel looks at the lower half of these arguments, and at no more.
  for (const scmp_datum_t input : {TIOCSTI, TIOCLINUX}) {
    filter.Refuse(EPERM, SCMP_SYS(ioctl), SCMP_A1(SCMP_CMP_MASKED_EQ, kLowerHalf, input));
  }
  for (int family = 0; family < AF_MAX; ++family) {
    const auto is_it = SCMP_A0(SCMP_CMP_MASKED_EQ, kLowerHalf, static_cast<scmp_datum_t>(family));
    if (!IsFamilyOfOurs(family)) filter.Refuse(EAFNOSUPPORT, SCMP_SYS(socket), is_it);
    if (family != AF_UNIX) filter.Refuse(EAFNOSUPPORT, SCMP_SYS(socketpair), is_it);
  }
  if (const int failed = filter.Load(); failed != 0) return Failed("cannot filter system calls", -failed);
  return base::Unit{};
}

}  // namespace socketeer
