#include "client/report/diagram.h"

#include <algorithm>
#include <cstdio>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "client/report/summary.h"
#include "client/report/text.h"
#include "client/report/timeline.h"

namespace socketeer::report {
namespace {

constexpr double kGutter = 78;  // of the times on the left
constexpr double kLane = 13;    // of bars beside each other
constexpr double kBar = 9;
constexpr double kPage = 1180;  // what a usual window has room for
constexpr double kLeast = 258;  // of a label
constexpr double kMost = 540;
constexpr double kCharacter = 6.65;  // of a fixed font of 11 pixels, and more than most of the other
constexpr size_t kTooltip = 600;     // bytes
constexpr double kHeads = 46;

std::string N(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.1f", value);
  return text;
}

std::string Text(double x, double y, std::string_view kind, std::string_view text) {
  return absl::StrCat("<text class=\"", std::string(kind), "\" x=\"", N(x), "\" y=\"", N(y), "\">", Markup(text),
                      "</text>");
}

// Fine enough to tell one event from the next.
std::string SecondsText(absl::Duration duration) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.4f", absl::ToDoubleSeconds(duration));
  return text;
}

// What an event does, as far as its colour goes.
const char* Sort(const Event& event) {
  if (IsFailure(event.verdict)) return "bad";
  if (!event.errno_name.empty()) return "errno";
  const std::string& verb = event.verb;
  if (verb == "wait" || verb == "accept" || verb == "barrier" || verb == "wait-value") return "waits";
  if (event.bytes_sent > 0 || event.bytes_received > 0 || verb == "send" || verb == "recv") return "data";
  return "does";
}

std::string Where(const Event& event) {
  if (event.peer.empty()) return event.local;
  return (event.verb == "accept"                            ? "from "
          : event.verb == "open" || event.verb == "connect" ? "to "
                                                            : "with ") +
         event.peer;
}

// How long, what came of it, and where: as much as the label has room for.
std::string Details(const Event& event) {
  std::string details = DurationText(event.end - event.start);
  const auto add = [&](const std::string& more) {
    if (!more.empty()) absl::StrAppend(&details, " \xc2\xb7 ", more);
  };
  // A step that was given a name does not tell it.
  if (event.title.find(ActionText(event)) == std::string::npos) add(ActionText(event));
  add(TrafficText(event));
  if (event.attempt > 1) add(absl::StrCat("try ", event.attempt));
  if (event.bytes_sent + event.bytes_received == 0) add(Where(event));
  if (!event.branch.empty()) add("in " + event.branch);
  return details;
}

std::string Tooltip(const ScenarioResult& scenario, const Event& event) {
  std::string text =
      absl::StrCat(PlaceOf(scenario, event), "\n", HostWord(event.host), ": ", event.title, "\n", ActionText(event),
                   "\n", VerdictWord(event.verdict), " after ", DurationText(event.end - event.start));
  const auto add = [&](const std::string& more) {
    if (!more.empty()) absl::StrAppend(&text, "\n", more);
  };
  add(AddressText(event));
  add(TrafficText(event));
  add(ErrnoText(event));
  add(event.message);
  return Markup(text, kTooltip);
}

class Drawing {
 public:
  Drawing(const ScenarioResult& scenario, size_t most) : scenario_(scenario), timeline_(LayOut(scenario, most)) {
    const double columns = static_cast<double>(std::max<size_t>(1, timeline_.columns.size()));
    label_ = std::clamp((kPage - kGutter) / columns - 2 * kLane, kLeast, kMost);
    characters_ = static_cast<size_t>((label_ - 12) / kCharacter);
    double x = kGutter;
    for (const Column& column : timeline_.columns) {
      lines_.push_back(x + 14);
      x += label_ + kLane * static_cast<double>(column.lanes);
    }
    width_ = x + 6;
  }

  Diagram Take() {
    Lifelines();
    for (const Band& band : timeline_.bands) Draw(band);
    for (const Arrow& arrow : timeline_.arrows) Draw(arrow);
    for (const Bar& bar : timeline_.bars) Draw(bar);
    return {Heads(),
            Svg(timeline_.height, "body", "The hosts' steps over time; the list of steps has the same as text", body_),
            timeline_.left_out};
  }

