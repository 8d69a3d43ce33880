// SocketOptions, the option table and back. A field without a row, or a row without a field, would be an option dropped
// in silence (libkrunfw #137), or a crash.
#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <set>

#include "server/rpc/convert.h"

namespace socketeer::rpc {
namespace {

using google::protobuf::FieldDescriptor;

TEST(ConvertOptions, EachFieldHasARow) {
  const auto& message = *v1::SocketOptions::descriptor();
  for (int i = 0; i < message.field_count(); ++i) {
    const FieldDescriptor& field = *message.field(i);
    const net::OptionRow* const row = net::FindOption(field.name());
    ASSERT_NE(row, nullptr) << field.name();
    EXPECT_TRUE(field.has_presence()) << field.name() << " could not be left alone";
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_BOOL:
        EXPECT_EQ(row->type, net::OptionType::kFlag) << field.name();
        break;
      case FieldDescriptor::CPPTYPE_INT32:
        EXPECT_EQ(row->type, net::OptionType::kInteger) << field.name();
        break;
      default:
        EXPECT_EQ(field.message_type(), v1::Linger::descriptor()) << field.name();
        EXPECT_EQ(row->type, net::OptionType::kLinger) << field.name();
    }
  }
}

TEST(ConvertOptions, EachRowHasAFieldInTheSameOrder) {
  const auto& message = *v1::SocketOptions::descriptor();
  int last = 0;
  for (const net::OptionRow& row : net::OptionTable()) {
    const FieldDescriptor* const field = message.FindFieldByName(row.name);
    ASSERT_NE(field, nullptr) << row.name;
    EXPECT_GT(field->number(), last) << row.name << ": they are set in the order of the field numbers";
    last = field->number();
  }
}

v1::SocketOptions Full() {
  v1::SocketOptions options;
  const auto& message = *v1::SocketOptions::descriptor();
  const auto& reflection = *options.GetReflection();
  for (int i = 0; i < message.field_count(); ++i) {
    const FieldDescriptor* const field = message.field(i);
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_BOOL) reflection.SetBool(&options, field, i % 2 == 0);
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_INT32) reflection.SetInt32(&options, field, 100 + i);
  }
  options.mutable_linger()->set_enabled(true);
  options.mutable_linger()->set_seconds(5);
  return options;
}

TEST(ConvertOptions, ThereAndBack) {
  const v1::SocketOptions full = Full();
  auto list = FromProto(full);
  ASSERT_TRUE(list.ok());
  EXPECT_EQ(list->size(), static_cast<size_t>(v1::SocketOptions::descriptor()->field_count()));
  v1::SocketOptions back;
  ToProto(*list, &back);
  EXPECT_EQ(back.SerializeAsString(), full.SerializeAsString());
}

TEST(ConvertOptions, FalseAndZeroAreValuesAbsentIsNot) {
  v1::SocketOptions options;
  EXPECT_TRUE(FromProto(options)->empty());
  options.set_reuseaddr(false);
  options.set_rcvlowat(0);
  options.mutable_linger();
  auto list = FromProto(options);
  ASSERT_TRUE(list.ok());
  ASSERT_EQ(list->size(), 3u);
  EXPECT_EQ(std::get<bool>((*list)[0].second), false);
  EXPECT_EQ(std::get<net::Linger>((*list)[1].second), net::Linger{});
  EXPECT_EQ(std::get<int32_t>((*list)[2].second), 0);
}

TEST(ConvertOptions, OutOfRangeNamesTheField) {
  v1::SocketOptions options;
  options.set_rcvbuf(-1);
  EXPECT_EQ(FromProto(options).error().metadata.at("field"), "options.rcvbuf");
  options.clear_rcvbuf();
  options.mutable_linger()->set_seconds(65'536);
  EXPECT_EQ(FromProto(options).error().metadata.at("field"), "options.linger.seconds");
  options.mutable_linger()->set_seconds(-1);
  EXPECT_EQ(FromProto(options).error().metadata.at("given"), "-1");
}

}  // namespace
}  // namespace socketeer::rpc
