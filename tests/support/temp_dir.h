// A directory of its own for a test, gone with everything in it when the test ends.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace socketeer::testing {

class TempDir {
 public:
  TempDir() {
    char pattern[] = "/tmp/socketeer-XXXXXX";  // short: a UNIX socket's path has at most 108 bytes
    if (mkdtemp(pattern) == nullptr) std::abort();
    path_ = pattern;
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir() {
    std::error_code ignored;  // what cannot be removed must not hide why the test failed
    std::filesystem::remove_all(path_, ignored);
  }

  const std::string& path() const { return path_; }
  std::string File(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace socketeer::testing