 private:
  const Event& EventOf(const Bar& bar) const { return scenario_.events[bar.event]; }
  double Middle(const Bar& bar) const { return lines_[bar.column] + kLane * static_cast<double>(bar.lane); }
  double LabelLeft(const Bar& bar) const {
    return lines_[bar.column] + kLane * static_cast<double>(timeline_.columns[bar.column].lanes) - 2;
  }

  std::string Svg(double height, const char* kind, const char* what, const std::string& content) const {
    return absl::StrCat("<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"", kind, "\" width=\"", N(width_),
                        "\" height=\"", N(height), "\" viewBox=\"0 0 ", N(width_), " ", N(height),
                        "\" preserveAspectRatio=\"xMinYMin\" role=\"img\" aria-label=\"", what, "\">", content,
                        "</svg>\n");
  }

  std::string Heads() const {
    std::string heads = Text(kGutter - 14, 35, "time", "seconds");
    for (size_t i = 0; i < timeline_.columns.size(); ++i) {
      const std::string& host = timeline_.columns[i].host;
      const auto clock = std::find_if(scenario_.clocks.begin(), scenario_.clocks.end(),
                                      [&](const Clock& known) { return known.host == host && !host.empty(); });
      absl::StrAppend(
          &heads, "<g>", host.empty() ? "" : "<title>" + Markup(host, kTooltip) + "</title>",
          Text(lines_[i] - 5, 19, host.empty() ? "head runner" : "head", Cut(OneLine(HostWord(host), kTooltip), 30)),
          "</g>");
      if (clock != scenario_.clocks.end()) {
        const std::string text = ClockText(*clock);
        const size_t skip = clock->host.size() + 3;  // "b's "
        heads +=
            Text(lines_[i] - 5, 35, clock->known ? "sub" : "sub doubt", Cut(OneLine(text.substr(skip), kTooltip), 44));
      }
    }
    return Svg(kHeads, "heads", "The hosts", heads);
  }

  void Lifelines() {
    for (const double x : lines_) {
      absl::StrAppend(&body_, "<path class=\"life\" d=\"M", N(x), " 0V", N(timeline_.height), "\"/>");
    }
  }

  void Draw(const Band& band) {
    const double middle = (band.top + band.bottom) / 2;
    const char* const kind = band.kind == Band::Kind::kIdle      ? "idle"
                             : band.kind == Band::Kind::kLeftOut ? "leftout"
                                                                 : "cleanup";
    absl::StrAppend(&body_, "<rect class=\"band ", kind, "\" x=\"0\" y=\"", N(band.top), "\" width=\"", N(width_),
                    "\" height=\"", N(std::max(2.0, band.bottom - band.top)), "\"/>");
    if (band.kind == Band::Kind::kIdle) {
      body_ += Text(6, middle + 4, "bandtext", DurationText(band.idle));
    } else if (band.kind == Band::Kind::kCleanup) {
      body_ += Text(6, middle + 4, "bandtext", "Cleanup");
    } else {
      body_ += Text(kGutter, middle + 4, "bandtext", absl::StrCat(band.left_out, " steps are left out"));
    }
  }

  void Draw(const Arrow& arrow) {
    const Bar& from = timeline_.bars[arrow.from];
    const Bar& to = timeline_.bars[arrow.to];
    const double end = to.has_mark ? to.mark : to.bottom - 2;
    const double start = std::max(from.top + 1, std::min(from.has_mark ? from.mark : from.bottom - 2, end));
    const double x = Middle(from);
    const bool right = Middle(to) > x;
    const double tip = Middle(to) + (right ? -kBar / 2 - 1 : kBar / 2 + 1);
    const char* const kind = arrow.kind == Arrow::Kind::kConnection ? "connection"
                             : arrow.kind == Arrow::Kind::kData     ? "bytes"
                                                                    : "end";
    absl::StrAppend(&body_, "<g class=\"arrow ", kind, "\" data-from=\"", from.event, "\" data-to=\"", to.event,
                    "\"><path d=\"M", N(x), " ", N(start), "L", N(tip), " ", N(end), "\"/><path class=\"tip\" d=\"M",
                    N(tip), " ", N(end), right ? "l-8 -4v8z" : "l8 -4v8z", "\"/></g>");
  }

