// Where settings come from beside the command line. Each function fills `out`, and says "" or what is wrong, with its
// place; what a setting's values may be is not looked at, see WrongValue().
#pragma once

#include <string>

#include "server/main/setting.h"

namespace socketeer {

// A YAML file with the settings' keys.
std::string ReadSettingsFile(const std::string& file, Values* out);

// Variables SOCKETEERD_KEY, lists with commas. Any other SOCKETEERD_ variable is a mistake, but SOCKETEERD_CONFIG, and
// what Kubernetes sets in the containers beside a service that is called socketeerd.
std::string ReadSettingsEnvironment(char** environment, Values* out);

}  // namespace socketeer
