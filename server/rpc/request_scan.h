// Looks through a request's bytes before anything is made of them: nothing is dropped in silence, and what little
// travels may become much in memory.
#pragma once

#include <google/protobuf/descriptor.h>
#include <grpc/byte_buffer.h>
#include <grpcpp/support/byte_buffer.h>

#include <cstddef>
#include <span>
#include <string_view>

#include "server/base/error.h"

namespace socketeer::rpc {

// The most that one field may become in memory beside its bytes: a message, its place among others, and what malloc
// adds. tests/rpc/request_scan_test.cc measures it.
inline constexpr size_t kElementBytes = 384;

// The most memory that the message takes: its bytes, and kElementBytes for each message, string and map entry in it.
// UNKNOWN_FIELD with the path of the first one, at any depth ("listen.#17": the number is all that is known of it);
// INVALID_FIELD: these bytes are no such message.
// LIMIT_REACHED: it takes more than kMaxRequestWeight; how much more, nobody looked.
base::Result<size_t> WeightOf(std::span<const std::string_view> pieces, const google::protobuf::Descriptor& type);
base::Result<size_t> WeightOf(const grpc_byte_buffer& bytes, const google::protobuf::Descriptor& type);
base::Result<size_t> WeightOf(const grpc::ByteBuffer& bytes, const google::protobuf::Descriptor& type);

}  // namespace socketeer::rpc
