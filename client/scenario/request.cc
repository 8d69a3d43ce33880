#include "client/scenario/request.h"

#include <algorithm>
#include <limits>
#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "client/scenario/words.h"
#include "google/protobuf/duration.pb.h"
#include "socketeer/duration.h"
#include "socketeer/endpoint.h"
#include "socketeer/socket_options.h"
#include "socketeer/text.h"
#include "socketeer/v1/socket_service.pb.h"

namespace socketeer::scenario {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// A socket's name has a word of its own: it is the first of them.
std::string FieldNames(const Descriptor& descriptor, const std::vector<std::string>& words) {
  std::vector<std::string> names = words;
  for (int i = 0; i < descriptor.field_count(); ++i) {
    const std::string& name = descriptor.field(i)->name();
    if (words.empty() || (name != "name" && name != "socket_id")) names.push_back(name);
  }
  return Listed(names);
}

}  // namespace

std::string EnumWord(const google::protobuf::EnumValueDescriptor& value) {
  std::string prefix;  // SOCKET_TYPE_ of SocketType
  for (const char c : value.type()->name()) {
    if (absl::ascii_isupper(static_cast<unsigned char>(c)) && !prefix.empty()) prefix += '_';
    prefix += absl::ascii_toupper(static_cast<unsigned char>(c));
  }
  std::string name = value.name();
  if (name.starts_with(prefix + "_")) name.erase(0, prefix.size() + 1);
  std::replace(name.begin(), name.end(), '_', '-');
  return absl::AsciiStrToLower(name);
}

void RequestMaker::Fill(const Value& map, Message* message, const std::vector<std::string>& words) {
  if (map.type != Value::Type::kMap) {
    return mistakes_.Note(
        map.at, absl::StrCat("must be a map of ", FieldNames(*message->GetDescriptor(), words), ", not ", KindOf(map)));
  }
  for (const auto& [key, value] : map.fields) {
    const FieldDescriptor* const field = message->GetDescriptor()->FindFieldByName(key.text);
    if (field == nullptr) {
      return mistakes_.Note(key.at, absl::StrCat("unknown key ", Quoted(key.text), "; known are ",
                                                 FieldNames(*message->GetDescriptor(), words)));
    }
    if (const auto* const oneof = field->real_containing_oneof();
        oneof != nullptr && message->GetReflection()->HasOneof(*message, oneof)) {
      return mistakes_.Note(key.at,
                            absl::StrCat(key.text, " does not go with ",
                                         message->GetReflection()->GetOneofFieldDescriptor(*message, oneof)->name()));
    }
    Set(value, *field, message);
  }
}

void RequestMaker::Set(const Value& value, const Field& field, Message* message) {
  if (value.type == Value::Type::kNothing) return mistakes_.Note(value.at, field.name() + " has no value");
  if (field.is_map()) return SetMap(value, field, message);
  if (field.is_repeated() && value.type == Value::Type::kList) {
    for (const Value& each : value.items) {
      field.cpp_type() == Field::CPPTYPE_MESSAGE ? SetMessage(each, field, message) : SetScalar(each, field, message);
    }
    return;
  }
  field.cpp_type() == Field::CPPTYPE_MESSAGE ? SetMessage(value, field, message) : SetScalar(value, field, message);
}

void RequestMaker::SetMap(const Value& value, const Field& field, Message* message) {
  if (value.type != Value::Type::kMap) {
    return mistakes_.Note(value.at, absl::StrCat(field.name(), " must be a map, not ", KindOf(value)));
  }
  for (const auto& [key, each] : value.fields) {
    Message* const entry = message->GetReflection()->AddMessage(message, &field);
    const std::optional<std::string> word = Word(each, field.name());
    SetText(key.text, key.at, *field.message_type()->map_key(), entry);
    if (word.has_value()) SetText(*word, each.at, *field.message_type()->map_value(), entry);
  }
}

void RequestMaker::SetMessage(const Value& value, const Field& field, Message* message) {
  Message* const inner = field.is_repeated() ? message->GetReflection()->AddMessage(message, &field)
                                             : message->GetReflection()->MutableMessage(message, &field);
  const std::string& type = field.message_type()->full_name();
  if (type == "socketeer.v1.Endpoint" && value.type == Value::Type::kWord) return SetEndpoint(value, field, inner);
  if (type == "google.protobuf.Duration") return SetDuration(value, field, inner);
  if (type == "socketeer.v1.SocketOptions") return SetOptions(value, inner);
  if (type == "socketeer.v1.Listen" && value.type == Value::Type::kWord) return SetListen(value, field, inner);
  Fill(value, inner);
}

