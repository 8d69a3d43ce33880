#include "proto/wire/attach_frame.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "tests/support/split_buffer.h"

namespace socketeer::wire {
namespace {

using Request = v1::AttachSocketRequest;
using Response = v1::AttachSocketResponse;

constexpr uint64_t kMaxOffset = std::numeric_limits<uint64_t>::max();

std::string DataMessage(uint64_t offset, std::string bytes) {
  Request request;
  request.mutable_data()->set_offset(offset);
  request.mutable_data()->set_data(std::move(bytes));
  return request.SerializeAsString();
}

grpc::ByteBuffer Whole(std::string_view bytes) { return SplitBuffer(bytes, {}); }

// Every byte string here as one message, cut into three slices everywhere.
template <typename Message>
void ExpectAlikeAtEverySplit(const std::string& bytes) {
  const std::string expected = GeneratedWords<Message>(bytes);
  for (size_t first = 0; first <= bytes.size(); ++first) {
    for (size_t second = first; second <= bytes.size(); ++second) {
      ASSERT_EQ(OwnWords<Message>(bytes, {first, second}), expected) << first << ", " << second;
    }
  }
}

TEST(AttachFrame, DataIsReadAtEverySplit) {
  for (const uint64_t offset :
       {uint64_t{0}, uint64_t{1}, uint64_t{127}, uint64_t{128}, uint64_t{1} << 32, kMaxOffset}) {
    for (const size_t size : {0, 2, 127, 128}) {
      SCOPED_TRACE(testing::Message() << offset << " " << size);
      const std::string message = DataMessage(offset, std::string(size, 'x'));
      EXPECT_TRUE(ParsePlainData(Whole(message)));
      ExpectAlikeAtEverySplit<Request>(message);
      ExpectAlikeAtEverySplit<Response>(message);
    }
  }
}

TEST(AttachFrame, UnusualFormsAreReadAsTheGeneratedParserReadsThem) {
  const std::string data = DataMessage(5, "abc");  // 12 07 | 08 05 | 12 03 abc
  const std::string turned =
      "\x12\x07\x12\x03"
      "abc\x08\x05";  // the bytes first
  EXPECT_TRUE(ParsePlainData(Whole(turned)));
  const std::string cases[] = {
      turned,
      data + data,                        // merged: the last one counts
      data + DataMessage(9, "de"),        //
      data + std::string("\x1a\x00", 2),  // another frame behind: it counts
      std::string("\x1a\x00", 2) + data,  //
      "\x12\x04\x08\x05\x08\x06",         // an offset twice
      std::string("\x12\x06\x12\x01"
                  "a\x12\x01"
                  "b",
                  8),  // the bytes twice
      "\x12\x09\x08\x05\x12\x03"
      "abc\x18\x07",                               // an unknown field
      "\x12\x84\x80\x00\x08\x05\x12\x00",          // a length longer than it must be
      std::string("\x12\x00", 2),                  // empty
      std::string("\x12\x02\x08\x00", 4),          // a default that is written
      std::string("\x12\x83\x00\x08\x85\x00", 6),  // numbers longer than they must be
      std::string("\x92\x00\x02\x08\x05", 5),      // a tag longer than it must be
  };
  for (const std::string& bytes : cases) {
    SCOPED_TRACE(testing::PrintToString(bytes));
    ExpectAlikeAtEverySplit<Request>(bytes);
    ExpectAlikeAtEverySplit<Response>(bytes);
  }
}

TEST(AttachFrame, MalformedMessagesAreRefused) {
  const std::string cases[] = {
      "\x12",              // no length
      "\x12\x05\x08\x05",  // a length beyond the end
      "\x12\x02\x08\x85",  // a number without an end
      "\x12\x03\x12\x02"
      "a",                                                         // bytes beyond the field
      "\x12\x0c\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",  // eleven bytes of number
      "\x12\x04\x0b\x05\x12\x00",                                  // a group without an end
      "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
  };
  for (const std::string& bytes : cases) {
    SCOPED_TRACE(testing::PrintToString(bytes));
    EXPECT_EQ(GeneratedWords<Request>(bytes), "malformed");
    ExpectAlikeAtEverySplit<Request>(bytes);
    ExpectAlikeAtEverySplit<Response>(bytes);
  }
}

TEST(AttachFrame, OtherFramesAreMessages) {
  Request request;
  request.mutable_open()->set_name("sockets/a");
  ExpectAlikeAtEverySplit<Request>(request.SerializeAsString());
  request.mutable_acknowledge()->set_offset(7);
  grpc::ByteBuffer bytes = Serialize(request);
  EXPECT_EQ(Joined(bytes), request.SerializeAsString());
  Frame<Request> frame;
  ASSERT_TRUE(Parse(&bytes, &frame));
  EXPECT_FALSE(frame.data);
  EXPECT_EQ(frame.message.acknowledge().offset(), 7u);
}

TEST(AttachFrame, AFrameIsUsedAgain) {
  Frame<Request> frame;
  grpc::ByteBuffer bytes = Whole(DataMessage(5, "abc"));
  ASSERT_TRUE(Parse(&bytes, &frame));
  ASSERT_TRUE(frame.data);
  Request request;
  request.mutable_detach();
  bytes = Serialize(request);
  ASSERT_TRUE(Parse(&bytes, &frame));
  EXPECT_FALSE(frame.data);
  EXPECT_TRUE(frame.message.has_detach());
  bytes = Whole(DataMessage(5, "abc"));
  ASSERT_TRUE(Parse(&bytes, &frame));
  EXPECT_EQ(frame.message.frame_case(), Request::FRAME_NOT_SET);
}

TEST(AttachFrame, DataIsWrittenAsTheGeneratedCodeWritesIt) {
  for (const uint64_t offset : {uint64_t{0}, uint64_t{127}, uint64_t{128}, kMaxOffset}) {
    for (const size_t size : {0, 1, 127, 128, 16'384, 2'097'152}) {
      const std::string bytes(size, 'y');
      DataFrame frame{.offset = offset};
      frame.bytes.emplace_back(bytes.data(), size / 2);
      frame.bytes.emplace_back(bytes.data(), size - size / 2);
      EXPECT_TRUE(Joined(SerializeData(frame)) == DataMessage(offset, bytes)) << offset << " " << size;
    }
  }
}

// The whole point: neither way copies.
TEST(AttachFrame, TheBytesStayWhereTheyAre) {
  std::string bytes(100'000, 'z');
  bool released = false;
  struct Owner {
    std::string* bytes;
    bool* released;
  } owner{&bytes, &released};
  {
    DataFrame frame{.offset = 3};
    frame.bytes.emplace_back(
        bytes.data(), bytes.size(), [](void* self) { *static_cast<Owner*>(self)->released = true; }, &owner);
    const grpc::ByteBuffer message = SerializeData(frame);
    frame.bytes.clear();
    const auto parsed = ParsePlainData(message);
    ASSERT_TRUE(parsed);
    ASSERT_EQ(parsed->bytes.size(), 1u);
    EXPECT_EQ(reinterpret_cast<const char*>(parsed->bytes[0].begin()), bytes.data());
    EXPECT_EQ(parsed->bytes[0].size(), bytes.size());
    EXPECT_FALSE(released);
  }
  EXPECT_TRUE(released);
}

}  // namespace
}  // namespace socketeer::wire
