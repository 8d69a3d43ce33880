// A scenario's sequence diagram, as SVG to stand in HTML.
#pragma once

#include <cstddef>
#include <string>

#include "client/report/result.h"

namespace socketeer::report {

struct Diagram {
  std::string heads{};  // the names of the columns, an <svg> by itself
  std::string body{};
  size_t left_out = 0;  // events that are not shown
};

// At most `most` events. Its colours are those of the page: html_style.h.
Diagram Draw(const ScenarioResult& scenario, size_t most);

}  // namespace socketeer::report
