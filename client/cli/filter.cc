#include "client/cli/filter.h"

#include <algorithm>

#include "socketeer/status_macros.h"

namespace socketeer::cli {
namespace {

std::string QuotedForFilter(const std::string& value) {
  std::string quoted = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

std::string WithLabels(std::string filter, const Labels& labels) {
  for (const auto& [key, value] : labels) {
    if (!filter.empty()) filter += " AND ";
    filter += "labels." + key + " = " + QuotedForFilter(value);
  }
  return filter;
}

bool HasLabels(const v1::Socket& socket, const Labels& labels) {
  return std::all_of(labels.begin(), labels.end(), [&](const auto& label) {
    const auto found = socket.labels().find(label.first);
    return found != socket.labels().end() && found->second == label.second;
  });
}

}  // namespace

absl::StatusOr<std::vector<v1::Socket>> ListMatching(const Host& host, const std::string& filter, const Labels& labels,
                                                     const CallOptions& options) {
  SOCKETEER_ASSIGN_OR_RETURN(std::vector<v1::Socket> sockets, host.List(WithLabels(filter, labels), options));
  // In a filter a value that ends in '*' is a prefix; a label is meant as it stands.
  std::erase_if(sockets, [&](const v1::Socket& socket) { return !HasLabels(socket, labels); });
  return sockets;
}

}  // namespace socketeer::cli
