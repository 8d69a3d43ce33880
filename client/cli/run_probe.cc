#include "client/cli/run_probe.h"

#include <algorithm>
#include <string>
#include <utility>

#include "client/cli/probe_plan.h"
#include "client/probe/probe.h"
#include "socketeer/endpoint.h"
#include "socketeer/error.h"
#include "socketeer/status_macros.h"
#include "socketeer/text.h"

namespace socketeer::cli {
namespace {

// As Host::endpoint has it, with the port.
bool IsAt(const HostEntry& entry, const std::string& endpoint) {
  return entry.address == endpoint || entry.address + ":7625" == endpoint;
}

// Where a participant's sockets are reached. It may have another name in the hosts file than in the scenario: its
// daemon's address tells which it is.
absl::StatusOr<std::string> AddressOf(const Host& host, const std::string& name, const Cli& cli) {
  SOCKETEER_ASSIGN_OR_RETURN(const std::optional<HostsFile> hosts, cli.Hosts());
  HostEntry entry{.name = name, .address = host.endpoint()};
  if (hosts.has_value()) {
    for (const HostEntry& each : hosts->hosts()) {
      if (IsAt(each, host.endpoint())) entry = each;
    }
  }
  std::string address = DataAddressOf(entry);
  if (address.empty()) {
    return absl::InvalidArgumentError("where " + name + " is reached is not known: its daemon is at " +
                                      Printable(entry.address) + ", and it has no data_address in the hosts file");
  }
  return address;
}

absl::StatusOr<probe::Question> QuestionOf(const scenario::ProbeCall& call, const CallOptions& calls, const Cli& cli) {
  SOCKETEER_ASSIGN_OR_RETURN(const std::string to, call.variables.Fill(call.probe.to.text));
  SOCKETEER_ASSIGN_OR_RETURN(const std::string protocol, call.variables.Fill(call.probe.protocol.text));
  if (!protocol.empty() && protocol != "tcp" && protocol != "udp") {
    return absl::InvalidArgumentError("protocol: " + Quoted(protocol) + " is neither tcp nor udp");
  }
  probe::Question question{.from = call.from};
  for (const auto& [name, host] : call.hosts) {
    if (&host == &call.from) question.from_name = name;
  }
  question.protocol = protocol == "udp" ? probe::Protocol::kUdp : probe::Protocol::kTcp;
  const size_t colon = to.rfind(':');
  const auto participant = call.hosts.find(to.substr(0, colon));
  if (colon == to.npos || participant == call.hosts.end()) {
    if (call.probe.listen)
      return absl::InvalidArgumentError(Quoted(to) + " is no host of the scenario: nobody listens");
    SOCKETEER_ASSIGN_OR_RETURN(question.to, ParseEndpoint(to, EndpointUse::kConnect));
  } else {
    SOCKETEER_ASSIGN_OR_RETURN(const std::string address, AddressOf(participant->second, participant->first, cli));
    SOCKETEER_ASSIGN_OR_RETURN(question.to, EndpointAt(address, to.substr(colon + 1)));
    question.far_name = participant->first;
    if (call.probe.listen) question.far = participant->second;
  }
  // A step that is over in time has an answer, of whatever kind.
  question.timeout = std::min(probe::kDefaultTimeout, calls.timeout.value_or(probe::kDefaultTimeout) / 2);
  question.deadline = calls.deadline;
  return question;
}

}  // namespace

scenario::Prober MakeProber(const Cli& cli) {
  return [&cli](const scenario::ProbeCall& call, const CallOptions& calls) {
    scenario::Outcome outcome;
    const absl::StatusOr<probe::Question> question = QuestionOf(call, calls, cli);
    if (!question.ok()) {
      outcome.status = question.status();
      return outcome;
    }
    const absl::StatusOr<probe::Answer> answer = probe::Ask(*question, calls.cancellation);
    if (!answer.ok()) {
      outcome.status = answer.status();
      return outcome;
    }
    outcome.took = answer->took;
    outcome.answer = {{"reason", std::string(probe::ReasonWord(answer->reason))},
                      {"errno", answer->error},
                      {"detail", answer->detail},
                      {"took", absl::FormatDuration(answer->took)}};
    outcome.peer = FormatEndpoint(question->to);
    return outcome;
  };
}

}  // namespace socketeer::cli
