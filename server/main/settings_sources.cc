#include "server/main/settings_sources.h"

#include <fcntl.h>
#include <unistd.h>
#include <yaml-cpp/yaml.h>

#include <cerrno>
#include <cstring>
#include <set>
#include <string_view>
#include <vector>

#include "absl/strings/str_split.h"
#include "server/base/fd.h"
#include "server/base/printable.h"
#include "yaml/text.h"

namespace socketeer {
namespace {

constexpr size_t kMaxSaid = 300;  // bytes of what a parser says, or of a name that is not known

class FileReader {
 public:
  FileReader(const std::string& file, Values* out) : file_(file), out_(*out) {}

  std::string Read() {
    std::string text;
    if (const int number = ReadText(&text); number != 0) return file_ + ": " + std::strerror(number);
    try {
      const auto root = yaml::LoadDocument(text);
      return !root || root->IsNull() ? "" : ReadMap(*root);
    } catch (const YAML::Exception& error) {
      return At(error.mark) + base::Printable(error.msg, kMaxSaid);
    }
  }

 private:
  std::string At(const YAML::Mark& mark) const { return file_ + ":" + std::to_string(mark.line + 1) + ": "; }
  std::string At(const YAML::Node& node) const { return At(node.Mark()); }

  // 0 or an errno.
  int ReadText(std::string* text) const {
    const base::Fd fd(open(file_.c_str(), O_RDONLY | O_CLOEXEC));
    if (fd.get() < 0) return errno;
    char buffer[4096];
    ssize_t count = 0;
    while ((count = read(fd.get(), buffer, sizeof(buffer))) > 0) text->append(buffer, static_cast<size_t>(count));
    return count < 0 ? errno : 0;
  }

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

// For a service of that name; SOCKETEERD_PORT is "tcp://10.0.0.1:7625".
bool IsOfKubernetes(std::string_view name) {
  return name.starts_with("SOCKETEERD_SERVICE_") || name == "SOCKETEERD_PORT" || name.starts_with("SOCKETEERD_PORT_");
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
