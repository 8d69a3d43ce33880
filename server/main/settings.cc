#include "server/main/settings.h"

#include <unistd.h>
#include <yaml-cpp/yaml.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <optional>
#include <vector>

namespace socketeer {
namespace {

constexpr char kAbout[] =
    "socketeerd holds sockets on this host for callers elsewhere: they open, use and close them over gRPC,\n"
    "with the command socketeer, the C++ library, or any gRPC tool.\n"
    "\n"
    "Without options it serves one UNIX socket, for this user alone. It never serves a network: another\n"
    "host reaches it through ssh -L.\n";

constexpr char kExamples[] =
    "\nExamples:\n"
    "  socketeerd\n"
    "  socketeerd --listen unix:/run/socketeer.sock --loops 4\n"
    "  socketeerd --listen 127.0.0.1:7625      every local user may call it\n"
    "  socketeerd --config /etc/socketeer.yaml\n"
    "\n"
    "A configuration file has the options' names as keys:\n"
    "  listen: [unix:/run/socketeer.sock]\n"
    "  loops: 4\n"
    "\n"
    "SIGTERM or SIGINT: waiting calls end, sockets close, exit status 0. A second one ends it at once.\n";

struct Given {
  std::vector<std::string> listen;
  std::optional<int> loops;
};

std::string At(const std::string& file, const YAML::Mark& mark) {
  return file + ":" + std::to_string(mark.line + 1) + ": ";
}

bool ReadLoops(const YAML::Node& node, std::optional<int>* loops) {
  int value = 0;
  if (!node.IsScalar() || !YAML::convert<int>::decode(node, value)) return false;
  if (value < 1 || value > rpc::kMaxLoops) return false;
  *loops = value;
  return true;
}

bool ReadListen(const YAML::Node& node, std::vector<std::string>* listen) {
  if (node.IsScalar()) {
    listen->push_back(node.Scalar());
    return true;
  }
  if (!node.IsSequence() || node.size() == 0) return false;
  for (const YAML::Node& each : node) {
    if (!each.IsScalar()) return false;
    listen->push_back(each.Scalar());
  }
  return true;
}

// "" or what is wrong.
std::string ReadFile(const std::string& file, Given* out) {
  YAML::Node root;
  try {
    root = YAML::LoadFile(file);
  } catch (const YAML::BadFile&) {
    return file + ": cannot be read";
  } catch (const YAML::Exception& error) {
    return At(file, error.mark) + error.msg;
  }
  if (root.IsNull()) return "";
  if (!root.IsMap()) return At(file, root.Mark()) + "must be a map of listen and loops";
  for (const auto& entry : root) {
    const YAML::Node& key = entry.first;
    const YAML::Node& value = entry.second;
    const std::string name = key.IsScalar() ? key.Scalar() : "";
    if (name == "listen") {
      if (!ReadListen(value, &out->listen)) {
        return At(file, value.Mark()) + "listen must be an endpoint, or a list of endpoints";
      }
    } else if (name == "loops") {
      if (!ReadLoops(value, &out->loops)) {
        return At(file, value.Mark()) + "loops must be a number from 1 to " +
               std::to_string(rpc::kMaxLoops);
      }
    } else {
      return At(file, key.Mark()) + "unknown key \"" + name + "\"; known are listen and loops";
    }
  }
  return "";
}

Farewell Wrong(const std::string& what) { return {"socketeerd: " + what + "\n", 1}; }

}  // namespace

std::string DefaultListen() {
  if (geteuid() == 0) return "unix:/run/socketeer.sock";
  const char* const folder = std::getenv("XDG_RUNTIME_DIR");
  return folder != nullptr && *folder != '\0' ? "unix:" + std::string(folder) + "/socketeer.sock" : "";
}

std::variant<rpc::ServerSettings, Farewell> ReadSettings(int argc, char** argv) {
  CLI::App app(kAbout, "socketeerd");
  app.footer(kExamples);
  app.set_version_flag("--version", std::string("socketeerd ") + SOCKETEER_VERSION);
  Given flags;
  std::string config;
  app.add_option("--listen", flags.listen,
                 "Where callers reach it; repeatable: unix:PATH (mode 0600), 127.0.0.1:PORT or [::1]:PORT; PORT 0 "
                 "lets the kernel choose. Default: " + (DefaultListen().empty() ? "none" : DefaultListen()))
      ->type_name("ENDPOINT")->expected(1)->take_all();
  app.add_option("--loops", flags.loops, "Event loops, each with a thread, among which the sockets are spread. Default: 1")
      ->type_name("N")->check(CLI::Range(1, rpc::kMaxLoops));
  app.add_option("--config", config, "A YAML file with these options' names as keys; a flag wins over it")
      ->type_name("FILE");
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return Farewell{app.help(), 0};
  } catch (const CLI::CallForVersion& version) {
    return Farewell{std::string(version.what()) + "\n", 0};
  } catch (const CLI::ParseError& error) {
    return Wrong(std::string(error.what()) + " (see --help)");
  }

  Given file;
  if (!config.empty()) {
    if (const std::string wrong = ReadFile(config, &file); !wrong.empty()) return Wrong(wrong);
  }
  rpc::ServerSettings settings;
  settings.listen = !flags.listen.empty() ? flags.listen : file.listen;
  if (settings.listen.empty() && !DefaultListen().empty()) settings.listen = {DefaultListen()};
  if (settings.listen.empty()) {
    return Wrong("where to listen? XDG_RUNTIME_DIR is not set; say --listen unix:PATH");
  }
  settings.loops = flags.loops.value_or(file.loops.value_or(1));
  return settings;
}

}  // namespace socketeer
