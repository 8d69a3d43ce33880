#include "server/rpc/measurements.h"

#include <array>
#include <utility>
#include <vector>

#include "server/metrics/page.h"
#include "server/metrics/process.h"
#include "server/rpc/status.h"

namespace socketeer::rpc {
namespace {

using metrics::Page;

// By what SocketKind::Word() and states there are: all of them always, so that a count that falls to zero is seen.
constexpr std::array kKindWords = {"tcp4", "tcp6", "tcp",        "udp4",          "udp6",
                                   "udp",  "unix", "unix-dgram", "unix-seqpacket"};
constexpr std::array<std::pair<net::State, const char*>, 6> kStateWords = {
    {{net::State::kCreated, "CREATED"},
     {net::State::kBound, "BOUND"},
     {net::State::kListening, "LISTENING"},
     {net::State::kConnecting, "CONNECTING"},
     {net::State::kConnected, "CONNECTED"},
     {net::State::kDisconnected, "DISCONNECTED"}}};

// OK is told of every method, what else there is once it has happened: most pairs never do.
void AddCalls(const CallCounters& counters, Page* page) {
  page->Counters("socketeer_calls_total", "Calls that ended, by method and gRPC status.");
  for (size_t i = 0; i < kMethods; ++i) {
    for (size_t code = 0; code < kStatusCodes; ++code) {
      const base::Counter& count = counters.methods[i].codes[code];
      if (code == 0 || count.value() > 0) {
        page->Add(count, {{"method", kMethodRows[i].name}, {"code", CodeName(static_cast<int>(code))}});
      }
    }
  }
  page->Counters(
      "socketeer_call_outcomes_total",
      "The same calls by what became of them: OK, TIMED_OUT, REPEATED, an errno's name or an error's reason.");
  for (size_t i = 0; i < kMethods; ++i) {
    for (size_t outcome = 0; outcome < OutcomeWords().size(); ++outcome) {
      const base::Counter& count = counters.methods[i].outcomes[outcome];
      if (outcome == kOkOutcome || count.value() > 0) {
        page->Add(count, {{"method", kMethodRows[i].name}, {"outcome", OutcomeWords()[outcome]}});
      }
    }
  }
}

void AddCallDurations(const CallCounters& counters, Page* page) {
  page->Histograms("socketeer_call_duration_seconds",
                   "From a unary call's arrival to its answer, waiting included; of methods that were called.");
  for (size_t i = 0; i < kMethods; ++i) {
    if (kMethodRows[i].is_stream) continue;
    base::Durations::Reading reading;
    counters.methods[i].durations.ReadInto(&reading);
    if (reading.count() > 0) page->Add(reading, {{"method", kMethodRows[i].name}});
  }
}

void AddSockets(const registry::Registry& registry, Page* page) {
  const registry::Census census = registry.Count();
  page->Gauges("socketeer_sockets", "Sockets that there are, by kind and state.");
  for (const char* const kind : kKindWords) {
    for (const auto& [state, word] : kStateWords) {
      const auto found = census.sockets.find({kind, state});
      page->Add(found == census.sockets.end() ? 0.0 : static_cast<double>(found->second),
                {{"kind", kind}, {"state", word}});
    }
  }
  page->Gauges("socketeer_waiting_operations", "Operations that wait on a socket, by its side.");
  page->Add(static_cast<double>(census.waiting_reads), {{"side", "read"}});
  page->Add(static_cast<double>(census.waiting_writes), {{"side", "write"}});
  page->Counter("socketeer_sockets_opened_total", "Sockets that came to be: opened, or accepted.",
                registry.counters().opened);
}

void AddByReason(const std::array<base::Counter, registry::kCloseReasons>& counters, Page* page) {
  for (size_t i = 1; i < registry::kCloseReasons; ++i) {  // 0: none
    page->Add(counters[i], {{"reason", CloseReasonWord(static_cast<registry::CloseReason>(i))}});
  }
}

void AddEnds(const Core& core, Page* page) {
  page->Counters("socketeer_sockets_closed_total", "Sockets that were closed, by why.");
  AddByReason(core.registry.counters().closed, page);
  page->Gauge("socketeer_sessions", "Sessions that there are, standing ones too.", core.sessions.size());
  page->Counter("socketeer_sessions_created_total", "Sessions that were made, standing ones too.",
                core.sessions.counters().created);
  page->Counters("socketeer_sessions_ended_total", "Sessions that ended, by why; LEASE_EXPIRED: nobody renewed them.");
  AddByReason(core.sessions.counters().ended, page);
  page->Gauge("socketeer_values", "Published values.", core.values.size());
  page->Gauge("socketeer_barrier_parties", "Calls that wait at barriers.", core.barriers.waiting());
}

double SumOverLoops(const Core& core, base::Counter net::LoopCounters::*counter) {
  uint64_t sum = 0;
  for (const auto& shard : core.shards) sum += (shard->loop().counters().*counter).value();
  return static_cast<double>(sum);
}

void AddTraffic(const Core& core, Page* page) {
  using Counters = net::LoopCounters;
  page->Counter("socketeer_sent_bytes_total", "Payload that the kernel took from sockets.",
                SumOverLoops(core, &Counters::bytes_sent));
  page->Counter("socketeer_received_bytes_total", "Payload that came from the kernel.",
                SumOverLoops(core, &Counters::bytes_received));
  page->Counter("socketeer_sent_datagrams_total", "Datagrams and records sent.",
                SumOverLoops(core, &Counters::datagrams_sent));
  page->Counter("socketeer_received_datagrams_total", "Datagrams and records received.",
                SumOverLoops(core, &Counters::datagrams_received));
  page->Counter("socketeer_accepted_connections_total", "Connections that listening sockets accepted.",
                SumOverLoops(core, &Counters::accepted));
  page->Gauge("socketeer_retained_bytes", "Bytes that are kept until they are acknowledged.", core.retained.used());
  page->Gauge("socketeer_send_window_bytes", "Bytes that attached streams may send ahead.", core.send_windows.load());
}

void AddLoops(const Core& core, Page* page) {
  page->Histograms("socketeer_loop_lag_seconds",
                   "How late an event loop runs what is due or posted; an idle loop's timers up to 1 ms.");
  base::Durations::Reading sockets, control;
  for (const auto& shard : core.shards) shard->loop().counters().lag.ReadInto(&sockets);
  core.control.counters().lag.ReadInto(&control);
  page->Add(sockets, {{"loop", "sockets"}});
  page->Add(control, {{"loop", "control"}});
}

// What is behind the names is the last one's place: none of them.
void AddByName(const char* label, const std::vector<std::string>& names, const std::vector<base::Counter>& counters,
               Page* page) {
  for (size_t i = 0; i < counters.size(); ++i) {
    page->Add(counters[i], {{label, i < names.size() ? names[i] : "other"}});
  }
}

void AddLimits(const Core& core, Page* page) {
  const base::Limits& limits = core.limits;
  page->Gauges("socketeer_limit", "What there may be at most, of what is measured here.");
  page->Add(limits.max_sockets, {{"limit", "max_sockets"}});
  page->Add(limits.max_connections, {{"limit", "max_connections"}});
  page->Add(limits.max_calls, {{"limit", "max_calls"}});
  page->Add(limits.max_sessions, {{"limit", "max_sessions"}});
  page->Add(limits.max_values, {{"limit", "max_values"}});
  page->Add(static_cast<double>(limits.max_retained_bytes), {{"limit", "max_retained_bytes"}});
  page->Add(static_cast<double>(limits.max_send_window_bytes), {{"limit", "max_send_window_bytes"}});
  page->Counters("socketeer_limit_refusals_total", "Calls that met a limit of the daemon, or their caller's quota.");
  AddByName("limit", LimitNames(), core.counters.limits, page);
}

void AddPolicy(const guard::Guard& guard, Page* page) {
  const guard::Decisions& decisions = guard.decisions();
  page->Counters(
      "socketeer_policy_decisions_total",
      "What the policy was asked, by its answer; what was allowed is not asked again at once. own_address: to "
      "the daemon itself, refused without a policy, too.");
  page->Add(decisions.allowed, {{"decision", "allow"}});
  page->Add(decisions.denied, {{"decision", "deny"}});
  page->Add(decisions.shadow_denied, {{"decision", "shadow_deny"}});
  page->Add(decisions.control_denied, {{"decision", "own_address"}});
}

void AddCallers(Core& core, Page* page) {
  const ConnectionCounters& counters = core.connections.counters();
  page->Gauge("socketeer_connections", "Connections of callers.", core.connections.Count());
  page->Counter("socketeer_connections_accepted_total", "Connections of callers that were accepted.",
                counters.accepted);
  page->Counter("socketeer_connections_over_limit_total", "Of these, those beyond max_connections.",
                counters.over_limit);
  page->Counter("socketeer_connections_cut_off_total",
                "Connections whose caller had proven nothing, and which gave way to a new one.", counters.cut_off);
  page->Counters("socketeer_authentication_failures_total", "Calls whose caller was not believed, by why.");
  AddByName("reason", AuthenticationReasons(), core.counters.refused_callers, page);
}

}  // namespace

std::string Measure(Core& core, base::WallTime started) {
  Page page;
  page.Gauges("socketeer_build_info", "1, of this version.");
  page.Add(1, {{"version", SOCKETEER_VERSION}});
  page.Gauge("socketeer_draining", "1: it stops.", core.draining.load() ? 1 : 0);
  AddCalls(core.counters, &page);
  AddCallDurations(core.counters, &page);
  page.Gauge("socketeer_calls_under_way",
             "Calls that have not ended; an AwaitSockets counts once more for every 16 sockets that it waits for.",
             core.calls.load());
  AddSockets(core.registry, &page);
  AddEnds(core, &page);
  AddTraffic(core, &page);
  AddLoops(core, &page);
  AddLimits(core, &page);
  AddPolicy(core.guard, &page);
  AddCallers(core, &page);
  page.Counter("socketeer_audit_lines_lost_total", "Lines of the audit that could not be written.", core.trail.lost());
  metrics::AddProcess(started, &page);
  return page.Text();
}

}  // namespace socketeer::rpc
