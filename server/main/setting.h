// What the daemon can be told: one table for its flags, its environment and its file.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/result.h"

namespace socketeer {

struct Setting {
  std::string key;        // in the file: "tls_cert"
  std::string flag;       // "--tls-cert"
  std::string type_name;  // in --help, like the next
  std::string description;
  bool is_list = false;
  std::string allowed;  // what it must be, each of them if it is a list: "a file's path"
  // What a text must be, if it is not that; "" if it is.
  std::string (*must_be)(const std::string& text);

  // In the environment: "SOCKETEERD_TLS_CERT".
  std::string variable() const;
};

// In the order of --help.
const std::vector<Setting>& AllSettings();
// Null when there is none.
const Setting* FindSetting(std::string_view key);
// "listen, loops, health and audit"
std::string SettingKeys();

// Who gave a value, as a message begins: "--loops", "SOCKETEERD_LOOPS", "socketeer.yaml:3: loops".
struct Value {
  std::string text;
  std::string subject;
};
// By key; what was not given is not there.
using Values = std::map<std::string, std::vector<Value>>;

// "--loops is "0"; it must be ..."
std::string Refusal(const Value& value, const std::string& must_be);
// Says what is wrong with the first value that is; "" if none is.
std::string WrongValue(const Setting& setting, const std::vector<Value>& values);

}  // namespace socketeer
