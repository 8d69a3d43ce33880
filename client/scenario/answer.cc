#include "client/scenario/answer.h"

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "client/scenario/request.h"
#include "socketeer/endpoint.h"
#include "socketeer/error.h"
#include "socketeer/socket_options.h"

namespace socketeer::scenario {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using Json = nlohmann::json;

Json ToMessage(const Message& message, const SocketNames& names) {
  const std::string& type = message.GetDescriptor()->full_name();
  if (type == "socketeer.v1.Endpoint") return FormatEndpoint(static_cast<const v1::Endpoint&>(message));
  if (type == "google.protobuf.Duration") {
    const auto& duration = static_cast<const google::protobuf::Duration&>(message);
    return absl::FormatDuration(absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos()));
  }
  if (type == "google.protobuf.Timestamp") {
    const auto& time = static_cast<const google::protobuf::Timestamp&>(message);
    return absl::FormatTime(absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos()),
                            absl::UTCTimeZone());
  }
  if (type == "socketeer.v1.SocketOptions") {
    Json options = Json::object();
    for (const OptionText& option : FormatOptions(static_cast<const v1::SocketOptions&>(message))) {
      options[option.name] = option.value;
    }
    return options;
  }
  return ToAnswer(message, names);
}

// One value: of a field, or the one at `index` of a repeated field.
Json ToValue(const Message& message, const FieldDescriptor& field, int index, const SocketNames& names) {
  const Reflection& reflection = *message.GetReflection();
  const bool repeated = field.is_repeated();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return repeated ? reflection.GetRepeatedInt32(message, &field, index) : reflection.GetInt32(message, &field);
    case FieldDescriptor::CPPTYPE_UINT32:
      return repeated ? reflection.GetRepeatedUInt32(message, &field, index) : reflection.GetUInt32(message, &field);
    case FieldDescriptor::CPPTYPE_INT64:
      return repeated ? reflection.GetRepeatedInt64(message, &field, index) : reflection.GetInt64(message, &field);
    case FieldDescriptor::CPPTYPE_UINT64:
      return repeated ? reflection.GetRepeatedUInt64(message, &field, index) : reflection.GetUInt64(message, &field);
    case FieldDescriptor::CPPTYPE_BOOL:
      return repeated ? reflection.GetRepeatedBool(message, &field, index) : reflection.GetBool(message, &field);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return repeated ? reflection.GetRepeatedDouble(message, &field, index) : reflection.GetDouble(message, &field);
    case FieldDescriptor::CPPTYPE_FLOAT:
      return repeated ? reflection.GetRepeatedFloat(message, &field, index) : reflection.GetFloat(message, &field);
    case FieldDescriptor::CPPTYPE_ENUM:
      return EnumWord(repeated ? *reflection.GetRepeatedEnum(message, &field, index)
                               : *reflection.GetEnum(message, &field));
    case FieldDescriptor::CPPTYPE_STRING: {
      const std::string text =
          repeated ? reflection.GetRepeatedString(message, &field, index) : reflection.GetString(message, &field);
      return field.type() == FieldDescriptor::TYPE_BYTES ? text : names.ToFile(text);
    }
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return ToMessage(
          repeated ? reflection.GetRepeatedMessage(message, &field, index) : reflection.GetMessage(message, &field),
          names);
  }
  return nullptr;
}

Json ToMap(const Message& message, const FieldDescriptor& field, const SocketNames& names) {
  Json map = Json::object();
  for (int i = 0; i < message.GetReflection()->FieldSize(message, &field); ++i) {
    const Message& entry = message.GetReflection()->GetRepeatedMessage(message, &field, i);
    const Json key = ToValue(entry, *field.message_type()->map_key(), 0, names);
    map[AsWord(key)] = ToValue(entry, *field.message_type()->map_value(), 0, names);
  }
  return map;
}

// `.ip`, `.port` or `.path` of an address that is text.
std::optional<Json> PartOfAddress(const std::string& text, std::string_view part) {
  const absl::StatusOr<v1::Endpoint> endpoint = ParseEndpoint(text, EndpointUse::kBind);
  if (!endpoint.ok()) return std::nullopt;
  if (endpoint->has_inet() && part == "ip") return endpoint->inet().ip();
  if (endpoint->has_inet() && part == "port") return endpoint->inet().port();
  if (endpoint->has_inet() && part == "scope") return endpoint->inet().scope();
  if (endpoint->has_unix_domain() && part == "path") return endpoint->unix_domain().path();
  return std::nullopt;
}

