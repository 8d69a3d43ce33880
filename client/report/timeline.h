// Where everything of a scenario's diagram stands: time runs down, each host has a column.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "client/report/arrows.h"
#include "client/report/result.h"

namespace socketeer::report {

// An event on its host's line, in pixels.
struct Bar {
  size_t event = 0;
  size_t column = 0;
  size_t lane = 0;  // beside others that ran meanwhile
  double top = 0;
  double bottom = 0;
  bool has_mark = false;
  double mark = 0;  // where the host says that it happened
};

// A stretch that is not to scale, or stands for more than there is.
struct Band {
  enum class Kind { kIdle, kLeftOut, kCleanup };

  Kind kind = Kind::kIdle;
  double top = 0;
  double bottom = 0;
  absl::Duration idle{};
  size_t left_out = 0;  // events
};

struct Column {
  std::string host{};  // "": the runner
  size_t lanes = 1;
};

struct Timeline {
  std::vector<Column> columns{};
  std::vector<Bar> bars{};  // of the events that are shown, by start
  std::vector<Band> bands{};
  std::vector<Arrow> arrows{};  // `from` and `to` are indexes of bars
  double height = 0;
  size_t left_out = 0;  // events that are not shown
};

// The indexes of at most `most` of the events that ran: the first ones, the failures, and what came right before them.
std::vector<size_t> Choose(const std::vector<Event>& events, size_t most);

// Nothing stands above what it followed: not the marks of hosts whose clocks are known but for their bounds either.
Timeline LayOut(const ScenarioResult& scenario, size_t most);

// The height of the label of an event that ends with this verdict.
double LabelHeight(const Event& event);

}  // namespace socketeer::report
