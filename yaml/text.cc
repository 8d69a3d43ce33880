#include "yaml/text.h"

#include <yaml-cpp/eventhandler.h>

#include <algorithm>
#include <sstream>
#include <vector>

namespace socketeer::yaml {
namespace {

// Hears of documents, and nothing else.
class Deaf final : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark& mark) override { begins_.push_back(mark); }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}

  const std::vector<YAML::Mark>& begins() const { return begins_; }

 private:
  std::vector<YAML::Mark> begins_;
};

// Where each document begins, of two at most. (yaml-cpp's LoadAll never ends on text that is none, such as ", a".)
std::vector<YAML::Mark> Documents(const std::string& text) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  Deaf handler;
  for (int i = 0; i < 2 && parser.HandleNextDocument(handler); ++i) {
  }
  return handler.begins();
}

// yaml-cpp takes it for a backslash: "2\0x32" would be read as 22, and shown otherwise.
void RefuseNul(const std::string& text) {
  const size_t at = text.find('\0');
  if (at == std::string::npos) return;
  YAML::Mark mark;
  mark.pos = static_cast<int>(at);
  mark.line = static_cast<int>(std::count(text.begin(), text.begin() + mark.pos, '\n'));
  const size_t line_end = text.rfind('\n', at);
  mark.column = static_cast<int>(line_end == std::string::npos ? at : at - line_end - 1);
  throw YAML::ParserException(mark, "a NUL byte");
}

}  // namespace

std::optional<YAML::Node> LoadDocument(const std::string& text) {
  RefuseNul(text);
  const std::vector<YAML::Mark> documents = Documents(text);
  if (documents.size() > 1) throw YAML::ParserException(documents[1], "a second document");
  if (documents.empty()) return std::nullopt;
  return YAML::Load(text);
}

void ReadDocument(const std::string& text, const std::string& empty, const ReadRootNode& read, Problems* problems) {
  constexpr size_t kMaxProblem = 300;  // bytes of what the parser says
  try {
    const auto root = LoadDocument(text);
    if (!root) problems->Note(1, empty);
    if (root) read(*root, problems);
  } catch (const YAML::Exception& error) {
    problems->Note(error.mark, problems->Shown(error.msg, kMaxProblem));
  }
}

}  // namespace socketeer::yaml