  void Draw(const Bar& bar) {
    const Event& event = EventOf(bar);
    const double x = Middle(bar);
    absl::StrAppend(&body_, "<g class=\"event ", Sort(event), "\" data-event=\"", bar.event, "\"><title>",
                    Tooltip(scenario_, event), "</title><rect class=\"bar\" x=\"", N(x - kBar / 2), "\" y=\"",
                    N(bar.top), "\" width=\"", N(kBar), "\" height=\"", N(std::max(4.0, bar.bottom - bar.top - 2)),
                    "\" rx=\"3\"/>");
    if (bar.has_mark) {
      absl::StrAppend(&body_, "<path class=\"mark\" d=\"M", N(x), " ", N(bar.mark - 4.5),
                      "l4.5 4.5l-4.5 4.5l-4.5 -4.5z\"/>");
    }
    if (IsFailure(event.verdict)) {
      absl::StrAppend(&body_, "<path class=\"cross\" d=\"M", N(x - 5), " ", N(bar.bottom - 7),
                      "l10 10m0 -10l-10 10\"/>");
    }
    Label(bar, event);
    body_ += "</g>\n";
    Time(bar, event);
  }

  void Label(const Bar& bar, const Event& event) {
    const double left = LabelLeft(bar);
    if (bar.lane + 1 < timeline_.columns[bar.column].lanes) {
      absl::StrAppend(&body_, "<path class=\"lead\" d=\"M", N(Middle(bar) + kBar / 2), " ", N(bar.top + 5), "H",
                      N(left - 2), "\"/>");
    }
    const std::string title = Cut(OneLine(event.title, kTooltip), characters_);
    const std::string reason = event.errno_name.empty() ? "" : Cut(OneLine(event.errno_name, kTooltip), characters_);
    const double shift = reason.empty() ? 0 : kCharacter * static_cast<double>(Columns(reason)) + 6;
    const std::string details =
        Cut(OneLine(Details(event), kTooltip), characters_ + 3 - std::min(characters_, Columns(reason)));
    std::vector<std::string> why;
    if (IsFailure(event.verdict)) why = Wrapped(OneLine(event.message, 400), characters_ + 3, 2);
    // Arrows go behind it.
    const double widest = kCharacter * static_cast<double>(std::max(Columns(title), Columns(details)));
    const double width = why.empty() ? std::max(widest, shift + widest * 0.8) : label_ - 8;
    absl::StrAppend(&body_, "<rect class=\"paper\" x=\"", N(left - 3), "\" y=\"", N(bar.top - 2), "\" width=\"",
                    N(std::min(width, label_ - 8) + 6), "\" height=\"", N(28 + 13 * static_cast<double>(why.size())),
                    "\" rx=\"3\"/>");
    double y = bar.top + 9;
    body_ += Text(left, y, "title", title);
    y += 13;
    if (!reason.empty()) body_ += Text(left, y, "reason", reason);
    body_ += Text(left + shift, y, "sub", details);
    for (const std::string& line : why) body_ += Text(left, y += 13, "why", line);
  }

  // Not so often that they would touch.
  void Time(const Bar& bar, const Event& event) {
    if (bar.top < next_time_) return;
    next_time_ = bar.top + 20;
    body_ += Text(kGutter - 14, bar.top + 9, "time", SecondsText(event.start - scenario_.start));
  }

  const ScenarioResult& scenario_;
  const Timeline timeline_;
  std::vector<double> lines_;
  std::string body_;
  double width_ = 0;
  double label_ = 0;
  size_t characters_ = 0;  // of a label
  double next_time_ = 0;
};

}  // namespace

Diagram Draw(const ScenarioResult& scenario, size_t most) { return Drawing(scenario, most).Take(); }

}  // namespace socketeer::report
