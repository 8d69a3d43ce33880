#include "server/main/settings_sources.h"

#include <yaml-cpp/yaml.h>

#include <regex>
#include <set>
#include <string_view>
#include <vector>

#include "absl/strings/str_split.h"
#include "server/base/printable.h"
#include "server/policy/document.h"
#include "yaml/text.h"

namespace socketeer {
namespace {

constexpr size_t kMaxFileBytes = 1 << 20;
constexpr size_t kMaxSaid = 300;  // bytes of what a parser says, or of a name that is not known

class FileReader {
 public:
  FileReader(const std::string& file, Values* out) : file_(file), out_(*out) {}

  std::string Read() {
    const auto text = policy::ReadOperatorFile("settings", file_, kMaxFileBytes);
    if (!text.ok()) return text.error().message;
    try {
      const auto root = yaml::LoadDocument(*text);
      return !root || root->IsNull() ? "" : ReadMap(*root);
    } catch (const YAML::Exception& error) {
      return At(error.mark) + base::Printable(error.msg, kMaxSaid);
    }
  }

 private:
  std::string At(const YAML::Mark& mark) const { return file_ + ":" + std::to_string(mark.line + 1) + ": "; }
  std::string At(const YAML::Node& node) const { return At(node.Mark()); }

  std::string ReadMap(const YAML::Node& root) {
    if (!root.IsMap()) return At(root) + "must be a map of " + SettingKeys();
    std::set<std::string> seen;
    for (const auto& entry : root) {
      const YAML::Node& key = entry.first;
      const std::string name = key.IsScalar() ? key.Scalar() : "";
      const std::string shown = "\"" + base::Printable(name, kMaxSaid) + "\"";
      if (!seen.insert(name).second) return At(key) + "the key " + shown + " is given twice";
      const Setting* const setting = FindSetting(name);
      if (setting == nullptr) return At(key) + "unknown key " + shown + "; known are " + SettingKeys();
      if (std::string wrong = ReadValue(*setting, key, entry.second); !wrong.empty()) return wrong;
    }
    return "";
  }

  std::string ReadValue(const Setting& setting, const YAML::Node& key, const YAML::Node& value) {
    // The mark of an empty value is behind it, that of its key is where one looks.
    const std::string must_be = At(value.IsNull() ? key : value) + setting.key + " must be " + setting.allowed;
    if (value.IsScalar()) return Keep(setting, value);
    if (!setting.is_list || !value.IsSequence() || value.size() == 0) return must_be;
    for (const YAML::Node& each : value) {
      if (!each.IsScalar()) return At(each) + setting.key + " must be " + setting.allowed;
      Keep(setting, each);
    }
    return "";
  }

  std::string Keep(const Setting& setting, const YAML::Node& scalar) {
    out_[setting.key].push_back({scalar.Scalar(), At(scalar) + setting.key});
    return "";
  }

  const std::string& file_;
  Values& out_;
};

// For a service of that name, or of one that begins with it: SOCKETEERD_SERVICE_HOST, SOCKETEERD_METRICS_PORT,
// SOCKETEERD_PORT_7625_TCP_ADDR.
bool IsOfKubernetes(std::string_view name) {
  static const std::regex form(
      "SOCKETEERD_(.*_)?(SERVICE_HOST|SERVICE_PORT(_.*)?|PORT(_[0-9]+_(TCP|UDP|SCTP)(_.*)?)?)");
  return std::regex_match(name.begin(), name.end(), form);
}

const Setting* SettingOfVariable(std::string_view name) {
  for (const Setting& each : AllSettings()) {
    if (each.variable() == name) return &each;
  }
  return nullptr;
}

std::string KnownVariables() {
  std::string text = "SOCKETEERD_CONFIG";
  for (const Setting& each : AllSettings()) text += ", " + each.variable();
  return text;
}

}  // namespace

std::string ReadSettingsFile(const std::string& file, Values* out) { return FileReader(file, out).Read(); }

std::string ReadSettingsEnvironment(char** environment, Values* out) {
  for (; *environment != nullptr; ++environment) {
    const std::string_view entry = *environment;
    const std::string_view name = entry.substr(0, entry.find('='));
    if (!name.starts_with("SOCKETEERD_") || name == "SOCKETEERD_CONFIG" || IsOfKubernetes(name)) continue;
    const Setting* const setting = SettingOfVariable(name);
    if (setting == nullptr) {
      return "unknown variable " + base::Printable(name, kMaxSaid) + "; known are " + KnownVariables();
    }
    const std::string text(name.size() < entry.size() ? entry.substr(name.size() + 1) : "");
    if (!setting->is_list) {
      (*out)[setting->key] = {{text, std::string(name)}};
      continue;
    }
    const std::vector<std::string> parts = absl::StrSplit(text, ',');
    for (const std::string& part : parts) (*out)[setting->key].push_back({part, std::string(name)});
  }
  return "";
}

}  // namespace socketeer
