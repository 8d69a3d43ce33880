#include "client/report/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "client/report/text.h"

namespace socketeer::report {
namespace {

absl::Status Failed(const std::string& path, int error) {
  const char* const name = strerrorname_np(error);
  return absl::DataLossError(absl::StrCat(path == "-" ? "standard output" : OneLine(path), " cannot be written: ",
                                          std::strerror(error), " (", name == nullptr ? "?" : name, ")"));
}

// 0, or an errno.
int WriteTo(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written < 0 && errno != EINTR) return errno;
    if (written > 0) text.remove_prefix(static_cast<size_t>(written));
  }
  return 0;
}

int WriteAndClose(int fd, std::string_view text) {
  const int error = WriteTo(fd, text);
  return close(fd) < 0 && error == 0 ? errno : error;
}

// What a symbolic link leads to is written, not the link.
std::string Resolved(const std::string& path) {
  char* const found = realpath(path.c_str(), nullptr);
  if (found == nullptr) return path;
  const std::string resolved = found;
  std::free(found);
  return resolved;
}

bool IsSpecial(const std::string& path) {
  struct stat found {};
  return stat(path.c_str(), &found) == 0 && !S_ISREG(found.st_mode);
}

int WriteSpecial(const std::string& path, std::string_view text) {
  const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NONBLOCK);  // a FIFO that nobody reads
  if (fd < 0) return errno;
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
  return WriteAndClose(fd, text);
}

// A name of our own in the same folder: rename(2) goes no further. Not mkstemp(3), whose file is nobody else's to read.
int WriteAtomically(const std::string& path, std::string_view text) {
  const std::string part = absl::StrCat(path, ".", getpid(), ".part");
  unlink(part.c_str());  // of a process that was killed and had our number
  const int fd = open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd < 0) return errno;
  int error = WriteAndClose(fd, text);
  if (error == 0 && rename(part.c_str(), path.c_str()) < 0) error = errno;
  if (error != 0) unlink(part.c_str());
  return error;
}

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

absl::Status WriteReport(const std::string& path, std::string_view text) {
  if (path == "-") {
    const int error = WriteTo(STDOUT_FILENO, text);
    return error == 0 ? absl::OkStatus() : Failed(path, error);
  }
  const std::string resolved = Resolved(path);
  const int error = IsSpecial(resolved) ? WriteSpecial(resolved, text) : WriteAtomically(resolved, text);
  return error == 0 ? absl::OkStatus() : Failed(path, error);
}

absl::Status CheckWritable(const std::string& path) {
  if (path == "-") return absl::OkStatus();
  struct stat found {};
  const std::string resolved = Resolved(path);
  if (stat(resolved.c_str(), &found) == 0) {
    if (S_ISDIR(found.st_mode)) return Failed(path, EISDIR);
    if (!S_ISREG(found.st_mode)) return access(resolved.c_str(), W_OK) == 0 ? absl::OkStatus() : Failed(path, errno);
  }
  if (!path.empty() && path.back() == '/') return Failed(path, EISDIR);
  const std::string folder = FolderOf(resolved);
  if (stat(folder.c_str(), &found) < 0) return Failed(path, errno);
  if (!S_ISDIR(found.st_mode)) return Failed(path, ENOTDIR);
  return access(folder.c_str(), W_OK | X_OK) == 0 ? absl::OkStatus() : Failed(path, errno);
}

}  // namespace socketeer::report
