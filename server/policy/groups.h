// The names that a policy's rules use for several identities or addresses.
#pragma once

#include <yaml-cpp/yaml.h>

#include <map>
#include <string>
#include <vector>

#include "server/policy/ip.h"
#include "server/policy/yaml_fields.h"

namespace socketeer::policy {

class Groups {
 public:
  // With those that are always there: any, loopback, private, link-local, metadata, wildcard.
  Groups();

  // The keys identities and addresses of the file; undefined: none.
  void ReadIdentities(const YAML::Node& node, Problems* problems);
  void ReadAddresses(const YAML::Node& node, Problems* problems);

  // What stands in a rule: groups, patterns of identities, ranges.
  std::vector<std::string> Identities(const YAML::Node& node, Problems* problems) const;
  std::vector<IpRange> Addresses(const YAML::Node& node, Problems* problems) const;

 private:
  template <typename Member, typename ReadMembers>
  static void Read(const YAML::Node& node, const char* key, std::map<std::string, std::vector<Member>>* groups,
                   Problems* problems, ReadMembers read_members);
  static void AddIdentity(const Word& word, std::vector<std::string>* to, Problems* problems);

  std::map<std::string, std::vector<std::string>> identities_;
  std::map<std::string, std::vector<IpRange>> addresses_;
};

}  // namespace socketeer::policy
