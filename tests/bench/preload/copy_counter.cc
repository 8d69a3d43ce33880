// Counts the bytes that a process copies, by who copies them: LD_PRELOAD=libcopy_counter.so COPY_COUNTER=FILE program.
//
// memcpy and memmove come here, whoever calls them but the C library itself; the return address tells the caller's
// object. So do gRPC's functions that copy payload because somebody outside of gRPC asks for it. Copies that the
// compiler wrote out as `rep movs`, as it does where it knows that they are not large, are those that COPY_SITES, a
// file, tells: "OBJECT ADDRESS LENGTH UNIT" a line, of each such instruction; OBJECT is a file's name, or "program". A
// breakpoint is put there, and counts. What is left are copies of up to 32 bytes.
//
// FILE becomes as many 64-bit counters as there are Callers, in their order, shared while the process runs: who reads
// it before and after knows what was copied between.
#include <dlfcn.h>
#include <fcntl.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/slice.h>
#include <link.h>
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace {

// kOwn: the program itself, with what of libraries' headers is compiled into it.
enum Caller { kOwn, kProtobuf, kStandard, kAbseil, kAskedOfGrpc, kGrpc, kOther, kCallers };

struct Object {
  uintptr_t begin, end, base;
  Caller caller;
  const char* name;  // of the file
};

// A `rep movs`.
struct Site {
  uintptr_t at;
  uint64_t unit;  // bytes
  size_t length;  // of the instruction
  Caller caller;
};

constexpr size_t kMaxObjects = 256;
Object objects[kMaxObjects];
size_t object_count = 0;
constexpr size_t kMaxSites = 4096;
Site sites[kMaxSites];
size_t site_count = 0;
std::atomic<uint64_t> before_start[kCallers];
std::atomic<std::atomic<uint64_t>*> counters{before_start};

Caller CallerOf(std::string_view path) {
  if (path.empty()) return kOwn;  // as dl_iterate_phdr(3) names the program
  const auto has = [path](std::string_view name) { return path.find(name) != path.npos; };
  if (has("libprotobuf")) return kProtobuf;
  if (has("libstdc++")) return kStandard;
  if (has("libabsl")) return kAbseil;
  if (has("libgrpc") || has("libgpr") || has("libaddress_sorting") || has("libupb")) return kGrpc;
  return kOther;
}

int Note(dl_phdr_info* info, size_t, void*) {
  for (int i = 0; i < info->dlpi_phnum && object_count < kMaxObjects; ++i) {
    const auto& segment = info->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_X) == 0) continue;
    const uintptr_t begin = info->dlpi_addr + segment.p_vaddr;
    const char* const slash = std::strrchr(info->dlpi_name, '/');
    const char* const name = *info->dlpi_name == '\0' ? "program" : slash ? slash + 1 : info->dlpi_name;
    objects[object_count++] = {begin, begin + segment.p_memsz, info->dlpi_addr, CallerOf(info->dlpi_name), name};
  }
  return 0;
}

void OnBreakpoint(int, siginfo_t*, void* context);

void PutBreakpoint(const Object& object, uintptr_t address, size_t length, uint64_t unit) {
  const uintptr_t at = object.base + address;
  if (at < object.begin || at >= object.end || site_count == kMaxSites) return;
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  void* const start = reinterpret_cast<void*>(at / page * page);
  if (mprotect(start, page, PROT_READ | PROT_WRITE | PROT_EXEC) != 0) std::abort();
  *reinterpret_cast<volatile unsigned char*>(at) = 0xcc;
  sites[site_count++] = {at, unit, length, object.caller};
}

void PutBreakpoints(const char* path) {
  struct sigaction action {};
  action.sa_sigaction = OnBreakpoint;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  sigaction(SIGTRAP, &action, nullptr);
  FILE* const file = std::fopen(path, "re");
  if (file == nullptr) std::abort();
  char name[256];
  uintptr_t address = 0;
  size_t length = 0;
  uint64_t unit = 0;
  while (std::fscanf(file, "%255s %lx %zu %lu", name, &address, &length, &unit) == 4) {
    for (size_t i = 0; i < object_count; ++i) {
      if (std::strcmp(objects[i].name, name) == 0) PutBreakpoint(objects[i], address, length, unit);
    }
  }
  std::fclose(file);
}

