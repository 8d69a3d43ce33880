#include "client/scenario/schema.h"

#include <string>
#include <vector>

#include "client/scenario/expectation.h"
#include "client/scenario/prepare.h"
#include "client/scenario/request.h"
#include "client/scenario/verb.h"
#include "google/protobuf/descriptor.h"
#include "socketeer/kind.h"
#include "socketeer/socket_options.h"

namespace socketeer::scenario {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using Json = nlohmann::ordered_json;

Json Ref(const char* name) { return {{"$ref", std::string("#/$defs/") + name}}; }

// One of these words, or what a variable makes of it.
Json OneOf(const std::vector<std::string>& words) {
  return {{"anyOf", {{{"enum", words}}, {{"type", "string"}, {"pattern", R"(\$\{)"}}}}};
}

Json Closed(Json properties, const std::vector<std::string>& required = {}) {
  Json schema = {{"type", "object"}, {"additionalProperties", false}, {"properties", std::move(properties)}};
  if (!required.empty()) schema["required"] = required;
  return schema;
}

Json OfFields(const Descriptor& message);

Json OfMessage(const FieldDescriptor& field) {
  const std::string& type = field.message_type()->full_name();
  if (type == "google.protobuf.Duration") return Ref("duration");
  if (type == "socketeer.v1.SocketOptions") return Ref("options");
  if (type == "socketeer.v1.Endpoint") return {{"anyOf", {Ref("word"), OfFields(*field.message_type())}}};
  if (type == "socketeer.v1.Listen") return {{"anyOf", {Ref("word"), OfFields(*field.message_type())}}};
  if (type == "google.protobuf.Timestamp") return Ref("word");
  return OfFields(*field.message_type());
}

Json OfOne(const FieldDescriptor& field) {
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) return OfMessage(field);
  if (field.type() == FieldDescriptor::TYPE_BYTES) return Ref("bytes");
  if (field.cpp_type() != FieldDescriptor::CPPTYPE_ENUM) return Ref("word");
  std::vector<std::string> words;
  for (int i = 0; i < field.enum_type()->value_count(); ++i) {
    words.push_back(EnumWord(*field.enum_type()->value(i)));
    words.push_back(field.enum_type()->value(i)->name());
  }
  return OneOf(words);
}

Json OfField(const FieldDescriptor& field) {
  if (field.is_map()) return {{"type", "object"}, {"additionalProperties", Ref("word")}};
  if (!field.is_repeated()) return OfOne(field);
  return {{"anyOf", {{{"type", "array"}, {"items", OfOne(field)}}, OfOne(field)}}};
}

Json OfFields(const Descriptor& message) {
  Json properties = Json::object();
  for (int i = 0; i < message.field_count(); ++i) properties[message.field(i)->name()] = OfField(*message.field(i));
  return Closed(std::move(properties));
}

Json OfVerb(const Verb& verb) {
  if (verb.word == "call") {
    return Closed({{"method", {{"type", "string"}}}, {"request", {{"type", "object"}}}}, {"method"});
  }
  Json properties = Json::object();
  for (const std::string_view name : {verb.method, verb.datagram_method}) {
    if (const auto* const method = FindMethod(name)) properties.update(OfFields(*method->input_type())["properties"]);
  }
  for (const std::string& word : WordsOf(verb)) properties.emplace(word, Json::object());
  if (verb.word == "open") properties["kind"] = OneOf({KindWords().begin(), KindWords().end()});
  if (verb.word == "label") properties["socket"] = Ref("word");
  Json schema = Closed(std::move(properties));
  schema["type"] = {"object", "null"};
  return schema;
}

Json Step() {
  Json properties = {{"on", {{"type", "string"}}},
                     {"name", Ref("word")},
                     {"limit", Ref("duration")},
                     {"expect", {{"type", "object"}, {"additionalProperties", Ref("matcher")}}},
                     {"capture", {{"type", "object"}, {"additionalProperties", {{"type", "string"}}}}}};
  Json actions = Json::array();
  const auto add = [&](const std::string& action, Json schema) {
    properties[action] = std::move(schema);
    actions.push_back({{"required", {action}}});
  };
  for (const Verb& verb : Verbs()) add(std::string(verb.word), OfVerb(verb));
  const Json words = {{"type", "array"}, {"minItems", 1}, {"items", Ref("word")}};
  add("run", {{"anyOf", {words, Closed({{"command", words}, {"input", Ref("word")}}, {"command"})}}});
  add("probe", Closed({{"to", Ref("word")}, {"protocol", OneOf({"tcp", "udp"})}, {"listen", Ref("word")}}, {"to"}));
  add("parallel", {{"type", "object"}, {"minProperties", 1}, {"additionalProperties", Ref("steps")}});
  add("for-each", Closed({{"over", Ref("matrix")}, {"steps", Ref("steps")}}, {"over", "steps"}));
  add("retry", Closed({{"successes", Ref("word")}, {"pause", Ref("duration")}, {"steps", Ref("steps")}}, {"steps"}));
  Json step = Closed(std::move(properties));
  step["oneOf"] = std::move(actions);
  return step;
}

Json Matcher() {
  Json properties = Json::object();
  for (const std::string& word : MatcherWords()) {
    properties[word] = word == "one-of" ? Json{{"type", "array"}, {"items", Ref("word")}} : Ref("word");
  }
  return {{"anyOf", {Ref("word"), Closed(std::move(properties))}}};
}

Json Options() {
  Json properties = Json::object();
  for (const OptionText& option : KnownOptions()) {
    properties[option.name] = {{"anyOf", {Ref("word")}}, {"description", option.value}};
  }
  return Closed(std::move(properties));
}

Json Definitions() {
  return {{"word", {{"type", {"string", "number", "boolean"}}}},
          {"duration", {{"type", {"string", "number"}}, {"description", "500ms, 2s, 1m30s; at most 24h"}}},
          {"bytes",
           {{"anyOf",
             {Ref("word"),
              Closed({{"text", Ref("word")}, {"hex", Ref("word")}, {"file", Ref("word")}, {"zeros", Ref("word")}})}}}},
          {"options", Options()},
          {"matcher", Matcher()},
          {"matrix",
           {{"type", "object"},
            {"minProperties", 1},
            {"additionalProperties", {{"type", "array"}, {"minItems", 1}, {"items", Ref("word")}}}}},
          {"step", Step()},
          {"steps", {{"type", "array"}, {"minItems", 1}, {"items", Ref("step")}}}};
}

}  // namespace

Json Schema() {
  const Json names = {{"type", "object"}, {"additionalProperties", Ref("word")}};
  Json schema = Closed({{"name", Ref("word")},
                        {"about", Ref("word")},
                        {"tags", {{"type", "array"}, {"items", Ref("word")}}},
                        {"hosts", {{"anyOf", {{{"type", "array"}, {"items", {{"type", "string"}}}}, names}}}},
                        {"variables", names},
                        {"matrix", Ref("matrix")},
                        {"limit", Ref("duration")},
                        {"lease", Ref("duration")},
                        {"steps", Ref("steps")},
                        {"cleanup", Ref("steps")}},
                       {"name", "steps"});
  schema["$schema"] = "https://json-schema.org/draft/2020-12/schema";
  schema["title"] = "A scenario of socketeer run";
  schema["$defs"] = Definitions();
  return schema;
}

}  // namespace socketeer::scenario
