#include "client/probe/matrix.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "socketeer/duration.h"
#include "socketeer/names.h"
#include "socketeer/text.h"
#include "yaml/text.h"

namespace socketeer::probe {
namespace {

constexpr size_t kMaxCells = 10'000;
constexpr size_t kMaxNames = 1'000;

std::string Trimmed(absl::string_view text) { return std::string(absl::StripAsciiWhitespace(text)); }

// One side of an arrow, and where it goes: `web, app -> db:5432`.
struct Pattern {
  std::vector<std::string> from{};  // none: every
  std::vector<std::string> to{};    // none: every
  std::optional<Port> port{};       // none: every
};

class MatrixReader {
 public:
  explicit MatrixReader(yaml::Problems* problems) : problems_(*problems) {}

  Matrix Read(const YAML::Node& root) {
    const yaml::Fields fields(root, {"hosts", "from", "to", "ports", "listen", "timeout", "default", "cells"},
                              &problems_);
    ReadSides(fields, root);
    if (fields.Has("ports")) ReadPorts(fields["ports"]);
    if (!fields.Has("ports")) problems_.Note(root, "the key ports is missing: a list such as [22, 443, udp/53]");
    if (fields.Has("listen")) matrix_.listen = ReadFlag("listen", fields["listen"]);
    if (fields.Has("timeout")) matrix_.timeout = ReadTimeout(fields["timeout"]);
    Expected otherwise = {Reason::kOpen};
    if (fields.Has("default")) otherwise = ReadExpected(fields["default"]);
    if (!problems_.first().empty()) return {};
    MakeCells(otherwise, root);
    if (fields.Has("cells")) ReadCells(fields["cells"]);
    return std::move(matrix_);
  }

 private:
  void ReadSides(const yaml::Fields& fields, const YAML::Node& root) {
    if (fields.Has("hosts") && (fields.Has("from") || fields.Has("to"))) {
      problems_.Note(fields["hosts"], "give either hosts, or from and to");
    }
    if (fields.Has("hosts")) {
      matrix_.from = matrix_.to = ReadNames("hosts", fields["hosts"], true);
    } else if (fields.Has("from") && fields.Has("to")) {
      matrix_.from = ReadNames("from", fields["from"], true);
      matrix_.to = ReadNames("to", fields["to"], false);
    } else {
      problems_.Note(root, "the key hosts is missing (or from and to): a list of names of the hosts file");
    }
  }

  // `of_file`: names of the hosts file alone, else also addresses.
  std::vector<std::string> ReadNames(const std::string& key, const YAML::Node& node, bool of_file) {
    std::vector<std::string> names;
    for (const YAML::Node& each : problems_.List(node, "names of hosts", kMaxNames)) {
      std::string name = problems_.OneWord(each, "names of hosts");
      if (of_file && !name.empty()) {
        if (const absl::Status status = CheckHostName(name); !status.ok()) {
          problems_.Note(each, key + ": " + std::string(status.message()));
        }
      }
      if (name.find_first_of(" ,*/") != name.npos || name.find("->") != name.npos) {
        problems_.Note(each, key + ": " + problems_.Quoted(name) + " is neither a name nor an IP address");
      }
      if (std::find(names.begin(), names.end(), name) != names.end()) {
        problems_.Note(each, key + ": " + problems_.Quoted(name) + " stands there twice");
      }
      names.push_back(std::move(name));
    }
    if (names.empty()) problems_.Note(node, key + " is an empty list");
    return names;
  }

  void ReadPorts(const YAML::Node& node) {
    for (const YAML::Node& each : problems_.List(node, "ports, such as [22, 443, udp/53]", kMaxNames)) {
      const absl::StatusOr<Port> port = ParsePort(problems_.OneWord(each, "ports"));
      if (!port.ok()) {
        problems_.Note(each, "ports: " + std::string(port.status().message()));
        continue;
      }
      if (std::find(matrix_.ports.begin(), matrix_.ports.end(), *port) != matrix_.ports.end()) {
        problems_.Note(each, "ports: " + PortText(*port) + " stands there twice");
      }
      matrix_.ports.push_back(*port);
    }
    if (matrix_.ports.empty()) problems_.Note(node, "ports is an empty list");
  }

