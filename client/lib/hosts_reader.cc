#include "client/lib/hosts_reader.h"

#include <filesystem>
#include <utility>

#include "client/lib/channel.h"
#include "client/lib/host_port.h"
#include "socketeer/names.h"
#include "socketeer/text.h"

namespace socketeer::internal {
namespace {

constexpr size_t kMaxHosts = 1'000;
constexpr size_t kMaxHostLabels = 64;
constexpr size_t kMaxPathBytes = 4'095;  // PATH_MAX, without its NUL
constexpr char kAddressForms[] = "a daemon's address: unix:PATH, /PATH, ./PATH or HOST[:PORT]";

const char* KindOf(const YAML::Node& node) {
  return node.IsSequence() ? "a list" : node.IsMap() ? "a map" : node.IsNull() ? "nothing" : "text";
}

class HostsReader {
 public:
  HostsReader(std::string folder, yaml::Problems* problems) : folder_(std::move(folder)), problems_(*problems) {}

  std::vector<HostEntry> Read(const YAML::Node& root) {
    const yaml::Fields fields(root, {"defaults", "hosts"}, &problems_);
    if (fields.Has("defaults")) {
      const YAML::Node node = fields["defaults"];
      defaults_ = Files(yaml::Fields(node, {"ca", "cert", "key", "token_file"}, &problems_), node);
    }
    std::vector<HostEntry> hosts;
    const std::vector<YAML::Node> nodes = problems_.List(fields["hosts"], "hosts", kMaxHosts);
    if (nodes.empty()) problems_.Note(root, "there are no hosts: the key hosts must be a list of at least one");
    hosts.reserve(nodes.size());
    for (const YAML::Node& each : nodes) hosts.push_back(ReadHost(each));
    return hosts;
  }

 private:
  HostEntry ReadHost(const YAML::Node& node) {
    const yaml::Fields fields(node, {"name", "address", "data_address", "ca", "cert", "key", "token_file", "labels"},
                              &problems_);
    HostEntry host;
    for (const char* const key : {"name", "address"}) {
      if (!fields.Has(key)) problems_.Note(node, "the key " + std::string(key) + " of a host is missing");
    }
    if (fields.Has("name")) host.name = ReadName(fields["name"]);
    if (fields.Has("address")) host.address = ReadAddress(fields["address"]);
    if (fields.Has("data_address")) host.data_address = ReadDataAddress(fields["data_address"]);
    const CredentialFiles own = Files(fields, node);
    if (IsUnixAddress(host.address)) {
      CheckNoTls(fields, host.address);
      host.credentials = own;
    } else {
      const bool paired = !own.cert.empty();
      host.credentials = {.ca = own.ca.empty() ? defaults_.ca : own.ca,
                          .cert = paired ? own.cert : defaults_.cert,
                          .key = paired ? own.key : defaults_.key,
                          .token_file = own.token_file};
    }
    if (own.token_file.empty()) host.credentials.token_file = defaults_.token_file;
    if (fields.Has("labels")) host.labels = ReadLabels(fields["labels"]);
    return host;
  }

  std::string ReadName(const YAML::Node& node) {
    std::string name = Text("name", node);
    const absl::Status status = CheckHostName(name);
    if (!status.ok()) problems_.Note(node, "name: " + std::string(status.message()));
    const auto [first, fresh] = lines_.emplace(name, yaml::Problems::LineOf(node));
    if (!fresh) {
      problems_.Note(node, "name: " + Quoted(name) + " is taken by the host in line " + std::to_string(first->second));
    }
    return name;
  }

  std::string ReadAddress(const YAML::Node& node) {
    std::string address = Text("address", node);
    if (IsUnixAddress(address)) {
      const std::string path = address.starts_with("unix:") ? address.substr(5) : address;
      if (!path.empty()) address = "unix:" + InFolder(path);
    }
    const absl::Status status = ParseTarget(address).status();
    if (!status.ok()) {
      problems_.Note(node, "address: " + std::string(status.message()) + "; it must be " + kAddressForms);
    }
    return address;
  }

