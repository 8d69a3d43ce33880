#include "client/lib/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "socketeer/text.h"

namespace socketeer::internal {
namespace {

absl::Status CheckGuard(int fd, const std::string& path, Guard guard) {
  if (guard == Guard::kNone) return absl::OkStatus();
  struct stat found {};
  if (fstat(fd, &found) < 0) return Unfit(path, std::strerror(errno));
  if (found.st_uid != geteuid() && found.st_uid != 0) {
    return Unfit(path, "belongs to another user, uid " + std::to_string(found.st_uid) +
                           "; it must be this user's or root's: chown " + std::to_string(geteuid()));
  }
  const bool trusted = guard == Guard::kTrusted;
  if ((found.st_mode & (trusted ? S_IWGRP | S_IWOTH : S_IRWXG | S_IRWXO)) == 0) return absl::OkStatus();
  char octal[8];
  std::snprintf(octal, sizeof(octal), "%04o", found.st_mode & 07777);
  return Unfit(path, "has mode " + std::string(octal) + "; nobody else may " +
                         (trusted ? "write it: chmod go-w" : "read or write it: chmod 600"));
}

absl::StatusOr<std::string> ReadOpen(int fd, const std::string& path, size_t most) {
  std::string text;
  char buffer[4096];
  ssize_t count = 0;
  while (text.size() <= most && (count = read(fd, buffer, sizeof(buffer))) > 0) {
    text.append(buffer, static_cast<size_t>(count));
  }
  if (count < 0) return Unfit(path, std::strerror(errno));
  if (text.size() > most) return Unfit(path, "is longer than " + std::to_string(most >> 20) + " MiB");
  return text;
}

}  // namespace

absl::StatusOr<std::string> ReadFile(const std::string& path, Guard guard, size_t most) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return Unfit(path, std::strerror(errno));
  const absl::Status guarded = CheckGuard(fd, path, guard);
  absl::StatusOr<std::string> text = guarded.ok() ? ReadOpen(fd, path, most) : guarded;
  close(fd);
  return text;
}

absl::Status Unfit(const std::string& path, std::string_view why) {
  return absl::InvalidArgumentError(Printable(path) + ": " + std::string(why));
}

}  // namespace socketeer::internal
