// A message in slices, cut where a test wants it: as gRPC hands it over.
#pragma once

#include <grpcpp/support/byte_buffer.h>

#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "proto/wire/attach_frame.h"

namespace socketeer {

// Cut in front of each of `cuts`, which ascend; one beyond the end cuts nothing, two alike make an empty slice.
inline grpc::ByteBuffer SplitBuffer(std::string_view bytes, std::initializer_list<size_t> cuts) {
  std::vector<grpc::Slice> slices;
  size_t from = 0;
  for (size_t cut : cuts) {
    cut = std::min(cut, bytes.size());
    slices.emplace_back(bytes.data() + from, cut - from);
    from = cut;
  }
  slices.emplace_back(bytes.data() + from, bytes.size() - from);
  return {slices.data(), slices.size()};
}

inline std::string Joined(const std::vector<grpc::Slice>& slices) {
  std::string bytes;
  for (const grpc::Slice& slice : slices) bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  return bytes;
}

inline std::string Joined(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  (void)buffer.Dump(&slices);
  return Joined(slices);
}

// What the generated parser makes of `bytes`, in words, and what ours does with these cuts; alike if both are right.
template <typename Message>
std::string GeneratedWords(std::string_view bytes) {
  Message message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return "malformed";
  return message.SerializeAsString();
}

template <typename Message>
std::string OwnWords(std::string_view bytes, std::initializer_list<size_t> cuts) {
  grpc::ByteBuffer buffer = SplitBuffer(bytes, cuts);
  wire::Frame<Message> frame;
  if (!wire::Parse(&buffer, &frame)) return "malformed";
  if (frame.data) {
    frame.message.mutable_data()->set_offset(frame.data->offset);
    frame.message.mutable_data()->set_data(Joined(frame.data->bytes));
  }
  return frame.message.SerializeAsString();
}

}  // namespace socketeer
