#include "server/registry/filter.h"

#include <algorithm>
#include <cctype>
#include <optional>

#include "server/registry/registry.h"

namespace socketeer::registry {

const char* StateWord(net::State state) {
  switch (state) {
    case net::State::kUnspecified:
      break;
    case net::State::kCreated:
      return "CREATED";
    case net::State::kBound:
      return "BOUND";
    case net::State::kListening:
      return "LISTENING";
    case net::State::kConnecting:
      return "CONNECTING";
    case net::State::kConnected:
      return "CONNECTED";
    case net::State::kDisconnected:
      return "DISCONNECTED";
    case net::State::kClosed:
      return "CLOSED";
  }
  return "UNSPECIFIED";
}

namespace {

constexpr std::string_view kStates[] = {"CREATED",   "BOUND",        "LISTENING", "CONNECTING",
                                        "CONNECTED", "DISCONNECTED", "CLOSED"};
constexpr std::string_view kKinds[] = {"tcp",  "tcp4", "tcp6",       "udp",           "udp4",
                                       "udp6", "unix", "unix-dgram", "unix-seqpacket"};

bool IsWordChar(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_' || c == '/' || c == '-' || c == '*';
}

bool IsSessionName(std::string_view name) {
  constexpr std::string_view kCollection = "sessions/";
  return name.starts_with(kCollection) && IsSocketId(name.substr(kCollection.size()));
}

}  // namespace

// Reads one filter from left to right.
class FilterParser {
 public:
  explicit FilterParser(std::string_view text) : text_(text) {}

  base::Result<Filter> Parse() {
    if (text_.size() > kMaxFilterBytes) {
      return base::InvalidField("filter", std::to_string(text_.size()) + " bytes",
                                "at most " + std::to_string(kMaxFilterBytes) + " bytes");
    }
    Filter filter;
    SkipSpace();
    if (at_ == text_.size()) return filter;
    while (true) {
      auto term = ParseTerm();
      if (!term.ok()) return std::move(term).error();
      filter.terms_.push_back(*std::move(term));
      SkipSpace();
      if (at_ == text_.size()) return filter;
      if (Word() != "AND") return Wrong("AND, or the end");
      SkipSpace();
    }
  }

 private:
  using Term = Filter::Term;

  base::Result<Term> ParseTerm() {
    Term term;
    start_ = at_;
    const std::string field = Word();
    if (field == "state") {
      term.field = Term::Field::kState;
    } else if (field == "kind") {
      term.field = Term::Field::kKind;
    } else if (field == "session") {
      term.field = Term::Field::kSession;
    } else if (field.starts_with("labels.") && IsLabelKey(field.substr(7))) {
      term.field = Term::Field::kLabel;
      term.label = field.substr(7);
    } else {
      return Wrong("state, kind, session or labels.KEY");
    }
    SkipSpace();
    start_ = at_;
    if (term.field == Term::Field::kLabel && Take(":*")) {
      term.prefix = true;
      return term;
    }
    if (Take("!=")) {
      term.negated = true;
    } else if (!Take("=")) {
      return Wrong(term.field == Term::Field::kLabel ? "=, != or :*" : "= or !=");
    }
    return ParseValue(std::move(term));
  }

  base::Result<Term> ParseValue(Term term) {
    SkipSpace();
    start_ = at_;
    const std::optional<std::string> value = Peek() == '"' ? Quoted() : Word();
    if (!value) return Wrong("a closing \"");
    term.value = *value;
    if (term.field == Term::Field::kState && term.value.starts_with("STATE_")) term.value.erase(0, 6);
    if (term.value.ends_with('*')) {
      term.prefix = true;
      term.value.pop_back();
    } else if (term.field == Term::Field::kState) {
      if (std::ranges::find(kStates, term.value) == std::end(kStates)) {
        return Wrong("CREATED, BOUND, LISTENING, CONNECTING, CONNECTED or DISCONNECTED");
      }
    } else if (term.field == Term::Field::kKind) {
      if (std::ranges::find(kKinds, term.value) == std::end(kKinds)) {
        return Wrong("tcp, tcp4, tcp6, udp, udp4, udp6, unix, unix-dgram or unix-seqpacket");
      }
    } else if (term.field == Term::Field::kSession) {
      if (!IsSessionName(term.value)) return Wrong("sessions/ID");
    } else if (at_ == start_) {
      return Wrong("a value; \"\" is the empty one");
    }
    return term;
  }

  char Peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  void SkipSpace() {
    while (Peek() == ' ' || Peek() == '\t') ++at_;
  }

  bool Take(std::string_view token) {
    if (!text_.substr(at_).starts_with(token)) return false;
    at_ += token.size();
    return true;
  }

  std::string Word() {
    start_ = at_;
    while (at_ < text_.size() && IsWordChar(text_[at_])) ++at_;
    return std::string(text_.substr(start_, at_ - start_));
  }

  std::optional<std::string> Quoted() {
    std::string value;
    for (++at_; at_ < text_.size(); ++at_) {
      char c = text_[at_];
      if (c == '"') {
        ++at_;
        return value;
      }
      if (c == '\\' && at_ + 1 < text_.size()) c = text_[++at_];
      value += c;
    }
    return std::nullopt;
  }

  base::Error Wrong(const std::string& expected) const {
    return base::InvalidField("filter", std::string(text_), expected + " at column " + std::to_string(start_ + 1));
  }

  const std::string_view text_;
  size_t at_ = 0;
  size_t start_ = 0;  // of the token being read, for errors
};

base::Result<Filter> Filter::Parse(std::string_view text) { return FilterParser(text).Parse(); }

bool Filter::Matches(const net::SocketInfo& info, const Labels& labels, std::string_view session) const {
  return std::ranges::all_of(terms_, [&](const Term& term) { return Holds(term, info, labels, session); });
}

bool Filter::Holds(const Term& term, const net::SocketInfo& info, const Labels& labels, std::string_view session) {
  std::string actual;
  if (term.field == Term::Field::kState) actual = StateWord(info.state);
  if (term.field == Term::Field::kKind) actual = info.kind.Word();
  if (term.field == Term::Field::kSession) actual = session;
  if (term.field == Term::Field::kLabel) {
    const auto found = labels.find(term.label);
    if (found == labels.end()) return term.negated;
    actual = found->second;
  }
  const bool equal = term.prefix ? actual.starts_with(term.value) : actual == term.value;
  return equal != term.negated;
}

}  // namespace socketeer::registry
