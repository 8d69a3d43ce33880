#include "server/main/settings.h"

#include <fcntl.h>
#include <unistd.h>
#include <yaml-cpp/yaml.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <set>
#include <vector>

#include "server/base/fd.h"
#include "server/base/printable.h"
#include "server/rpc/listener.h"

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

// Reads one file into Given. Each function answers "" or what is wrong, with file and line.
class FileReader {
 public:
  FileReader(const std::string& file, Given* out) : file_(file), out_(out) {}

  std::string Read() {
    std::string text;
    if (const int number = ReadText(&text); number != 0) return file_ + ": " + std::strerror(number);
    try {
      const std::vector<YAML::Node> documents = YAML::LoadAll(text);
      if (documents.size() > 1) return At(documents[1]) + "a second document";
      return documents.empty() || documents[0].IsNull() ? "" : ReadMap(documents[0]);
    } catch (const YAML::Exception& error) {
      return At(error.mark) + error.msg;
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
    if (!root.IsMap()) return At(root) + "must be a map of listen and loops";
    std::set<std::string> seen;
    for (const auto& entry : root) {
      const YAML::Node& key = entry.first;
      const YAML::Node& value = entry.second;
      const std::string name = key.IsScalar() ? key.Scalar() : "";
      if (!seen.insert(name).second) return At(key) + "the key \"" + name + "\" is given twice";
      // The mark of an empty value is behind it, that of its key is where one looks.
      const std::string where = At(value.IsNull() ? key : value);
      std::string wrong;
      if (name == "listen") {
        wrong = ReadListen(value, where);
      } else if (name == "loops") {
        wrong = ReadLoops(value, where);
      } else {
        wrong = At(key) + "unknown key \"" + name + "\"; known are listen and loops";
      }
      if (!wrong.empty()) return wrong;
    }
    return "";
  }

  std::string ReadLoops(const YAML::Node& value, const std::string& where) {
    int loops = 0;
    if (!value.IsScalar() || !YAML::convert<int>::decode(value, loops) || loops < 1 || loops > rpc::kMaxLoops) {
      return where + "loops must be a number from 1 to " + std::to_string(rpc::kMaxLoops);
    }
    out_->loops = loops;
    return "";
  }

  std::string ReadListen(const YAML::Node& value, const std::string& where) {
    if (value.IsScalar()) return ReadEndpoint(value);
    if (!value.IsSequence() || value.size() == 0) return where + "listen must be an endpoint, or a list of endpoints";
    for (const YAML::Node& each : value) {
      if (std::string wrong = ReadEndpoint(each); !wrong.empty()) return wrong;
    }
    return "";
  }

  std::string ReadEndpoint(const YAML::Node& value) {
    if (!value.IsScalar()) return At(value) + "listen must be an endpoint, or a list of endpoints";
    if (auto status = rpc::CheckEndpoint(value.Scalar()); !status.ok()) return At(value) + status.error().message;
    out_->listen.push_back(value.Scalar());
    return "";
  }

  const std::string& file_;
  Given* const out_;
};

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
                 "lets the kernel choose. Default: " +
                     (DefaultListen().empty() ? "none" : DefaultListen()))
      ->type_name("ENDPOINT")
      ->expected(1)
      ->take_all();
  app.add_option("--loops", flags.loops,
                 "Event loops, each with a thread, among which the sockets are spread. Default: 1")
      ->type_name("N")
      ->check(CLI::Range(1, rpc::kMaxLoops));
  app.add_option("--config", config, "A YAML file with these options' names as keys; a flag wins over it")
      ->type_name("FILE");
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return Farewell{app.help(), 0};
  } catch (const CLI::CallForVersion& version) {
    return Farewell{std::string(version.what()) + "\n", 0};
  } catch (const CLI::ParseError& error) {
    return Wrong(base::Printable(error.what(), 300) + " (see --help)");
  }

  Given file;
  if (!config.empty()) {
    if (const std::string wrong = FileReader(config, &file).Read(); !wrong.empty()) return Wrong(wrong);
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
