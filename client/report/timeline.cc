#include "client/report/timeline.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <tuple>

#include "client/report/summary.h"

namespace socketeer::report {
namespace {

constexpr double kTop = 14;
constexpr double kMinBar = 12;
// Where an arrow leaves or arrives: below the two lines of the label.
constexpr double kBelowLabel = 28;
constexpr double kBandHeight = 26;
constexpr double kMostGap = 44;
constexpr size_t kMostLanes = 8;
// A pause that is drawn shorter than it was gets a band that says so.
constexpr absl::Duration kIdle = absl::Milliseconds(200);

// Logarithmic: 1 ms is told from 10, and a minute still fits the screen.
double GapHeight(absl::Duration gap) {
  if (gap <= absl::ZeroDuration()) return 0;
  return std::min(kMostGap, 3 + 6 * std::log2(1 + absl::ToDoubleMilliseconds(gap)));
}

// Something that has a place on the axis.
struct Point {
  enum class Kind { kEnd, kStart, kMark, kEndOfNothing };

  absl::Time at;
  Kind kind;
  size_t bar;

  bool operator<(const Point& other) const {
    return std::tie(at, kind, bar) < std::tie(other.at, other.kind, other.bar);
  }
};

// Of the events from `begin` to before `end`.
size_t CountRun(const std::vector<Event>& events, size_t begin, size_t end) {
  size_t count = 0;
  for (size_t i = begin; i < end; ++i) count += events[i].verdict == Verdict::kSkipped ? 0 : 1;
  return count;
}

class Layout {
 public:
  Layout(const ScenarioResult& scenario, size_t most) : events_(scenario.events) {
    AddColumn("");
    for (const std::string& host : scenario.hosts) AddColumn(host);
    const std::vector<size_t> chosen = Choose(events_, most);
    timeline_.left_out = CountRun(events_, 0, events_.size()) - chosen.size();
    for (const size_t event : chosen) AddBar(event);
    KeepArrows(FindArrows(events_));
  }

  Timeline Take() {
    DropUnusedRunner();
    AssignLanes();
    SettleMarks();
    PlaceAll();
    return std::move(timeline_);
  }

 private:
  const Event& EventOf(size_t bar) const { return events_[timeline_.bars[bar].event]; }
  absl::Time EndOf(size_t bar) const { return std::max(EventOf(bar).start, EventOf(bar).end); }

  void AddColumn(const std::string& host) {
    if (columns_.emplace(host, timeline_.columns.size()).second) timeline_.columns.push_back({host});
  }

  void AddBar(size_t index) {
    const Event& event = events_[index];
    AddColumn(event.host);
    bars_[index] = timeline_.bars.size();
    timeline_.bars.push_back({index, columns_[event.host]});
    std::optional<absl::Time> mark = event.at_host;
    if (mark.has_value()) mark = std::clamp(*mark, event.start, std::max(event.start, event.end));
    marks_.push_back(mark);
  }

  void KeepArrows(const std::vector<Arrow>& arrows) {
    for (Arrow arrow : arrows) {
      const auto from = bars_.find(arrow.from);
      const auto to = bars_.find(arrow.to);
      if (from == bars_.end() || to == bars_.end()) continue;
      arrow.from = from->second;
      arrow.to = to->second;
      timeline_.arrows.push_back(arrow);
    }
  }

  // It has a line only where it did something.
  void DropUnusedRunner() {
    const auto used = [](const Bar& bar) { return bar.column == 0; };
    if (std::any_of(timeline_.bars.begin(), timeline_.bars.end(), used)) return;
    timeline_.columns.erase(timeline_.columns.begin());
    for (Bar& bar : timeline_.bars) --bar.column;
  }

  void AssignLanes() {
    std::vector<std::vector<absl::Time>> busy(timeline_.columns.size());  // until when, by column and lane
    for (size_t i = 0; i < timeline_.bars.size(); ++i) {
      Bar& bar = timeline_.bars[i];
      std::vector<absl::Time>& lanes = busy[bar.column];
      const auto free = [&](absl::Time until) { return until <= EventOf(i).start; };
      auto lane = std::find_if(lanes.begin(), lanes.end(), free);
      if (lane == lanes.end() && lanes.size() == kMostLanes) lane = std::min_element(lanes.begin(), lanes.end());
      if (lane == lanes.end()) lane = lanes.insert(lanes.end(), absl::InfinitePast());
      *lane = EndOf(i);
      bar.lane = static_cast<size_t>(lane - lanes.begin());
      timeline_.columns[bar.column].lanes = lanes.size();
    }
  }

  // A clock is known but for its bound: within it, an effect may seem to come before its cause.
  void SettleMarks() {
    for (const Arrow& arrow : timeline_.arrows) {
      std::optional<absl::Time>& cause = marks_[arrow.from];
      std::optional<absl::Time>& effect = marks_[arrow.to];
      const absl::Time latest = EndOf(arrow.to) - absl::Nanoseconds(1);
      if (cause.has_value()) cause = std::max(EventOf(arrow.from).start, std::min(*cause, latest));
      const absl::Time earliest = cause.value_or(EventOf(arrow.from).start) + absl::Nanoseconds(1);
      if (effect.has_value()) effect = std::min(EndOf(arrow.to), std::max(*effect, earliest));
    }
  }

