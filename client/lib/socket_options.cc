#include "socketeer/socket_options.h"

#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>

#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "socketeer/text.h"

namespace socketeer {
namespace {

using google::protobuf::FieldDescriptor;

constexpr int32_t kMaxLingerSeconds = 65535;

// One of the fields of SocketOptions: a flag, a number, or SO_LINGER.
enum class Shape { kFlag, kNumber, kLinger };

Shape ShapeOf(const FieldDescriptor& field) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return Shape::kFlag;
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return Shape::kLinger;
    default:
      return Shape::kNumber;
  }
}

std::string AllowedValues(const FieldDescriptor& field) {
  switch (ShapeOf(field)) {
    case Shape::kFlag:
      return "on or off";
    case Shape::kNumber:
      return "0 to 2147483647";
    case Shape::kLinger:
      return "off, or 0 to 65535 seconds";
  }
  return "";
}

std::vector<const FieldDescriptor*> Fields() {
  const google::protobuf::Descriptor* descriptor = v1::SocketOptions::descriptor();
  std::vector<const FieldDescriptor*> fields;
  for (int i = 0; i < descriptor->field_count(); ++i) fields.push_back(descriptor->field(i));
  return fields;
}

const FieldDescriptor* FindField(std::string_view name) {
  return v1::SocketOptions::descriptor()->FindFieldByName(std::string(name));
}

std::optional<bool> ParseFlag(std::string_view text) {
  if (text == "on" || text == "true" || text == "1") return true;
  if (text == "off" || text == "false" || text == "0") return false;
  return std::nullopt;
}

std::optional<int32_t> ParseNumber(std::string_view text, int32_t max) {
  int32_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end || number < 0 || number > max) return std::nullopt;
  return number;
}

// False when `value` is not one of AllowedValues.
bool SetField(const FieldDescriptor& field, std::string_view value, v1::SocketOptions* options) {
  const google::protobuf::Reflection* reflection = options->GetReflection();
  switch (ShapeOf(field)) {
    case Shape::kFlag: {
      const std::optional<bool> flag = ParseFlag(value);
      if (flag.has_value()) reflection->SetBool(options, &field, *flag);
      return flag.has_value();
    }
    case Shape::kNumber: {
      const auto number = ParseNumber(value, std::numeric_limits<int32_t>::max());
      if (number.has_value()) reflection->SetInt32(options, &field, *number);
      return number.has_value();
    }
    case Shape::kLinger: {
      const std::optional<int32_t> seconds = ParseNumber(value, kMaxLingerSeconds);
      if (!seconds.has_value() && value != "off") return false;
      options->mutable_linger()->set_enabled(seconds.has_value());
      options->mutable_linger()->set_seconds(seconds.value_or(0));
      return true;
    }
  }
  return false;
}

std::string FormatField(const FieldDescriptor& field, const v1::SocketOptions& options) {
  const google::protobuf::Reflection* reflection = options.GetReflection();
  switch (ShapeOf(field)) {
    case Shape::kFlag:
      return reflection->GetBool(options, &field) ? "on" : "off";
    case Shape::kNumber:
      return std::to_string(reflection->GetInt32(options, &field));
    case Shape::kLinger:
      return options.linger().enabled() ? std::to_string(options.linger().seconds()) : "off";
  }
  return "";
}

}  // namespace

std::vector<OptionText> KnownOptions() {
  std::vector<OptionText> known;
  for (const FieldDescriptor* field : Fields()) {
    known.push_back({field->name(), AllowedValues(*field)});
  }
  return known;
}

absl::Status CheckOptionName(std::string_view name) {
  if (FindField(name) != nullptr) return absl::OkStatus();
  std::string allowed;
  for (const FieldDescriptor* field : Fields()) {
    allowed += (allowed.empty() ? "" : ", ") + field->name();
  }
  return absl::InvalidArgumentError(Quoted(name) + " is not a socket option: " + allowed);
}

absl::Status SetOption(std::string_view assignment, v1::SocketOptions* options) {
  const size_t equals = assignment.find('=');
  if (equals == std::string_view::npos) {
    return absl::InvalidArgumentError(Quoted(assignment) + " is not an option: NAME=VALUE");
  }
  const std::string_view name = assignment.substr(0, equals);
  if (absl::Status status = CheckOptionName(name); !status.ok()) return status;
  const FieldDescriptor& field = *FindField(name);
  if (options->GetReflection()->HasField(*options, &field)) {
    return absl::InvalidArgumentError(Quoted(assignment) + ": " + field.name() + " is given more than once");
  }
  if (!SetField(field, assignment.substr(equals + 1), options)) {
    return absl::InvalidArgumentError(Quoted(assignment) + ": " + field.name() + " takes " + AllowedValues(field));
  }
  return absl::OkStatus();
}

std::vector<OptionText> FormatOptions(const v1::SocketOptions& options) {
  std::vector<OptionText> texts;
  for (const FieldDescriptor* field : Fields()) {
    if (!options.GetReflection()->HasField(options, field)) continue;
    texts.push_back({field->name(), FormatField(*field, options)});
  }
  return texts;
}

}  // namespace socketeer
