#include "server/main/settings.h"

#include <fcntl.h>
#include <unistd.h>
#include <yaml-cpp/yaml.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "server/base/fd.h"
#include "server/base/printable.h"
#include "server/main/confinement.h"
#include "server/rpc/listener.h"
#include "yaml/text.h"

namespace socketeer {
namespace {

constexpr char kAbout[] =
    "socketeerd holds sockets on this host for callers elsewhere: they open, use and close them over gRPC,\n"
    "with the command socketeer, the C++ library, or any gRPC tool.\n"
    "\n"
    "Without options it serves one UNIX socket, for this user alone. With --tls-cert, --tls-key and\n"
    "--client-ca, TCP callers are who their certificate says, SAN URI or DNS; with --token-file, who their\n"
    "token says, over TLS or the UNIX socket. With --policy they may do what that says, and nothing else. It\n"
    "serves a network only with all three: TLS, callers with identities, and a policy.\n";

constexpr char kExamples[] =
    "\nExamples:\n"
    "  socketeerd\n"
    "  socketeerd --listen unix:/run/socketeer.sock --loops 4\n"
    "  socketeerd --listen 127.0.0.1:7625      every local user may call it\n"
    "  socketeerd --listen 127.0.0.1:7625 --tls-cert host.pem --tls-key host.key --client-ca ca.pem\n"
    "  socketeerd --listen 10.20.0.1:7625 --tls-cert host.pem --tls-key host.key --client-ca ca.pem --policy lab.yaml\n"
    "  socketeerd --config /etc/socketeer.yaml\n"
    "\n"
    "A configuration file has the options' names as keys:\n"
    "  listen: [unix:/run/socketeer.sock]\n"
    "  loops: 4\n"
    "\n"
    "A token file has a line NAME sha256:HEX for each token, the hash being that of the token:\n"
    "  printf %s \"$TOKEN\" | sha256sum\n"
    "\n"
    "SIGHUP: the token file, the policy and the quotas are read again; a wrong one changes nothing. The audit\n"
    "goes on in the file that has its name then. Certificates that are replaced are served within seconds\n"
    "by themselves.\n"
    "SIGTERM or SIGINT: waiting calls end, sockets close, exit status 0. A second one ends it at once.\n";

constexpr size_t kMaxProblem = 300;  // bytes of what a parser says

struct Given {
  std::vector<std::string> listen;
  std::vector<std::string> keep_capabilities;
  std::optional<int> loops;
  std::string health;
  // As in the file; a flag has dashes.
  std::map<std::string, std::string> paths{{"tls_cert", ""}, {"tls_key", ""}, {"client_ca", ""}, {"token_file", ""},
                                           {"policy", ""},   {"audit", ""},   {"quotas", ""}};

  // All but the limits.
  rpc::ServerSettings Settings() const {
    rpc::ServerSettings settings;
    settings.listen = listen;
    settings.loops = loops.value_or(1);
    settings.health = health;
    settings.credentials = {
        .tls = {.cert = paths.at("tls_cert"), .key = paths.at("tls_key"), .client_ca = paths.at("client_ca")},
        .token_file = paths.at("token_file")};
    settings.policy = paths.at("policy");
    settings.audit = paths.at("audit");
    settings.quotas = paths.at("quotas");
    return settings;
  }
};

constexpr char kKeys[] =
    "listen, loops, health, tls_cert, tls_key, client_ca, token_file, policy, audit, quotas and keep_capabilities";

// What is wrong with them together; "" if nothing is.
std::string WrongTogether(const rpc::ServerSettings& settings) {
  const rpc::TlsFiles& tls = settings.credentials.tls;
  if (!tls.given()) return "";
  if (tls.cert.empty()) return "tls_cert is missing beside tls_key or client_ca";
  if (tls.key.empty()) return "tls_key is missing beside tls_cert or client_ca";
  if (tls.client_ca.empty() && settings.credentials.token_file.empty()) {
    return "over TLS nobody could say who they are: client_ca is missing, for callers with certificates, or "
           "token_file, for callers with tokens";
  }
  const auto is_unix = [](const std::string& address) {
    return address.starts_with("unix:") || address.starts_with("/");
  };
  if (std::all_of(settings.listen.begin(), settings.listen.end(), is_unix)) {
    return "tls_cert is for TCP, and there is no --listen HOST:PORT: over a UNIX socket there is no TLS";
  }
  return "";
}

// Reads one file into Given, which holds the flags: a flag wins. Each function answers "" or what is wrong, with file
// and line.
class FileReader {
 public:
  FileReader(const std::string& file, Given* out) : file_(file), out_(out) {}

