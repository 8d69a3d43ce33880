// What a confined process can still do. Each case is a child of its own: confinement is for good.
#include "server/main/confinement.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <sys/capability.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <thread>
#include <utility>

#include "tests/main/in_child.h"

namespace socketeer {
namespace {

constexpr long kThread = CLONE_THREAD | CLONE_SIGHAND | CLONE_VM;

// The errno of a system call in a child whose calls are filtered; 0: it passed.
int Filtered(const std::function<int64_t()>& call) {
  return InChild([&] {
    if (!FilterSystemCalls().ok()) return 255;
    return call() < 0 ? errno : 0;
  });
}

TEST(Filter, RefusesWhatNoSocketNeeds) {
  char* const arguments[] = {nullptr};
  EXPECT_EQ(Filtered([&] { return execve("/bin/true", arguments, arguments); }), EPERM);
  EXPECT_EQ(Filtered([] { return syscall(SYS_vfork); }), EPERM);
  if (!kLeaksAreLookedFor) {
    EXPECT_EQ(Filtered([] { return fork(); }), EPERM);
    EXPECT_EQ(Filtered([] { return ptrace(PTRACE_TRACEME, 0, nullptr, nullptr); }), EPERM);
  }
  EXPECT_EQ(Filtered([] { return unshare(CLONE_NEWUSER); }), EPERM);
  EXPECT_EQ(Filtered([] { return setns(-1, 0); }), EPERM);
  EXPECT_EQ(Filtered([] { return mount("none", "/proc", "tmpfs", 0, nullptr); }), EPERM);
  EXPECT_EQ(Filtered([] { return chroot("/"); }), EPERM);
  EXPECT_EQ(Filtered([] { return setuid(getuid()); }), EPERM);
  EXPECT_EQ(Filtered([] { return syscall(SYS_bpf, BPF_PROG_LOAD, nullptr, 0); }), EPERM);
  EXPECT_EQ(Filtered([] { return syscall(SYS_io_uring_setup, 1, nullptr); }), EPERM);
  EXPECT_EQ(Filtered([] { return syscall(SYS_clone3, nullptr, 0); }), ENOSYS);
  for (const long input : {TIOCSTI, TIOCLINUX}) {
    EXPECT_EQ(Filtered([=] { return ioctl(STDIN_FILENO, input, "x"); }), EPERM);
    EXPECT_EQ(Filtered([=] { return syscall(SYS_ioctl, STDIN_FILENO, input | 1L << 32, "x"); }), EPERM);
  }
  EXPECT_EQ(Filtered([] { return syscall(SYS_clone, kThread | CLONE_NEWNET, 0, 0, 0, 0); }), EPERM);
}

// With arguments that none of them takes: without the filter another error, or none, would come.
TEST(Filter, RefusesEachOfItsList) {
  for (const long call : {SYS_kcmp,
                          SYS_process_vm_readv,
                          SYS_process_vm_writev,
                          SYS_process_madvise,
                          SYS_pidfd_getfd,
                          SYS_pidfd_send_signal,
                          SYS_umount2,
                          SYS_pivot_root,
                          SYS_move_mount,
                          SYS_open_tree,
                          SYS_fsopen,
                          SYS_fsmount,
                          SYS_fsconfig,
                          SYS_fspick,
                          SYS_mount_setattr,
                          SYS_open_by_handle_at,
                          SYS_name_to_handle_at,
                          SYS_swapon,
                          SYS_swapoff,
                          SYS_quotactl,
                          SYS_setgid,
                          SYS_setreuid,
                          SYS_setregid,
                          SYS_setresuid,
                          SYS_setresgid,
                          SYS_setfsuid,
                          SYS_setfsgid,
                          SYS_setgroups,
                          SYS_capset,
                          SYS_mknodat,
                          SYS_init_module,
                          SYS_finit_module,
                          SYS_delete_module,
                          SYS_kexec_load,
                          SYS_settimeofday,
                          SYS_clock_settime,
                          SYS_clock_adjtime,
                          SYS_adjtimex,
                          SYS_sethostname,
                          SYS_setdomainname,
                          SYS_add_key,
                          SYS_request_key,
                          SYS_keyctl,
                          SYS_perf_event_open,
                          SYS_userfaultfd,
                          SYS_io_uring_enter,
                          SYS_io_uring_register}) {
    EXPECT_EQ(Filtered([=] { return syscall(call, -1L, -1L, -1L, -1L, -1L, -1L); }), EPERM) << call;
  }
}

TEST(Filter, AllowsSocketsOfOurFamiliesAlone) {
  for (const int family : {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK}) {
    EXPECT_EQ(Filtered([=] { return socket(family, SOCK_DGRAM, 0); }), 0) << family;
  }
  for (const int family : {AF_UNSPEC, AF_AX25, AF_PACKET, AF_VSOCK, AF_ALG, AF_BLUETOOTH, AF_XDP}) {
    int pair[2];
    EXPECT_EQ(Filtered([=] { return socket(family, SOCK_DGRAM, 0); }), EAFNOSUPPORT) << family;
    EXPECT_EQ(Filtered([&] { return socketpair(family, SOCK_DGRAM, 0, pair); }), EAFNOSUPPORT) << family;
  }
  int pair[2];
  EXPECT_EQ(Filtered([&] { return socketpair(AF_UNIX, SOCK_DGRAM, 0, pair); }), 0);
}

TEST(Filter, AllowsThreadsAndIsThreadsToo) {
  EXPECT_EQ(Filtered([] {
              int64_t made = 0;
              int number = 0;
              std::thread([&] {
                made = chroot("/nowhere");
                number = errno;
              }).join();
              errno = number;
              return made;
            }),
            EPERM);
}

TEST(Filter, SetsNoNewPrivileges) {
  EXPECT_EQ(InChild([] { return FilterSystemCalls().ok() && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : 1; }), 0);
}

bool Has(cap_value_t value, cap_flag_t set) {
  cap_flag_value_t has = CAP_CLEAR;
  const cap_t all = cap_get_proc();
  cap_get_flag(all, value, set, &has);
  cap_free(all);
  return has == CAP_SET;
}

TEST(Capabilities, NoneIsKeptUnlessNamed) {
  EXPECT_EQ(InChild([] {
              if (!KeepCapabilities({}).ok()) return 1;
              for (cap_value_t each = 0; each < cap_max_bits(); ++each) {
                if (Has(each, CAP_PERMITTED) || Has(each, CAP_EFFECTIVE) || Has(each, CAP_INHERITABLE)) return 2;
                if (geteuid() == 0 && cap_get_bound(each) != 0) return 3;
              }
              return 0;
            }),
            0);
}

TEST(Capabilities, WhatIsNamedIsKeptAndNothingElse) {
  for (const auto& [name, value] : {std::pair{"net_bind_service", CAP_NET_BIND_SERVICE}, {"net_raw", CAP_NET_RAW}}) {
    if (Has(value, CAP_PERMITTED)) continue;
    const auto kept = KeepCapabilities({name});
    ASSERT_FALSE(kept.ok());
    EXPECT_EQ(kept.error().message, "--keep-capability " + std::string(name) + ": this process was not given it");
    return;
  }
  EXPECT_EQ(InChild([] {
              if (!KeepCapabilities({"CAP_NET_BIND_SERVICE", "net_raw"}).ok()) return 1;
              for (cap_value_t each = 0; each < cap_max_bits(); ++each) {
                const bool kept = each == CAP_NET_BIND_SERVICE || each == CAP_NET_RAW;
                if (Has(each, CAP_PERMITTED) != kept || Has(each, CAP_EFFECTIVE) != kept) return 2;
              }
              // Given up is given up.
              const auto again = KeepCapabilities({"sys_admin"});
              return !again.ok() &&
                             again.error().message.find("sys_admin: this process was not given it") != std::string::npos
                         ? 0
                         : 3;
            }),
            0);
}

TEST(Capabilities, AWrongNameIsToldAsGiven) {
  EXPECT_EQ(WrongCapability("net_raw"), "");
  EXPECT_EQ(WrongCapability("Cap_Net_Raw"), "");
  for (const char* name : {"", "cap_", "cap_cap_net_raw", "net-raw", "all", "7", "net_raw,chown", "net_raw=ep"}) {
    EXPECT_EQ(WrongCapability(name),
              "\"" + std::string(name) + "\" is no capability; capabilities(7) lists them, like net_raw");
  }
}

}  // namespace
}  // namespace socketeer