// The field at the path's parts from `first` on. A label's key may have dots: the longest key that fits is taken.
std::optional<Json> Walk(const Json& at, const std::vector<std::string>& parts, size_t first) {
  if (first == parts.size()) return at;
  if (at.is_object()) {
    for (size_t end = parts.size(); end > first; --end) {
      const auto begin = parts.begin() + static_cast<std::ptrdiff_t>(first);
      const auto found = at.find(absl::StrJoin(begin, parts.begin() + static_cast<std::ptrdiff_t>(end), "."));
      if (found != at.end()) return Walk(*found, parts, end);
    }
    return std::nullopt;
  }
  size_t index = 0;
  if (at.is_array() && absl::SimpleAtoi(parts[first], &index) && index < at.size())
    return Walk(at[index], parts, first + 1);
  if (at.is_string() && first + 1 == parts.size()) return PartOfAddress(at.get<std::string>(), parts[first]);
  return std::nullopt;
}

std::vector<std::string> PartsOf(std::string_view path) {
  return absl::StrSplit(absl::string_view(path.data(), path.size()), '.');
}

// Of these the answer also has `text` and `hex`.
bool HasData(const google::protobuf::Descriptor& answer) {
  return answer.FindFieldByName("data") != nullptr || answer.FindFieldByName("value") != nullptr ||
         answer.FindFieldByName("datagrams") != nullptr;
}

// Whether a message of this type may have a field at the path's parts from `first` on.
bool MayWalk(const google::protobuf::Descriptor& type, const std::vector<std::string>& parts, size_t first) {
  if (first == parts.size()) return true;
  if (type.full_name() == "socketeer.v1.Endpoint") {
    return first + 1 == parts.size() &&
           (parts[first] == "ip" || parts[first] == "port" || parts[first] == "scope" || parts[first] == "path");
  }
  if (type.full_name() == "socketeer.v1.IncomingDatagram" && (parts[first] == "text" || parts[first] == "hex"))
    return true;
  const FieldDescriptor* const field = type.FindFieldByName(parts[first]);
  if (field == nullptr) return false;
  if (field->is_map()) return true;
  size_t next = first + 1;
  size_t index = 0;
  if (field->is_repeated() && next < parts.size()) {
    if (!absl::SimpleAtoi(parts[next++], &index)) return false;
  }
  return field->message_type() == nullptr ? next == parts.size() : MayWalk(*field->message_type(), parts, next);
}

}  // namespace

Json ToAnswer(const Message& message, const SocketNames& names) {
  Json answer = Json::object();
  const google::protobuf::Descriptor& descriptor = *message.GetDescriptor();
  for (int i = 0; i < descriptor.field_count(); ++i) {
    const FieldDescriptor& field = *descriptor.field(i);
    if (field.is_map()) {
      answer[field.name()] = ToMap(message, field, names);
    } else if (field.is_repeated()) {
      Json& list = answer[field.name()] = Json::array();
      for (int k = 0; k < message.GetReflection()->FieldSize(message, &field); ++k) {
        list.push_back(ToValue(message, field, k, names));
      }
    } else if (!field.has_presence() || message.GetReflection()->HasField(message, &field)) {
      answer[field.name()] = ToValue(message, field, 0, names);
    }
  }
  return answer;
}

Json ToAnswer(const absl::Status& error, const SocketNames& names) {
  Json details = Json::object();
  if (const std::optional<v1::SocketError> socket_error = SocketErrorOf(error); socket_error.has_value()) {
    details = ToAnswer(*socket_error, names);
  }
  details["reason"] = ReasonOf(error);
  details["code"] = absl::StatusCodeToString(error.code());
  details["message"] = std::string(error.message());
  return {{"error", std::move(details)}};
}

std::optional<Json> FieldAt(const Json& answer, std::string_view path) {
  std::optional<Json> field = Walk(answer, PartsOf(path), 0);
  if (!field.has_value() && answer.is_object() && answer.contains("socket"))
    field = Walk(answer["socket"], PartsOf(path), 0);
  return field;
}

std::vector<std::string> FieldsOf(const google::protobuf::Descriptor& answer) {
  std::vector<std::string> names = {"error", "took"};
  if (HasData(answer)) names.insert(names.end(), {"text", "hex"});
  for (int i = 0; i < answer.field_count(); ++i) names.push_back(answer.field(i)->name());
  return names;
}

bool MayHaveField(const google::protobuf::Descriptor& answer, std::string_view path) {
  const std::vector<std::string> parts = PartsOf(path);
  if (parts[0] == "took" || (HasData(answer) && (parts[0] == "text" || parts[0] == "hex"))) return parts.size() == 1;
  if (parts[0] == "error") {
    return parts.size() == 1 || parts[1] == "reason" || parts[1] == "code" || parts[1] == "message" ||
           MayWalk(*v1::SocketError::descriptor(), parts, 1);
  }
  const FieldDescriptor* const socket = answer.FindFieldByName("socket");
  return MayWalk(answer, parts, 0) ||
         (socket != nullptr && socket->message_type() != nullptr && MayWalk(*socket->message_type(), parts, 0));
}

std::string AsWord(const Json& field) {
  return field.is_string() ? field.get<std::string>() : field.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace socketeer::scenario
