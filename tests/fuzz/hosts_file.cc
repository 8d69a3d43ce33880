// A hosts file: read or refused with its place; of one that was read, each host is found by its name and could be
// called.
#include "socketeer/hosts_file.h"

#include <cstdint>
#include <cstdlib>
#include <string>

#include "socketeer/names.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace socketeer;  // NOLINT: a target of one function
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto file = HostsFile::Parse(text, "f/h");
  if (!file.ok()) {
    if (!std::string(file.status().message()).starts_with("f/h:")) std::abort();
    return 0;
  }
  if (file->hosts().empty()) std::abort();
  for (const HostEntry& host : file->hosts()) {
    const auto found = file->Find(host.name);
    if (!found.ok() || found->address != host.address || !CheckHostName(host.name).ok()) std::abort();
    if (host.address.empty() || host.credentials.cert.empty() != host.credentials.key.empty()) std::abort();
    if (host.address.starts_with("unix:") && !host.credentials.ca.empty()) std::abort();
    for (const auto& [key, value] : host.labels) {
      if (!CheckLabelKey(key).ok() || !CheckLabelValue(value).ok()) std::abort();
    }
  }
  if (file->Find("no-such-host-by-far").ok() && text.find("no-such-host-by-far") == text.npos) std::abort();
  return 0;
}
