#include "server/main/settings.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <map>
#include <optional>
#include <utility>

#include "server/base/printable.h"
#include "server/main/setting.h"
#include "server/main/settings_sources.h"

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
    "  socketeerd --config socketeerd.yaml\n"
    "\n"
    "A configuration file has the options' names as keys, the environment SOCKETEERD_ before them:\n"
    "  listen: [unix:/run/socketeer.sock]\n"
    "  loops: 4\n"
    "  SOCKETEERD_LISTEN=unix:/run/socketeer.sock,127.0.0.1:7625 SOCKETEERD_LOOPS=4 socketeerd\n"
    "An option wins over its variable, that over the file.\n"
    "\n"
    "A token file has a line NAME sha256:HEX for each token, the hash being that of the token:\n"
    "  printf %s \"$TOKEN\" | sha256sum\n"
    "\n"
    "SIGHUP: the token file, the policy and the quotas are read again; a wrong one changes nothing. The audit\n"
    "goes on in the file that has its name then. Certificates that are replaced are served within seconds\n"
    "by themselves.\n"
    "SIGUSR1: the log tells each call, too. SIGUSR2: what --log-level says.\n"
    "SIGTERM or SIGINT: waiting calls end, sockets close, exit status 0. A second one ends it at once.\n"
    "Under systemd it tells when it serves and that it is well, and serves the sockets of a socket unit.\n";

constexpr size_t kMaxProblem = 300;  // bytes of what a parser says

// Each replaces what the one before it says of a setting.
struct Sources {
  Values file, environment, flags;

  // Null: nobody says anything.
  const std::vector<Value>* Find(const std::string& key) const {
    for (const Values* source : {&flags, &environment, &file}) {
      if (const auto found = source->find(key); found != source->end()) return &found->second;
    }
    return nullptr;
  }
  std::vector<std::string> List(const std::string& key) const {
    std::vector<std::string> texts;
    if (const auto* const values = Find(key)) {
      for (const Value& each : *values) texts.push_back(each.text);
    }
    return texts;
  }
  std::string Text(const std::string& key) const {
    const auto* const values = Find(key);
    return values == nullptr ? "" : values->back().text;
  }
};

// Also of values that do not count because another source wins.
std::string WrongValueOf(const Sources& sources) {
  for (const Values* source : {&sources.flags, &sources.environment, &sources.file}) {
    for (const auto& [key, values] : *source) {
      if (std::string wrong = WrongValue(*FindSetting(key), values); !wrong.empty()) return wrong;
    }
  }
  return "";
}

// Precondition: no value is wrong.
Settings Merge(const Sources& sources) {
  Settings settings;
  settings.keep_capabilities = sources.List("keep_capabilities");
  if (const std::string text = sources.Text("drain_timeout"); !text.empty()) {
    settings.drain_timeout = *ParseDrainTimeout(text);
  }
  if (const auto format = ParseLogFormat(sources.Text("log_format"))) settings.log_format = *format;
  if (const auto level = ParseLogLevel(sources.Text("log_level"))) settings.log_level = *level;
  rpc::ServerSettings& server = settings.server;
  server.listen = sources.List("listen");
  if (const std::string text = sources.Text("loops"); !text.empty()) server.loops = std::atoi(text.c_str());
  server.health = sources.Text("health");
  server.metrics = sources.Text("metrics");
  server.credentials = {
      .tls = {.cert = sources.Text("tls_cert"), .key = sources.Text("tls_key"), .client_ca = sources.Text("client_ca")},
      .token_file = sources.Text("token_file")};
  server.policy = sources.Text("policy");
  server.audit = sources.Text("audit");
  server.quotas = sources.Text("quotas");
  return settings;
}

// What is wrong with them together; "" if nothing is.
std::string WrongTogether(const rpc::ServerSettings& settings, bool activated) {
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
  if (!activated && std::all_of(settings.listen.begin(), settings.listen.end(), is_unix)) {
    return "tls_cert is for TCP, and there is no --listen HOST:PORT: over a UNIX socket there is no TLS";
  }
  return "";
}

