// The hosts that a person or a program works with, by name: where each one's daemon is, and what it is shown.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "socketeer/credentials.h"

namespace socketeer {

struct HostEntry {
  // [a-z][a-z0-9-]{0,62}
  std::string name{};
  // As Host::Connect takes it. A UNIX socket's path that was relative to the file's folder has that in front.
  std::string address{};
  // An IP address, or a name, at which others reach the host's sockets; "": the file says none. See DataAddressOf.
  std::string data_address{};
  // The host's own, else the file's defaults; relative paths likewise. Over a UNIX socket of the defaults only the
  // token. ReadCredentials reads them.
  CredentialFiles credentials{};
  std::map<std::string, std::string> labels{};
};

// A hosts file, as docs/hosts.md has it. It does not change once it is read: threads may share it.
//
//   auto hosts = socketeer::HostsFile::Load("hosts.yaml");
//   auto entry = hosts->Find("build-3");
//   auto credentials = socketeer::ReadCredentials(entry->credentials);
//   auto host = socketeer::Host::Connect(entry->address, {.credentials = *credentials});
class HostsFile {
 public:
  // Reads the whole file, but none that it names. INVALID_ARGUMENT, for people, which begins with its path, and with
  // line and column of the first mistake ("hosts.yaml:3:5: ..."): it cannot be read, is longer than 1 MiB, is not what
  // docs/hosts.md says, or another user may write it, who could then say where tokens are sent.
  static absl::StatusOr<HostsFile> Load(const std::string& path);
  // The same of a text that stands for the file at `path`, which is not opened.
  static absl::StatusOr<HostsFile> Parse(const std::string& text, const std::string& path);

  // In the order of the file; never none.
  const std::vector<HostEntry>& hosts() const { return hosts_; }
  // The host of this name. INVALID_ARGUMENT when there is none: the message has the names that there are, the likely
  // ones first.
  absl::StatusOr<HostEntry> Find(std::string_view name) const;
  // Those that carry every one of `labels`, in the order of the file; all, if it is empty. INVALID_ARGUMENT when there
  // is none: the message has the labels that there are.
  absl::StatusOr<std::vector<HostEntry>> Select(const std::map<std::string, std::string>& labels) const;

 private:
  HostsFile(std::string path, std::vector<HostEntry> hosts) : path_(std::move(path)), hosts_(std::move(hosts)) {}

  std::string path_;
  std::vector<HostEntry> hosts_;
};

// At which others reach the host's sockets: its data_address, else the host of its daemon's address. "": neither is
// there, for the daemon's address is a UNIX socket's.
std::string DataAddressOf(const HostEntry& host);

// Where this user's is looked for: $XDG_CONFIG_HOME/socketeer/hosts.yaml, without that variable
// ~/.config/socketeer/hosts.yaml. "": there is no such file.
std::string DefaultHostsFile();

}  // namespace socketeer
