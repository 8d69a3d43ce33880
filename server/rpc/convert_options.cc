// SocketOptions to the option table and back, by the fields' names: a new option needs no line here.
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <utility>

#include "server/rpc/convert.h"

namespace socketeer::rpc {
namespace {

using google::protobuf::FieldDescriptor;

net::OptionValue Read(const v1::SocketOptions& options, const FieldDescriptor& field) {
  const auto& reflection = *options.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection.GetBool(options, &field);
    case FieldDescriptor::CPPTYPE_INT32:
      return reflection.GetInt32(options, &field);
    default:
      return net::Linger{.enabled = options.linger().enabled(), .seconds = options.linger().seconds()};
  }
}

void Write(const net::OptionValue& value, const FieldDescriptor& field, v1::SocketOptions* out) {
  const auto& reflection = *out->GetReflection();
  if (const auto* flag = std::get_if<bool>(&value)) {
    reflection.SetBool(out, &field, *flag);
  } else if (const auto* integer = std::get_if<int32_t>(&value)) {
    reflection.SetInt32(out, &field, *integer);
  } else {
    const auto& linger = std::get<net::Linger>(value);
    out->mutable_linger()->set_enabled(linger.enabled);
    out->mutable_linger()->set_seconds(linger.seconds);
  }
}

}  // namespace

base::Result<net::OptionList> FromProto(const v1::SocketOptions& options) {
  net::OptionList list;
  std::vector<const FieldDescriptor*> present;
  options.GetReflection()->ListFields(options, &present);  // by field number
  for (const FieldDescriptor* each : present) {
    const net::OptionRow* row = net::FindOption(each->name());
    net::OptionValue value = Read(options, *each);
    // Checked before any system call; SetOption checks again.
    if (auto status = net::CheckOption(*row, value); !status.ok()) return std::move(status).error();
    list.emplace_back(row, value);
  }
  return list;
}

void ToProto(const net::OptionList& options, v1::SocketOptions* out) {
  for (const auto& [row, value] : options) {
    Write(value, *v1::SocketOptions::descriptor()->FindFieldByName(row->name), out);
  }
}

}  // namespace socketeer::rpc
