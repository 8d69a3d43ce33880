#include <string>
#include <vector>

#include "socketeer/endpoint.h"
#include "socketeer/error.h"
#include "socketeer/state.h"

namespace socketeer {
namespace {

std::string Join(const std::vector<std::string>& facts) {
  std::string text;
  for (const std::string& fact : facts) text += (text.empty() ? "" : ", ") + fact;
  return text;
}

// What SocketError knows beyond the message.
std::vector<std::string> Facts(const v1::SocketError& error, bool local_told) {
  std::vector<std::string> facts;
  if (error.state() != v1::STATE_UNSPECIFIED) facts.push_back(StateWord(error.state()));
  const std::string local = FormatEndpoint(error.local());
  if (!local.empty() && !local_told) facts.push_back("local " + local);
  if (!error.system_call().empty() && error.system_call() != error.operation()) {
    facts.push_back("in " + error.system_call() + "(2)");
  }
  if (error.bytes_done() > 0) {
    facts.push_back(std::to_string(error.bytes_done()) + " bytes done before");
  }
  if (error.datagrams_done() > 0) {
    facts.push_back(std::to_string(error.datagrams_done()) + " datagrams done before");
  }
  return facts;
}

}  // namespace

std::string FormatError(const absl::Status& status) {
  std::string text(status.message());
  const std::optional<v1::SocketError> error = SocketErrorOf(status);
  if (!error.has_value()) return text;

  // The address that the call was about: for bind and listen the socket's own.
  const bool about_local = error->operation() == "bind" || error->operation() == "listen";
  const std::string address = FormatEndpoint(about_local ? error->local() : error->peer());
  if (error->origin() == v1::ORIGIN_KERNEL && !address.empty() && text.find(address) == std::string::npos) {
    text += " " + address;
  }
  const std::string facts = Join(Facts(*error, about_local));
  const bool named = !error->socket().empty();
  // Of a socket that is not there, the message has said all.
  const bool worth_a_line = error->origin() == v1::ORIGIN_KERNEL && (named || !facts.empty());
  if (!worth_a_line) return text;
  return text + "\n  " + (named ? error->socket() : "") + (named && !facts.empty() ? ": " : "") + facts;
}

}  // namespace socketeer
