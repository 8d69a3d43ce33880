#include <algorithm>
#include <cctype>
#include <string>

#include "client/cli/output.h"
#include "google/protobuf/util/json_util.h"
#include "socketeer/text.h"
#include "yaml-cpp/yaml.h"

namespace socketeer::cli {
namespace {

// Whether YAML reads the bare word as this very string, in version 1.1 too.
bool IsPlainWord(const std::string& text) {
  constexpr std::string_view kOther[] = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"};
  const auto letter = [](unsigned char c) { return c < 0x80 && std::isalpha(c); };
  const auto inner = [&](unsigned char c) {
    return letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' || c == '/';
  };
  if (text.empty() || !letter(text[0]) || !std::all_of(text.begin(), text.end(), inner)) {
    return false;
  }
  std::string lower = text;
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return std::find(std::begin(kOther), std::end(kOther), lower) == std::end(kOther);
}

void EmitScalar(const YAML::Node& node, YAML::Emitter& out) {
  const bool was_string = node.Tag() == "!";  // yaml-cpp's mark for a quoted scalar
  if (was_string && !IsPlainWord(node.Scalar())) out << YAML::DoubleQuoted;
  out << node.Scalar();
}

void Emit(const YAML::Node& node, YAML::Emitter& out) {
  switch (node.Type()) {
    case YAML::NodeType::Map:
      if (node.size() == 0) out << YAML::Flow;
      out << YAML::BeginMap;
      for (const auto& entry : node) {
        out << YAML::Key;
        EmitScalar(entry.first, out);
        out << YAML::Value;
        Emit(entry.second, out);
      }
      out << YAML::EndMap;
      return;
    case YAML::NodeType::Sequence:
      if (node.size() == 0) out << YAML::Flow;
      out << YAML::BeginSeq;
      for (const YAML::Node& element : node) Emit(element, out);
      out << YAML::EndSeq;
      return;
    case YAML::NodeType::Scalar:
      EmitScalar(node, out);
      return;
    case YAML::NodeType::Null:
    case YAML::NodeType::Undefined:
      out << YAML::Null;
      return;
  }
}

}  // namespace

std::string ToJson(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  std::string json;
  // Cannot fail: every message here is of the compiled API.
  (void)google::protobuf::util::MessageToJsonString(message, &json, options);
  return WithTurnsEscaped(json);
}

std::string JsonToYaml(const std::string& json) {
  YAML::Emitter out;
  Emit(YAML::Load(json), out);
  return WithTurnsEscaped(out.c_str()) + "\n";  // they are in strings only, and such strings in quotation marks
}

}  // namespace socketeer::cli
