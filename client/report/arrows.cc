#include "client/report/arrows.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>

namespace socketeer::report {
namespace {

// Where bytes come from and where they go.
using Direction = std::pair<std::string, std::string>;

// What went one way, in the order in which it happened.
struct Flow {
  std::vector<size_t> connects{};
  std::vector<size_t> sends{};
  std::vector<size_t> ends{};  // a shutdown or a close of the sender
  std::vector<size_t> accepts{};
  std::vector<size_t> receives{};
  std::vector<size_t> found_ends{};
};

// An answer to a send or a receive tells no addresses: they are those that the socket was last seen with.
Event WithAddresses(Event event, std::map<std::pair<std::string, std::string>, Direction>* known) {
  if (event.socket.empty()) return event;
  Direction& addresses = (*known)[{event.host, event.socket}];
  if (!event.local.empty() && !event.peer.empty()) addresses = {event.local, event.peer};
  if (event.local.empty() && event.peer.empty()) std::tie(event.local, event.peer) = addresses;
  return event;
}

std::map<Direction, Flow> Flows(const std::vector<Event>& events) {
  std::map<Direction, Flow> flows;
  std::map<std::pair<std::string, std::string>, Direction> known;
  for (size_t i = 0; i < events.size(); ++i) {
    const Event event = WithAddresses(events[i], &known);
    if (event.local.empty() || event.peer.empty()) continue;
    Flow& out = flows[{event.local, event.peer}];
    Flow& in = flows[{event.peer, event.local}];
    const bool done = event.errno_name.empty();
    if (done && (event.verb == "open" || event.verb == "connect")) out.connects.push_back(i);
    if (done && event.verb == "accept") in.accepts.push_back(i);
    if (done && (event.verb == "shutdown" || event.verb == "close")) out.ends.push_back(i);
    if (event.bytes_sent > 0) out.sends.push_back(i);
    if (event.bytes_received > 0) in.receives.push_back(i);
    if (event.end_of_stream) in.found_ends.push_back(i);
  }
  return flows;
}

class Finder {
 public:
  explicit Finder(const std::vector<Event>& events) : events_(events) {}

  void Connections(const Flow& flow) { Last(flow.connects, flow.accepts, Arrow::Kind::kConnection); }
  void Ends(const Flow& flow) { Last(flow.ends, flow.found_ends, Arrow::Kind::kEnd); }

  // Bytes in the order in which they were sent.
  void Stream(const Flow& flow) {
    size_t next = 0;
    uint64_t taken = 0;  // of the send `next`
    for (const size_t receive : flow.receives) {
      uint64_t left = events_[receive].bytes_received;
      while (left > 0 && next < flow.sends.size()) {
        const uint64_t bytes = std::min(left, events_[flow.sends[next]].bytes_sent - taken);
        Add({flow.sends[next], receive, Arrow::Kind::kData, bytes});
        left -= bytes;
        taken += bytes;
        if (taken < events_[flow.sends[next]].bytes_sent) break;
        ++next;
        taken = 0;
      }
    }
  }

  // Some may be lost, so that only their size tells which came.
  void Datagrams(const Flow& flow) {
    std::set<size_t> taken;
    for (const size_t receive : flow.receives) {
      for (const size_t send : flow.sends) {
        if (taken.count(send) > 0 || events_[send].bytes_sent != events_[receive].bytes_received) continue;
        if (!Add({send, receive, Arrow::Kind::kData, events_[send].bytes_sent})) continue;
        taken.insert(send);
        break;
      }
    }
  }

  std::vector<Arrow> Take() {
    std::sort(arrows_.begin(), arrows_.end(), [](const Arrow& one, const Arrow& other) {
      return std::pair(one.from, one.to) < std::pair(other.from, other.to);
    });
    return std::move(arrows_);
  }

 private:
  // Nothing has a cause that began when it was over.
  bool Add(const Arrow& arrow) {
    const Event& from = events_[arrow.from];
    const Event& to = events_[arrow.to];
    if (from.host == to.host || from.start > to.end) return false;
    arrows_.push_back(arrow);
    return true;
  }

  // Each effect with the last cause before its end: addresses may have been used before.
  void Last(const std::vector<size_t>& causes, const std::vector<size_t>& effects, Arrow::Kind kind) {
    for (const size_t effect : effects) {
      for (auto cause = causes.rbegin(); cause != causes.rend(); ++cause) {
        if (Add({*cause, effect, kind})) break;
      }
    }
  }

  const std::vector<Event>& events_;
  std::vector<Arrow> arrows_;
};

}  // namespace

std::vector<Arrow> FindArrows(const std::vector<Event>& events) {
  Finder finder(events);
  const std::map<Direction, Flow> flows = Flows(events);
  for (const auto& [direction, flow] : flows) {
    const auto back = flows.find({direction.second, direction.first});
    const bool stream = !flow.accepts.empty() || (back != flows.end() && !back->second.accepts.empty());
    finder.Connections(flow);
    stream ? finder.Stream(flow) : finder.Datagrams(flow);
    finder.Ends(flow);
  }
  return finder.Take();
}

}  // namespace socketeer::report
