// The frames of attach.proto as they travel, without a copy of the bytes that they carry: for the daemon and its
// clients alike. A frame of data in the form that every Protobuf library writes is read and written here; what else
// there is goes through the generated code.
#pragma once

#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "socketeer/v1/attach.pb.h"

namespace socketeer::wire {

// AttachData. The slices share their memory with the message that they came in.
struct DataFrame {
  uint64_t offset = 0;
  std::vector<grpc::Slice> bytes = {};

  size_t size() const;
};

// An AttachSocketRequest or AttachSocketResponse.
template <typename Message>
struct Frame {
  // Present if `data` is the frame; then its bytes are here, and in `message` there are none.
  std::optional<DataFrame> data = {};
  // Any other frame; of data that was not written plainly, the rest: unknown fields, say.
  Message message = {};
};

// Nullopt: not data in its plain form, a message of one field, whose fields come once each and are known.
std::optional<DataFrame> ParsePlainData(const grpc::ByteBuffer& bytes);

// Of either kind: their `data` has the same number, 2.
grpc::ByteBuffer SerializeData(const DataFrame& data);

// Of what is not data in its plain form. False: the bytes are no `Message`.
template <typename Message>
bool ParseOther(grpc::ByteBuffer* bytes, Frame<Message>* frame) {
  if (!grpc::SerializationTraits<Message>::Deserialize(bytes, &frame->message).ok()) return false;
  if (!frame->message.has_data()) return true;
  v1::AttachData& data = *frame->message.mutable_data();
  frame->data = DataFrame{.offset = data.offset()};
  if (!data.data().empty()) frame->data->bytes.emplace_back(data.data());
  data.clear_data();
  return true;
}

// False: the bytes are no `Message`.
template <typename Message>
bool Parse(grpc::ByteBuffer* bytes, Frame<Message>* frame) {
  frame->data = ParsePlainData(*bytes);
  frame->message.Clear();
  return frame->data || ParseOther(bytes, frame);
}

template <typename Message>
grpc::ByteBuffer Serialize(const Message& message) {
  grpc::ByteBuffer bytes;
  bool own = false;
  (void)grpc::SerializationTraits<Message>::Serialize(message, &bytes,
                                                      &own);  // cannot fail: proto3 has no required field
  return bytes;
}

}  // namespace socketeer::wire