  std::string Read() {
    std::string text;
    if (const int number = ReadText(&text); number != 0) return file_ + ": " + std::strerror(number);
    try {
      const auto root = yaml::LoadDocument(text);
      std::string wrong = !root || root->IsNull() ? "" : ReadMap(*root);
      if (out_->listen.empty()) out_->listen = std::move(listen_);
      if (out_->keep_capabilities.empty()) out_->keep_capabilities = std::move(capabilities_);
      return wrong;
    } catch (const YAML::Exception& error) {
      return At(error.mark) + base::Printable(error.msg, kMaxProblem);
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
    if (!root.IsMap()) return At(root) + "must be a map of " + kKeys;
    std::set<std::string> seen;
    YAML::Node listen;
    std::string where_listen;
    for (const auto& entry : root) {
      const YAML::Node& key = entry.first;
      const YAML::Node& value = entry.second;
      const std::string name = key.IsScalar() ? key.Scalar() : "";
      if (!seen.insert(name).second) return At(key) + "the key \"" + name + "\" is given twice";
      // The mark of an empty value is behind it, that of its key is where one looks.
      const std::string where = At(value.IsNull() ? key : value);
      std::string wrong;
      if (name == "listen") {
        listen.reset(value);  // it depends on the others
        where_listen = where;
      } else if (name == "loops") {
        wrong = ReadLoops(value, where);
      } else if (name == "health") {
        wrong = ReadHealth(value, where);
      } else if (name == "keep_capabilities") {
        wrong = ReadCapabilities(value, where);
      } else if (out_->paths.contains(name)) {
        wrong = ReadPath(name, value, where);
      } else {
        wrong = At(key) + "unknown key \"" + name + "\"; known are " + kKeys;
      }
      if (!wrong.empty()) return wrong;
    }
    return where_listen.empty() ? "" : ReadListen(listen, where_listen);
  }

  std::string ReadPath(const std::string& name, const YAML::Node& value, const std::string& where) {
    if (!value.IsScalar() || value.Scalar().empty()) return where + name + " must be a file's path";
    if (out_->paths[name].empty()) out_->paths[name] = value.Scalar();
    return "";
  }

  std::string ReadLoops(const YAML::Node& value, const std::string& where) {
    int loops = 0;
    if (!value.IsScalar() || !YAML::convert<int>::decode(value, loops) || loops < 1 || loops > rpc::kMaxLoops) {
      return where + "loops must be a number from 1 to " + std::to_string(rpc::kMaxLoops);
    }
    if (!out_->loops) out_->loops = loops;
    return "";
  }

  std::string ReadHealth(const YAML::Node& value, const std::string& where) {
    if (!value.IsScalar()) return where + "health must be an IP:PORT";
    if (auto status = rpc::CheckHealthEndpoint(value.Scalar()); !status.ok()) return where + status.error().message;
    if (out_->health.empty()) out_->health = value.Scalar();
    return "";
  }

  std::string ReadCapabilities(const YAML::Node& value, const std::string& where) {
    if (!value.IsSequence()) return where + "keep_capabilities must be a list of names like net_raw";
    for (const YAML::Node& each : value) {
      const std::string name = each.IsScalar() ? each.Scalar() : "";
      if (std::string wrong = WrongCapability(name); !wrong.empty()) return At(each) + "keep_capabilities: " + wrong;
      capabilities_.push_back(name);
    }
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
    const rpc::Protection protection = rpc::ProtectionBy(out_->Settings());
    if (auto status = rpc::CheckEndpoint(value.Scalar(), protection); !status.ok()) {
      return At(value) + status.error().message;
    }
    listen_.push_back(value.Scalar());
    return "";
  }

  const std::string& file_;
  Given* const out_;
  std::vector<std::string> listen_;
  std::vector<std::string> capabilities_;
};

Farewell Wrong(const std::string& what) { return {"socketeerd: " + what + "\n", 1}; }

}  // namespace

std::string DefaultListen() {
  if (geteuid() == 0) return "unix:/run/socketeer.sock";
  const char* const folder = std::getenv("XDG_RUNTIME_DIR");
  return folder != nullptr && *folder != '\0' ? "unix:" + std::string(folder) + "/socketeer.sock" : "";
}

std::variant<Settings, Farewell> ReadSettings(int argc, char** argv) {
  CLI::App app(kAbout, "socketeerd");
  app.footer(kExamples);
  app.set_version_flag("--version", std::string("socketeerd ") + SOCKETEER_VERSION);
  Given given;
  std::string config;
  app.add_option("--listen", given.listen,
                 "Where callers reach it; repeatable: unix:PATH (mode 0600), 127.0.0.1:PORT or [::1]:PORT; PORT 0 "
                 "lets the kernel choose. Default: " +
                     (DefaultListen().empty() ? "none" : DefaultListen()))
      ->type_name("ENDPOINT")
      ->expected(1)
      ->take_all();
  app.add_option("--loops", given.loops,
                 "Event loops, each with a thread, among which the sockets are spread. Default: 1")
      ->type_name("N")
      ->check(CLI::Range(1, rpc::kMaxLoops));
  app.add_option("--health", given.health,
                 "Serves grpc.health.v1 in plain text here too, and nothing else, for probes that have no certificate. "
                 "Any address; default: nowhere")
      ->type_name("IP:PORT")
      ->check(CLI::Validator([](const std::string& at) { return at.empty() ? "is empty; it must be an IP:PORT" : ""; },
                             ""));
  // Empty, as of a variable that is not set, must not turn TLS off.
  const CLI::Validator names_a_file(
      [](const std::string& path) { return path.empty() ? "is empty; it must be a file's path" : ""; }, "");
  const auto add_path = [&](const std::string& flag, const std::string& key, const std::string& description) {
    app.add_option(flag, given.paths[key], description)->type_name("FILE")->check(names_a_file);
  };
  add_path("--tls-cert", "tls_cert", "Serves TCP with TLS alone: the certificate, and what leads to its CA, in PEM");
  add_path("--tls-key", "tls_key", "Its private key, in PEM, without a password");
  add_path("--client-ca", "client_ca",
           "The CAs that callers' certificates must come from. A caller over TLS without one is refused, unless there "
           "is a --token-file");
  add_path("--token-file", "token_file",
           "Tokens, lines NAME sha256:HEX, mode 0600: a caller with one, over TLS or a UNIX socket, is token:NAME");
  add_path("--policy", "policy",
           "Who may do what to what, in YAML; without it, every caller may do all that this user may");
  add_path(
      "--audit", "audit",
      "Who did what: a line of JSON for each, appended to this file, mode 0600; - is the standard output, which then "
      "has nothing else");
  add_path("--quotas", "quotas", "How much each caller, and all together, may use, in YAML");
  app.add_option("--keep-capability", given.keep_capabilities,
                 "Of the capabilities that it is started with, it keeps this one, like net_bind_service; repeatable. "
                 "Default: none")
      ->type_name("NAME")
      ->expected(1)
      ->take_all()
      ->check(CLI::Validator(WrongCapability, ""));
  app.add_option("--config", config,
                 "A YAML file with these options' names as keys, tls_cert for --tls-cert; a flag wins over it")
      ->type_name("FILE")
      ->check(names_a_file);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return Farewell{app.help(), 0};
  } catch (const CLI::CallForVersion& version) {
    return Farewell{std::string(version.what()) + "\n", 0};
  } catch (const CLI::ParseError& error) {
    return Wrong(base::Printable(error.what(), kMaxProblem) + " (see --help)");
  }

  if (!config.empty()) {
    if (const std::string wrong = FileReader(config, &given).Read(); !wrong.empty()) return Wrong(wrong);
  }
  rpc::ServerSettings settings = given.Settings();
  if (const std::string wrong = WrongTogether(settings); !wrong.empty()) return Wrong(wrong);
  if (settings.listen.empty() && !DefaultListen().empty()) settings.listen = {DefaultListen()};
  if (settings.listen.empty()) {
    return Wrong("where to listen? XDG_RUNTIME_DIR is not set; say --listen unix:PATH");
  }
  return Settings{std::move(settings), std::move(given.keep_capabilities)};
}

}  // namespace socketeer