  bool ReadFlag(const std::string& key, const YAML::Node& node) {
    const std::string word = node.IsScalar() ? node.Scalar() : "";
    if (word != "true" && word != "false") problems_.Note(node, key + " must be true or false");
    return word == "true";
  }

  absl::Duration ReadTimeout(const YAML::Node& node) {
    const absl::StatusOr<absl::Duration> timeout =
        ParseDuration(problems_.OneWord(node, "durations"), kMinTimeout, kMaxProbeTimeout);
    if (!timeout.ok()) problems_.Note(node, "timeout: " + std::string(timeout.status().message()));
    return timeout.value_or(absl::ZeroDuration());
  }

  // A word, or a list of them.
  Expected ReadExpected(const YAML::Node& node) {
    Expected all;
    const std::vector<YAML::Node> nodes =
        node.IsSequence() ? problems_.List(node, "words") : std::vector<YAML::Node>{node};
    if (nodes.empty()) problems_.Note(node, "an empty list; it must have a word such as open or blocked");
    for (const YAML::Node& each : nodes) {
      const absl::StatusOr<Expected> expected = ParseExpected(problems_.OneWord(each, "words such as open or blocked"));
      if (!expected.ok()) problems_.Note(each, std::string(expected.status().message()));
      if (expected.ok()) all.insert(expected->begin(), expected->end());
    }
    return all;
  }

  void MakeCells(const Expected& expected, const YAML::Node& at) {
    const size_t count = matrix_.from.size() * matrix_.to.size() * matrix_.ports.size();
    if (count > kMaxCells) {
      problems_.Note(at, std::to_string(count) + " cells; at most 10,000 are allowed");
      return;
    }
    for (const Port& port : matrix_.ports) {
      for (const std::string& from : matrix_.from) {
        for (const std::string& to : matrix_.to) {
          if (from != to) matrix_.cells.push_back({from, to, port, expected});
        }
      }
    }
    if (matrix_.cells.empty()) problems_.Note(at, "there is no cell: one host alone, and none is asked for itself");
  }

  // What stands later counts.
  void ReadCells(const YAML::Node& node) {
    if (!node.IsMap()) {
      problems_.Note(node, "cells must be a map, such as {\"web -> db:5432\": open}");
      return;
    }
    std::set<std::string> seen;
    for (const auto& entry : node) {
      const std::string text = problems_.OneWord(entry.first, "cells such as \"web -> db:5432\"");
      if (!seen.insert(text).second)
        problems_.Note(entry.first, "cells: " + problems_.Quoted(text) + " stands there twice");
      const Pattern pattern = ReadPattern(text, entry.first);
      const Expected expected = ReadExpected(entry.second);
      if (!problems_.first().empty()) return;
      size_t matched = 0;
      for (Cell& cell : matrix_.cells) {
        if (!Matches(pattern.from, cell.from) || !Matches(pattern.to, cell.to)) continue;
        if (pattern.port.has_value() && *pattern.port != cell.port) continue;
        cell.expected = expected;
        ++matched;
      }
      if (matched == 0) problems_.Note(entry.first, "cells: " + problems_.Quoted(text) + " is none of the matrix");
    }
  }

  static bool Matches(const std::vector<std::string>& names, const std::string& name) {
    return names.empty() || std::find(names.begin(), names.end(), name) != names.end();
  }

