#include "socketeer/hosts_file.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <utility>

#include "client/lib/channel.h"
#include "client/lib/file.h"
#include "client/lib/hosts_reader.h"
#include "socketeer/status_macros.h"
#include "socketeer/text.h"
#include "yaml/text.h"

namespace socketeer {
namespace {

constexpr size_t kMaxHostsFileBytes = 1 << 20;
constexpr size_t kMaxNamesShown = 8;

// How many letters to add, remove or replace to make one of the other.
size_t EditDistance(std::string_view from, std::string_view to) {
  std::vector<size_t> row(to.size() + 1);
  for (size_t i = 0; i < row.size(); ++i) row[i] = i;
  for (size_t i = 0; i < from.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i + 1);
    for (size_t j = 0; j < to.size(); ++j) {
      const size_t replaced = diagonal + (from[i] == to[j] ? 0 : 1);
      diagonal = std::exchange(row[j + 1], std::min({replaced, row[j] + 1, row[j + 1] + 1}));
    }
  }
  return row.back();
}

// "a, b and 3 more".
std::string FirstOf(const std::vector<std::string>& all) {
  std::string first;
  for (size_t i = 0; i < std::min(all.size(), kMaxNamesShown); ++i) first += (i == 0 ? "" : ", ") + all[i];
  if (all.size() > kMaxNamesShown) first += " and " + std::to_string(all.size() - kMaxNamesShown) + " more";
  return first;
}

std::string LabelText(const std::pair<const std::string, std::string>& label) {
  return Printable(label.first) + "=" + Printable(label.second);
}

bool Carries(const HostEntry& host, const std::map<std::string, std::string>& labels) {
  return std::includes(host.labels.begin(), host.labels.end(), labels.begin(), labels.end());
}

}  // namespace

absl::StatusOr<HostsFile> HostsFile::Load(const std::string& path) {
  SOCKETEER_ASSIGN_OR_RETURN(const std::string text,
                             internal::ReadFile(path, internal::Guard::kTrusted, kMaxHostsFileBytes));
  return Parse(text, path);
}

absl::StatusOr<HostsFile> HostsFile::Parse(const std::string& text, const std::string& path) {
  yaml::Problems problems(Printable(path), Printable, yaml::Places::kColumns);
  std::vector<HostEntry> hosts;
  const std::string folder = std::filesystem::path(path).parent_path().string();
  yaml::ReadDocument(
      text, "there are no hosts",
      [&](const YAML::Node& root, auto*) { hosts = internal::ReadHosts(root, folder, &problems); }, &problems);
  if (!problems.first().empty()) return absl::InvalidArgumentError(problems.first());
  return HostsFile(path, std::move(hosts));
}

absl::StatusOr<HostEntry> HostsFile::Find(std::string_view name) const {
  std::vector<std::pair<size_t, std::string>> others;  // nearest first
  for (const HostEntry& host : hosts_) {
    if (host.name == name) return host;
    others.emplace_back(EditDistance(name.substr(0, 64), host.name), host.name);
  }
  std::stable_sort(others.begin(), others.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> known;
  for (const auto& [distance, other] : others) known.push_back(other);
  return absl::InvalidArgumentError("there is no host " + Quoted(name) + " in " + Printable(path_) + "; there is " +
                                    FirstOf(known));
}

absl::StatusOr<std::vector<HostEntry>> HostsFile::Select(const std::map<std::string, std::string>& labels) const {
  std::vector<HostEntry> selected;
  std::set<std::string> known;
  for (const HostEntry& host : hosts_) {
    if (Carries(host, labels)) selected.push_back(host);
    for (const auto& label : host.labels) known.insert(LabelText(label));
  }
  if (!selected.empty()) return selected;
  std::string wanted;
  for (const auto& label : labels) wanted += (wanted.empty() ? "" : " and ") + LabelText(label);
  return absl::InvalidArgumentError(
      "no host in " + Printable(path_) + " is labelled " + wanted + "; there is " +
      (known.empty() ? "no label in it" : FirstOf(std::vector<std::string>(known.begin(), known.end()))));
}

std::string DataAddressOf(const HostEntry& host) {
  if (!host.data_address.empty()) return host.data_address;
  const absl::StatusOr<internal::Target> target = internal::ParseTarget(host.address);
  return target.ok() ? target->host : "";
}

std::string DefaultHostsFile() {
  namespace fs = std::filesystem;
  const auto variable = [](const char* name) {
    const char* const value = std::getenv(name);
    return fs::path(value == nullptr ? "" : value);
  };
  fs::path folder = variable("XDG_CONFIG_HOME");
  if (!folder.is_absolute()) {  // as its specification has it: such a one counts as none
    const fs::path own = variable("HOME");
    if (!own.is_absolute()) return "";
    folder = own / ".config";
  }
  const std::string path = (folder / "socketeer/hosts.yaml").string();
  // One that is there and cannot be read is for Load to tell.
  struct stat found {};
  return lstat(path.c_str(), &found) < 0 && (errno == ENOENT || errno == ENOTDIR) ? "" : path;
}

}  // namespace socketeer