  std::string ReadDataAddress(const YAML::Node& node) {
    std::string address = Text("data_address", node);
    if (!IsIpv4(address) && !IsIpv6(address) && !IsHostName(address)) {
      problems_.Note(node, "data_address: " + Quoted(address) + " is no IP address and no name; it has no port");
    }
    return address;
  }

  // The files that `fields`, of `node`, name.
  CredentialFiles Files(const yaml::Fields& fields, const YAML::Node& node) {
    const auto file = [&](const char* key) { return fields.Has(key) ? InFolder(Text(key, fields[key])) : ""; };
    CredentialFiles files{.ca = file("ca"), .cert = file("cert"), .key = file("key"), .token_file = file("token_file")};
    if (files.cert.empty() != files.key.empty()) {
      problems_.Note(node, files.key.empty() ? "there is a cert without its key" : "there is a key without its cert");
    }
    return files;
  }

  void CheckNoTls(const yaml::Fields& fields, const std::string& address) {
    for (const char* const key : {"ca", "cert", "key"}) {
      if (!fields.Has(key)) continue;
      problems_.Note(fields[key], std::string(key) + " does not go with the UNIX socket " + Quoted(address) +
                                      ", over which there is no TLS; of credentials token_file does");
    }
  }

  std::map<std::string, std::string> ReadLabels(const YAML::Node& node) {
    std::map<std::string, std::string> labels;
    if (!node.IsMap()) {
      problems_.Note(node, "labels must be a map of text, not " + std::string(KindOf(node)));
      return labels;
    }
    if (node.size() > kMaxHostLabels) {
      problems_.Note(
          node, std::to_string(node.size()) + " labels; at most " + std::to_string(kMaxHostLabels) + " are allowed");
      return labels;
    }
    for (const auto& entry : node) {
      const std::string key = Text("a label's key", entry.first);
      std::string value = Scalar("label " + Quoted(key), entry.second);
      for (const auto& [status, at] : {std::pair(CheckLabelKey(key), entry.first),  //
                                       std::pair(CheckLabelValue(value), entry.second)}) {
        if (!status.ok()) problems_.Note(at, "labels: " + std::string(status.message()));
      }
      const bool fresh = labels.emplace(key, std::move(value)).second;
      if (!fresh) problems_.Note(entry.first, "labels: the key " + Quoted(key) + " is given twice");
    }
    return labels;
  }

  // What stands there as text; "" and a problem when it is none.
  std::string Scalar(const std::string& key, const YAML::Node& node) {
    if (!node.IsScalar()) {
      problems_.Note(node, key + " must be text, not " + KindOf(node));
      return "";
    }
    const std::string& tag = node.Tag();  // "?" and "!" are YAML's own, for plain and quoted text
    if (tag.size() > 1) problems_.Note(node, key + ": the tag " + Quoted(tag) + " is not allowed");
    return node.Scalar();
  }

  // The same, of 1 to 4,095 bytes.
  std::string Text(const std::string& key, const YAML::Node& node) {
    std::string text = Scalar(key, node);
    if (text.empty() || text.size() > kMaxPathBytes || text.find('\0') != text.npos) {
      problems_.Note(node, key + " is " + Quoted(text) + "; it must be 1 to 4,095 bytes, none of them NUL");
    }
    return text;
  }

  std::string InFolder(const std::string& path) const {
    return path.empty() ? path : (std::filesystem::path(folder_) / path).string();
  }

  const std::string folder_;
  yaml::Problems& problems_;
  CredentialFiles defaults_;
  std::map<std::string, int> lines_;  // of each name
};

}  // namespace

std::vector<HostEntry> ReadHosts(const YAML::Node& root, const std::string& folder, yaml::Problems* problems) {
  return HostsReader(folder, problems).Read(root);
}

}  // namespace socketeer::internal