  std::vector<Point> Points() const {
    std::vector<Point> points;
    for (size_t i = 0; i < timeline_.bars.size(); ++i) {
      const bool nothing = EndOf(i) == EventOf(i).start;
      points.push_back({EventOf(i).start, Point::Kind::kStart, i});
      points.push_back({EndOf(i), nothing ? Point::Kind::kEndOfNothing : Point::Kind::kEnd, i});
      if (!marks_[i].has_value()) continue;
      // An end that comes at the same moment stands below it.
      points.push_back({*marks_[i], *marks_[i] == EndOf(i) && !nothing ? Point::Kind::kEnd : Point::Kind::kMark, i});
      if (points.back().kind == Point::Kind::kEnd) std::swap(points.back(), points[points.size() - 2]);
    }
    std::stable_sort(points.begin(), points.end());
    return points;
  }

  void PlaceAll() {
    label_end_.assign(timeline_.columns.size(), 0);
    joined_.assign(timeline_.bars.size(), false);
    for (const Arrow& arrow : timeline_.arrows) joined_[arrow.from] = joined_[arrow.to] = true;
    std::vector<int> placed(timeline_.bars.size(), 0);
    std::optional<absl::Time> before;
    for (const Point& point : Points()) {
      Bar& bar = timeline_.bars[point.bar];
      if (before.has_value()) Pass(point.at - *before);
      before = point.at;
      if (placed[point.bar]++ == 0) {
        Announce(point.bar);
        y_ = std::max(y_, label_end_[bar.column]);
        label_end_[bar.column] = y_ + LabelHeight(EventOf(point.bar));
        bar.top = bar.bottom = y_;
      } else if (marks_[point.bar].has_value() && !bar.has_mark) {
        y_ = std::max(y_, bar.top + (joined_[point.bar] ? kBelowLabel : kMinBar / 2));
        bar.has_mark = true;
        bar.mark = y_;
      } else {
        y_ = std::max({y_, bar.top + (joined_[point.bar] ? kBelowLabel + 2 : kMinBar), bar.mark + kMinBar / 2});
        bar.bottom = y_;
      }
    }
    timeline_.height = y_;
    timeline_.height = std::max(timeline_.height, LabelsEnd()) + kTop;
  }

  void Pass(absl::Duration gap) {
    const double height = GapHeight(gap);
    if (gap >= kIdle) {
      y_ = std::max(y_, LabelsEnd());
      timeline_.bands.push_back({Band::Kind::kIdle, y_, y_ + height - 8, gap});
    }
    y_ += height;
  }

  double LabelsEnd() const { return label_end_.empty() ? 0 : *std::max_element(label_end_.begin(), label_end_.end()); }

  // What stands across all columns above the bar.
  void Announce(size_t bar) {
    const size_t first = timeline_.bars[bar].event;
    const size_t left_out = CountRun(events_, told_, first);
    told_ = std::max(told_, first + 1);
    if (left_out > 0) AddBand(Band::Kind::kLeftOut, left_out);
    if (EventOf(bar).cleanup && !cleanup_) AddBand(Band::Kind::kCleanup, 0);
    cleanup_ = cleanup_ || EventOf(bar).cleanup;
  }

  void AddBand(Band::Kind kind, size_t left_out) {
    y_ = std::max(y_, LabelsEnd()) + 4;
    timeline_.bands.push_back({kind, y_, y_ + kBandHeight, {}, left_out});
    y_ += kBandHeight + 8;
  }

  const std::vector<Event>& events_;
  Timeline timeline_;
  std::map<std::string, size_t> columns_;
  std::map<size_t, size_t> bars_;  // by event
  std::vector<std::optional<absl::Time>> marks_;
  std::vector<double> label_end_;  // by column
  std::vector<bool> joined_;       // by bar: an arrow leaves or arrives
  double y_ = kTop;
  size_t told_ = 0;  // events that are shown, or told to be left out
  bool cleanup_ = false;
};

}  // namespace

double LabelHeight(const Event& event) { return IsFailure(event.verdict) ? 64 : 34; }

std::vector<size_t> Choose(const std::vector<Event>& events, size_t most) {
  std::vector<size_t> chosen;
  std::vector<bool> take(events.size(), false);
  size_t taken = 0;
  const auto add = [&](size_t index, size_t bound) {
    if (taken >= bound || take[index] || events[index].verdict == Verdict::kSkipped) return;
    take[index] = true;
    ++taken;
  };
  for (size_t i = 0; i < events.size(); ++i) add(i, most / 4);
  size_t first_failure = events.size() - 1;
  for (size_t i = events.size(); i-- > 0;) {
    if (IsFailure(events[i].verdict)) first_failure = i;
  }
  for (size_t i = 0; i < events.size(); ++i) {
    if (IsFailure(events[i].verdict)) add(i, most * 3 / 4);
  }
  for (size_t i = first_failure + 1; i-- > 0;) add(i, most);
  for (size_t i = first_failure; i < events.size(); ++i) add(i, most);
  for (size_t i = 0; i < events.size(); ++i) {
    if (take[i]) chosen.push_back(i);
  }
  return chosen;
}

Timeline LayOut(const ScenarioResult& scenario, size_t most) { return Layout(scenario, most).Take(); }

}  // namespace socketeer::report
