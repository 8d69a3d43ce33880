#include "server/rpc/unknown_fields.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/unknown_field_set.h>

#include <vector>

namespace socketeer::rpc {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

std::optional<std::string> Below(const Message& message, const FieldDescriptor& field) {
  const auto& reflection = *message.GetReflection();
  if (!field.is_repeated()) {
    const auto found = FirstUnknownField(reflection.GetMessage(message, &field));
    if (!found) return std::nullopt;
    return field.name() + "." + *found;
  }
  for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
    if (const auto found = FirstUnknownField(reflection.GetRepeatedMessage(message, &field, i))) {
      return field.name() + "[" + std::to_string(i) + "]." + *found;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> FirstUnknownField(const Message& message) {
  const auto& reflection = *message.GetReflection();
  const auto& unknown = reflection.GetUnknownFields(message);
  if (!unknown.empty()) return "#" + std::to_string(unknown.field(0).number());
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (auto found = Below(message, *field)) return found;
  }
  return std::nullopt;
}

}  // namespace socketeer::rpc
