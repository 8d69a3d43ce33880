#include "client/scenario/run_hosts.h"

#include <thread>
#include <utility>

#include "client/scenario/verdict.h"
#include "google/protobuf/util/time_util.h"
#include "socketeer/endpoint.h"
#include "socketeer/error.h"
#include "socketeer/state.h"
#include "socketeer/status_macros.h"

namespace socketeer::scenario {
namespace {

// Of what is asked at the end of a run of each host; one that is gone costs so much.
constexpr absl::Duration kLastWords = absl::Seconds(5);

CallOptions LastWords() { return {.deadline = absl::Now() + kLastWords}; }

report::SocketRow Row(const std::string& host, const v1::Socket& socket, const SocketNames& names) {
  return {.host = host,
          .name = names.ToFile(socket.name()),
          .kind = socket.kind(),
          .state = StateWord(socket.state()),
          .local = socket.has_local() ? FormatEndpoint(socket.local()) : "",
          .peer = socket.has_peer() ? FormatEndpoint(socket.peer()) : "",
          .bytes_sent = socket.counters().bytes_sent(),
          .bytes_received = socket.counters().bytes_received()};
}

}  // namespace

void AtOnce(size_t count, const std::function<void(size_t index)>& function) {
  std::vector<std::thread> threads;
  threads.reserve(count);
  for (size_t i = 0; i < count; ++i) threads.emplace_back([&function, i] { function(i); });
  for (std::thread& thread : threads) thread.join();
}

absl::Time DeadlineForCalls(const RunClock& clock, absl::Time deadline) {
  return absl::Now() + (deadline - clock.Now());
}

absl::Status RunHosts::OpenOne(const Value& target, const Variables& variables, const CallOptions& calls,
                               Member* member) const {
  member->target = member->name;
  if (target.type == Value::Type::kWord) {
    SOCKETEER_ASSIGN_OR_RETURN(member->target, variables.Fill(target.text));
  }
  SOCKETEER_ASSIGN_OR_RETURN(const Host host, options_.connect(member->target));
  v1::CreateSessionRequest request;
  *request.mutable_ttl() =
      google::protobuf::util::TimeUtil::NanosecondsToDuration(absl::ToInt64Nanoseconds(scenario_.lease));
  SOCKETEER_ASSIGN_OR_RETURN(Session session, host.CreateSession(request, calls));
  member->session = std::make_unique<Session>(std::move(session));
  // A policy may keep GetHost from the caller: then the clock is not known.
  const absl::StatusOr<ClockReading> clock = MeasureClock(host, options_.clock, calls);
  if (clock.ok()) member->clock = *clock;
  return absl::OkStatus();
}

std::optional<Failure> RunHosts::Open(const Variables& variables, Halt& halt, absl::Time deadline) {
  for (const Participant& each : scenario_.hosts) members_.push_back({.name = each.name});
  const CallOptions calls{.cancellation = halt.cancellation(), .deadline = DeadlineForCalls(options_.clock, deadline)};
  AtOnce(members_.size(),
         [&](size_t i) { members_[i].status = OpenOne(scenario_.hosts[i].target, variables, calls, &members_[i]); });
  for (const Member& member : members_) {
    if (member.session != nullptr) sessions_.emplace(member.name, member.session->host());
  }
  for (size_t i = 0; i < members_.size(); ++i) {
    const Member& member = members_[i];
    if (member.status.ok()) continue;
    if (const auto reason = halt.reason()) return Failure{.verdict = reason->verdict, .message = reason->text};
    return Failure{.verdict = VerdictOf(member.status),
                   .message = FormatError(member.status),
                   .host = member.name,
                   .at = scenario_.hosts[i].target.at};
  }
  return std::nullopt;
}

void RunHosts::ForEach(const std::function<void(size_t index, const Member& member)>& function) const {
  AtOnce(members_.size(), [&](size_t i) {
    if (members_[i].session != nullptr) function(i, members_[i]);
  });
}

std::optional<absl::Duration> RunHosts::FirstOffset(const std::string& name) const {
  for (const Member& member : members_) {
    if (member.name == name && member.clock.has_value()) return member.clock->offset;
  }
  return std::nullopt;
}

std::vector<report::SocketRow> RunHosts::Sockets(const SocketNames& names) const {
  std::vector<std::vector<report::SocketRow>> of_each(members_.size());
  ForEach([&](size_t i, const Member& member) {
    const auto sockets = member.session->host().List("session = " + member.session->name(), LastWords());
    if (!sockets.ok()) return;
    for (const v1::Socket& socket : *sockets) of_each[i].push_back(Row(member.name, socket, names));
  });
  std::vector<report::SocketRow> all;
  for (auto& rows : of_each) all.insert(all.end(), rows.begin(), rows.end());
  return all;
}

std::vector<report::Clock> RunHosts::Clocks() const {
  std::vector<report::Clock> clocks;
  for (const Member& member : members_) clocks.push_back({.host = member.name, .known = member.clock.has_value()});
  ForEach([&](size_t i, const Member& member) {
    if (!member.clock.has_value()) return;
    std::optional<ClockReading> after;
    const auto again = MeasureClock(member.session->host(), options_.clock, LastWords());
    if (again.ok()) after = *again;
    const ClockReading joined = Joined(*member.clock, after, options_.clock.Now());
    clocks[i].offset = joined.offset;
    clocks[i].bound = joined.bound;
  });
  return clocks;
}

std::vector<Failure> RunHosts::End() {
  std::vector<absl::Status> ends(members_.size());
  ForEach([&](size_t i, const Member& member) {
    // NOT_FOUND: its lease ran out, and its sockets are closed.
    ends[i] = member.session->End(LastWords()).status();
    if (absl::IsNotFound(ends[i])) ends[i] = absl::OkStatus();
    members_[i].session.reset();
  });
  std::vector<Failure> failures;
  for (size_t i = 0; i < members_.size(); ++i) {
    if (ends[i].ok()) continue;
    failures.push_back({.verdict = VerdictOf(ends[i]),
                        .message = members_[i].name + ": the session could not be ended, its lease of " +
                                   absl::FormatDuration(scenario_.lease) + " will: " + FormatError(ends[i]),
                        .host = members_[i].name});
  }
  return failures;
}

std::vector<std::string> RunHosts::Release() {
  std::vector<std::string> lines;
  for (Member& member : members_) {
    if (member.session == nullptr) continue;
    lines.push_back(member.name + ": " + member.session->name() + " is left for " +
                    absl::FormatDuration(scenario_.lease) + ", renewed by each call in it: socketeer --host " +
                    member.target + " --session " + member.session->name() + " ls");
    member.session->Release();
    member.session.reset();
  }
  return lines;
}

}  // namespace socketeer::scenario
