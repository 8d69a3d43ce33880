// TLS of a benchmark's client: SOCKETEER_CA, SOCKETEER_CERT and SOCKETEER_KEY are paths, as for the command. Not set:
// none.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>

#include "socketeer/credentials.h"
#include "socketeer/host.h"

namespace socketeer::bench {

// Not for a UNIX socket.
inline Credentials CredentialsFor(const std::string& target) {
  if (target.starts_with("unix:")) return {};
  const auto path = [](const char* name) {
    const char* const value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
  };
  auto read =
      ReadCredentials({.ca = path("SOCKETEER_CA"), .cert = path("SOCKETEER_CERT"), .key = path("SOCKETEER_KEY")});
  if (read.ok()) return *std::move(read);
  std::fprintf(stderr, "bench: %s\n", std::string(read.status().message()).c_str());
  std::exit(1);
}

inline HostOptions OptionsFor(const std::string& endpoint) {
  HostOptions options;
  options.credentials = CredentialsFor(endpoint);
  return options;
}

}  // namespace socketeer::bench