void RequestMaker::SetOptions(const Value& value, Message* options) {
  if (value.type != Value::Type::kMap) {
    return mistakes_.Note(value.at, absl::StrCat("options must be a map, {nodelay: on}, not ", KindOf(value)));
  }
  v1::SocketOptions typed;
  for (const auto& [key, each] : value.fields) {
    if (absl::Status status = CheckOptionName(key.text); !status.ok()) {
      return mistakes_.Note(key.at, std::string(status.message()));
    }
    const std::optional<std::string> word = Word(each, key.text);
    if (!word.has_value()) continue;
    absl::Status status = SetOption(key.text + "=" + *word, &typed);
    if (!status.ok()) return mistakes_.Note(each.at, std::string(status.message()));
  }
  options->CopyFrom(typed);
}

void RequestMaker::SetEndpoint(const Value& value, const Field& field, Message* endpoint) {
  const std::optional<std::string> word = Word(value, field.name());
  if (!word.has_value()) return;
  const bool bind = field.name() == "bind" || field.name() == "local";
  const absl::StatusOr<v1::Endpoint> parsed = ParseEndpoint(*word, bind ? EndpointUse::kBind : EndpointUse::kConnect);
  if (!parsed.ok()) return mistakes_.Note(value.at, field.name() + ": " + std::string(parsed.status().message()));
  endpoint->CopyFrom(*parsed);
}

void RequestMaker::SetDuration(const Value& value, const Field& field, Message* duration) {
  const std::optional<std::string> word = Word(value, field.name());
  if (!word.has_value()) return;
  absl::StatusOr<absl::Duration> parsed = ParseDurationWord(*word);
  if (!parsed.ok()) return mistakes_.Note(value.at, field.name() + ": " + std::string(parsed.status().message()));
  google::protobuf::Duration typed;
  typed.set_seconds(absl::IDivDuration(*parsed, absl::Seconds(1), &*parsed));
  typed.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(*parsed)));
  duration->CopyFrom(typed);
}

void RequestMaker::SetListen(const Value& value, const Field& field, Message* listen) {
  const std::optional<std::string> word = Word(value, field.name());
  if (!word.has_value()) return;
  int32_t backlog = 0;
  if (*word == "true") return;  // as it is by default
  if (!absl::SimpleAtoi(*word, &backlog) || backlog < 0) {
    return mistakes_.Note(value.at, "listen: " + Quoted(*word) + " is neither true nor a backlog of 0 to 2147483647");
  }
  listen->GetReflection()->SetInt32(listen, listen->GetDescriptor()->FindFieldByName("backlog"), backlog);
}

std::optional<std::string> RequestMaker::Word(const Value& value, const std::string& field) {
  if (value.type != Value::Type::kWord) {
    mistakes_.Note(value.at, absl::StrCat(field, " must be a word, not ", KindOf(value)));
    return std::nullopt;
  }
  absl::StatusOr<std::optional<std::string>> word = fill_(value);
  if (word.ok()) return *std::move(word);
  mistakes_.Note(value.at, field + ": " + std::string(word.status().message()));
  return std::nullopt;
}

std::optional<uint64_t> RequestMaker::Number(const Value& value, const std::string& field, uint64_t min, uint64_t max) {
  const std::optional<std::string> word = Word(value, field);
  if (!word.has_value()) return std::nullopt;
  uint64_t number = 0;
  if (absl::SimpleAtoi(*word, &number) && number >= min && number <= max) return number;
  mistakes_.Note(value.at, absl::StrCat(field, ": ", Quoted(*word), " is not a number of ", min, " to ", max));
  return std::nullopt;
}

std::optional<bool> RequestMaker::Flag(const Value& value, const std::string& field) {
  const std::optional<std::string> word = Word(value, field);
  if (!word.has_value()) return std::nullopt;
  if (*word == "true" || *word == "false") return *word == "true";
  mistakes_.Note(value.at, field + ": " + Quoted(*word) + " is neither true nor false");
  return std::nullopt;
}

}  // namespace socketeer::scenario
