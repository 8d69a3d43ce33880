#include "server/policy/document.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "server/base/fd.h"
#include "server/base/printable.h"

namespace socketeer::policy {

base::Result<std::string> ReadOperatorFile(const std::string& what, const std::string& file, size_t most) {
  const auto unfit = [&](const std::string& why) {
    base::Error error;
    error.code = base::Code::kInvalidArgument;
    error.message = what + " " + base::Printable(file) + ": " + why;
    return error;
  };
  // Nonblocking: or a FIFO would be waited for.
  const base::Fd fd(open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat found {};
  if (fd.get() < 0 || fstat(fd.get(), &found) < 0) return unfit(std::strerror(errno));
  if (!S_ISREG(found.st_mode)) return unfit("not a file");
  if (found.st_uid != geteuid() && found.st_uid != 0) {
    return unfit("belongs to another user, uid " + std::to_string(found.st_uid) +
                 "; it must be this user's or root's: chown " + std::to_string(geteuid()));
  }
  if ((found.st_mode & (S_IWGRP | S_IWOTH)) != 0) return unfit("others than its owner may write it: chmod go-w");
  std::string text(most + 1, '\0');
  size_t size = 0;
  for (ssize_t got = 1; got != 0 && size < text.size(); size += static_cast<size_t>(got)) {
    got = read(fd.get(), text.data() + size, text.size() - size);
    if (got < 0) return unfit(std::strerror(errno));
  }
  if (size == text.size()) return unfit("larger than " + std::to_string(most) + " bytes");
  text.resize(size);
  return text;
}

std::string ReadDocument(const std::string& text, const std::string& file, const std::string& empty,
                         const yaml::ReadRootNode& read) {
  Problems problems(file, base::Printable);
  yaml::ReadDocument(text, empty, read, &problems);
  return problems.first();
}

}  // namespace socketeer::policy