// An endpoint that lacks what a network needs.
std::string WrongEndpoint(const Sources& sources, const rpc::ServerSettings& settings) {
  for (const Values* source : {&sources.flags, &sources.environment, &sources.file}) {
    const auto found = source->find("listen");
    if (found == source->end()) continue;
    for (const Value& each : found->second) {
      const auto status = rpc::CheckEndpoint(each.text, rpc::ProtectionBy(settings));
      if (!status.ok()) return Refusal(each, status.error().metadata.at("allowed"));
    }
  }
  return "";
}

Farewell Wrong(const std::string& what) { return {"socketeerd: " + what + "\n", 1}; }

// Parses into `flags` and `config`; a Farewell if that is all.
std::optional<Farewell> ParseFlags(int argc, char** argv, Values* flags, Value* config) {
  CLI::App app(kAbout, "socketeerd");
  app.footer(kExamples);
  app.set_version_flag("--version", std::string("socketeerd ") + SOCKETEER_VERSION);
  std::map<std::string, std::vector<std::string>> given;
  for (const Setting& each : AllSettings()) {
    auto* const option = app.add_option(each.flag, given[each.key], each.description)->type_name(each.type_name);
    option->expected(1);
    option->multi_option_policy(each.is_list ? CLI::MultiOptionPolicy::TakeAll : CLI::MultiOptionPolicy::Throw);
  }
  auto* const config_option =
      app.add_option("--config", config->text,
                     "A YAML file with these options' names as keys, tls_cert for --tls-cert; a flag, or a variable "
                     "like SOCKETEERD_TLS_CERT, wins over it")
          ->type_name("FILE");
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return Farewell{app.help(), 0};
  } catch (const CLI::CallForVersion& version) {
    return Farewell{std::string(version.what()) + "\n", 0};
  } catch (const CLI::ParseError& error) {
    return Wrong(base::Printable(error.what(), kMaxProblem) + " (see --help)");
  }
  for (const Setting& each : AllSettings()) {
    for (std::string& text : given[each.key]) (*flags)[each.key].push_back({std::move(text), each.flag});
  }
  if (config_option->count() > 0) config->subject = "--config";
  return std::nullopt;
}

}  // namespace

std::string DefaultListen() {
  if (geteuid() == 0) return "unix:/run/socketeer.sock";
  const char* const folder = std::getenv("XDG_RUNTIME_DIR");
  return folder != nullptr && *folder != '\0' ? "unix:" + std::string(folder) + "/socketeer.sock" : "";
}

std::variant<Settings, Farewell> ReadSettings(int argc, char** argv, bool activated) {
  Sources sources;
  Value config;
  if (auto farewell = ParseFlags(argc, argv, &sources.flags, &config)) return *std::move(farewell);
  if (std::string wrong = ReadSettingsEnvironment(environ, &sources.environment); !wrong.empty()) return Wrong(wrong);
  if (const char* const file = std::getenv("SOCKETEERD_CONFIG"); file != nullptr && config.subject.empty()) {
    config = {file, "SOCKETEERD_CONFIG"};
  }
  if (!config.subject.empty()) {
    if (config.text.empty()) return Wrong(config.subject + " must be a file's path; it is empty");
    if (std::string wrong = ReadSettingsFile(config.text, &sources.file); !wrong.empty()) return Wrong(wrong);
  }
  if (const std::string wrong = WrongValueOf(sources); !wrong.empty()) return Wrong(wrong);
  Settings settings = Merge(sources);
  auto& listen = settings.server.listen;
  if (const std::string wrong = WrongEndpoint(sources, settings.server); !wrong.empty()) return Wrong(wrong);
  if (const std::string wrong = WrongTogether(settings.server, activated); !wrong.empty()) return Wrong(wrong);
  if (listen.empty() && !activated && !DefaultListen().empty()) listen = {DefaultListen()};
  if (listen.empty() && !activated) {
    return Wrong("where to listen? XDG_RUNTIME_DIR is not set; say --listen unix:PATH");
  }
  return settings;
}

}  // namespace socketeer