  Pattern ReadPattern(const std::string& text, const YAML::Node& at) {
    Pattern pattern;
    const size_t arrow = text.find("->");
    if (arrow == text.npos) {
      problems_.Note(at,
                     "cells: " + problems_.Quoted(text) + " has no arrow; it must be FROM -> TO or FROM -> TO:PORT");
      return pattern;
    }
    std::string to = Trimmed(absl::string_view(text).substr(arrow + 2));
    pattern.from = ReadSide("from", Trimmed(absl::string_view(text).substr(0, arrow)), matrix_.from, at);
    // An IPv6 address has colons of its own, and is then in brackets.
    const size_t colon = to.rfind(':');
    if (colon != to.npos && !IsSide(to)) {
      pattern.port = ReadPort(Trimmed(absl::string_view(to).substr(colon + 1)), at);
      to = Trimmed(absl::string_view(to).substr(0, colon));
    }
    if (to.size() > 2 && to.front() == '[' && to.back() == ']') to = to.substr(1, to.size() - 2);
    pattern.to = ReadSide("to", to, matrix_.to, at);
    return pattern;
  }

  bool IsSide(const std::string& name) const {
    return std::find(matrix_.to.begin(), matrix_.to.end(), name) != matrix_.to.end();
  }

  std::vector<std::string> ReadSide(const std::string& key, const std::string& text,
                                    const std::vector<std::string>& known, const YAML::Node& at) {
    std::vector<std::string> names;
    if (text == "*") return names;
    for (const absl::string_view part : absl::StrSplit(text, ',')) {
      names.push_back(Trimmed(part));
      if (std::find(known.begin(), known.end(), names.back()) == known.end()) {
        problems_.Note(at, "cells: " + problems_.Quoted(names.back()) + " is none of the matrix's " +
                               (matrix_.from == matrix_.to ? "hosts" : key));
      }
    }
    return names;
  }

  std::optional<Port> ReadPort(const std::string& text, const YAML::Node& at) {
    if (text == "*") return std::nullopt;
    const absl::StatusOr<Port> port = ParsePort(text);
    if (!port.ok()) {
      problems_.Note(at, "cells: " + std::string(port.status().message()));
      return std::nullopt;
    }
    if (std::find(matrix_.ports.begin(), matrix_.ports.end(), *port) == matrix_.ports.end()) {
      problems_.Note(at, "cells: " + PortText(*port) + " is none of the matrix's ports");
    }
    return *port;
  }

  yaml::Problems& problems_;
  Matrix matrix_;
};

}  // namespace

bool operator==(const Port& one, const Port& other) {
  return one.protocol == other.protocol && one.number == other.number;
}

absl::StatusOr<Port> ParsePort(std::string_view text) {
  absl::string_view number(text.data(), text.size());
  Port port;
  if (absl::ConsumePrefix(&number, "udp/"))
    port.protocol = Protocol::kUdp;
  else
    absl::ConsumePrefix(&number, "tcp/");
  uint32_t value = 0;
  const bool digits = !number.empty() && number.find_first_not_of("0123456789") == number.npos;
  if (!digits || !absl::SimpleAtoi(number, &value) || value == 0 || value > 65'535) {
    return absl::InvalidArgumentError(Quoted(text) + " is no port; it must be 1 to 65535, as 80, tcp/80 or udp/53");
  }
  port.number = static_cast<uint16_t>(value);
  return port;
}

std::string PortText(const Port& port) {
  return (port.protocol == Protocol::kTcp ? "tcp/" : "udp/") + std::to_string(port.number);
}

absl::StatusOr<Matrix> ReadMatrix(const std::string& text, const std::string& file) {
  yaml::Problems problems(Printable(file), Printable, yaml::Places::kColumns);
  Matrix matrix;
  yaml::ReadDocument(
      text, "there is no matrix", [&](const YAML::Node& root, auto*) { matrix = MatrixReader(&problems).Read(root); },
      &problems);
  if (!problems.first().empty()) return absl::InvalidArgumentError(problems.first());
  return matrix;
}

}  // namespace socketeer::probe