__attribute__((constructor)) void Start() {
  const char* const path = std::getenv("COPY_COUNTER");
  if (path == nullptr) return;
  constexpr size_t kSize = sizeof(uint64_t) * kCallers;
  const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0 || ftruncate(fd, kSize) != 0) std::abort();
  void* const shared = mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (shared == MAP_FAILED) std::abort();
  close(fd);
  dl_iterate_phdr(Note, nullptr);
  counters = static_cast<std::atomic<uint64_t>*>(shared);
  if (const char* const list = std::getenv("COPY_SITES")) PutBreakpoints(list);
}

Caller WhoIs(const void* address) {
  const auto at = reinterpret_cast<uintptr_t>(address);
  for (size_t i = 0; i < object_count; ++i) {
    if (at >= objects[i].begin && at < objects[i].end) return objects[i].caller;
  }
  return kOther;
}

void Count(Caller caller, size_t size) { counters.load()[caller].fetch_add(size, std::memory_order_relaxed); }

// Not memcpy: that is us.
void* Forwards(void* to, const void* from, size_t size) {
  void* at = to;
  asm volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(size) : : "memory");
  return to;
}

void* Backwards(void* to, const void* from, size_t size) {
  char* at = static_cast<char*>(to) + size - 1;
  const char* source = static_cast<const char*>(from) + size - 1;
  asm volatile("std\n\trep movsb\n\tcld" : "+D"(at), "+S"(source), "+c"(size) : : "memory", "cc");
  return to;
}

void* Move(void* to, const void* from, size_t size) {
  const auto distance = reinterpret_cast<uintptr_t>(to) - reinterpret_cast<uintptr_t>(from);
  return distance < size ? Backwards(to, from, size) : Forwards(to, from, size);
}

// In place of the instruction.
void OnBreakpoint(int, siginfo_t*, void* context) {
  auto& registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
  const auto at = static_cast<uintptr_t>(registers[REG_RIP]) - 1;
  for (size_t i = 0; i < site_count; ++i) {
    if (sites[i].at != at) continue;
    const uint64_t size = static_cast<uint64_t>(registers[REG_RCX]) * sites[i].unit;
    Count(sites[i].caller, size);
    Forwards(reinterpret_cast<void*>(registers[REG_RDI]), reinterpret_cast<const void*>(registers[REG_RSI]), size);
    registers[REG_RDI] += static_cast<greg_t>(size);
    registers[REG_RSI] += static_cast<greg_t>(size);
    registers[REG_RCX] = 0;
    registers[REG_RIP] = static_cast<greg_t>(at + sites[i].length);
    return;
  }
  std::abort();
}

// gRPC's own function of that name.
template <typename Function>
Function* Next(Function*, const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

void* memcpy(void* to, const void* from, size_t size) {
  Count(WhoIs(__builtin_return_address(0)), size);
  return Forwards(to, from, size);
}
void* __memcpy_chk(void* to, const void* from, size_t size, size_t) {
  Count(WhoIs(__builtin_return_address(0)), size);
  return Forwards(to, from, size);
}
void* mempcpy(void* to, const void* from, size_t size) {
  Count(WhoIs(__builtin_return_address(0)), size);
  return static_cast<char*>(Forwards(to, from, size)) + size;
}
void* memmove(void* to, const void* from, size_t size) {
  Count(WhoIs(__builtin_return_address(0)), size);
  return Move(to, from, size);
}
void* __memmove_chk(void* to, const void* from, size_t size, size_t) {
  Count(WhoIs(__builtin_return_address(0)), size);
  return Move(to, from, size);
}

// The C++ wrapper of gRPC calls these for us; gRPC itself does not.
grpc_slice grpc_slice_from_copied_buffer(const char* from, size_t size) {
  static const auto next = Next(&grpc_slice_from_copied_buffer, "grpc_slice_from_copied_buffer");
  const Caller caller = WhoIs(__builtin_return_address(0));
  Count(caller == kGrpc ? kAskedOfGrpc : caller, size);
  return next(from, size);
}
grpc_slice grpc_byte_buffer_reader_readall(grpc_byte_buffer_reader* reader) {
  static const auto next = Next(&grpc_byte_buffer_reader_readall, "grpc_byte_buffer_reader_readall");
  const grpc_slice slice = next(reader);
  Count(kAskedOfGrpc, GRPC_SLICE_LENGTH(slice));
  return slice;
}

}  // extern "C"
