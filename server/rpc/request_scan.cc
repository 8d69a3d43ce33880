#include "server/rpc/request_scan.h"

#include <absl/container/inlined_vector.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl.h>
#include <google/protobuf/wire_format.h>

#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/base/limits.h"

namespace socketeer::rpc {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::internal::WireFormat;
using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::ArrayInputStream;
using google::protobuf::io::CodedInputStream;

constexpr size_t kUsualFields = 32;  // of a message

class Scan {
 public:
  Scan(CodedInputStream& in, size_t size) : in_(in), weight_(size + kElementBytes) {}

  // The path of the first unknown field, if one comes before the bytes are malformed, or too heavy.
  std::optional<std::string> Message(const Descriptor& type) {
    absl::InlinedVector<int, kUsualFields> seen(static_cast<size_t>(type.field_count()));
    while (!malformed_ && weight_ <= base::kMaxRequestWeight) {
      const uint32_t tag = in_.ReadTag();
      if (tag == 0) break;
      const int number = WireFormatLite::GetTagFieldNumber(tag);
      const auto wire_type = WireFormatLite::GetTagWireType(tag);
      const FieldDescriptor* const field = type.FindFieldByNumber(number);
      if (number == 0 || wire_type == WireFormatLite::WIRETYPE_END_GROUP) return Malformed();
      if (field == nullptr || wire_type != WireFormat::WireTypeForField(field)) return "#" + std::to_string(number);
      if (wire_type == WireFormatLite::WIRETYPE_LENGTH_DELIMITED) weight_ += kElementBytes;
      if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
        if (!WireFormatLite::SkipField(&in_, tag)) return Malformed();
        continue;
      }
      const int index = seen[static_cast<size_t>(field->index())]++;
      if (auto found = Below(*field->message_type())) {
        return field->name() + (field->is_repeated() ? "[" + std::to_string(index) + "]." : ".") + *found;
      }
    }
    if (!in_.ConsumedEntireMessage()) return Malformed();
    return std::nullopt;
  }

  bool malformed() const { return malformed_; }
  size_t Weight() const { return weight_; }

 private:
  std::optional<std::string> Below(const Descriptor& type) {
    int length = 0;
    if (!in_.ReadVarintSizeAsInt(&length)) return Malformed();
    const int around = in_.BytesUntilLimit();
    if (around >= 0 && length > around) return Malformed();
    const auto limit = in_.PushLimit(length);
    auto found = Message(type);
    if (!found && in_.BytesUntilLimit() > 0) return Malformed();
    in_.PopLimit(limit);
    return found;
  }
  std::nullopt_t Malformed() {
    malformed_ = true;
    return std::nullopt;
  }

  CodedInputStream& in_;
  size_t weight_;  // with the message itself
  bool malformed_ = false;
};

base::Result<size_t> WeightOf(CodedInputStream* in, size_t size, const Descriptor& type) {
  in->PushLimit(static_cast<int>(size));  // gRPC receives no more than kMaxMessageBytes
  Scan scan(*in, size);
  if (auto unknown = scan.Message(type)) return base::UnknownField(*unknown);
  if (scan.Weight() > base::kMaxRequestWeight) return base::LimitReached("max_request_weight", base::kMaxRequestWeight);
  if (scan.malformed()) return base::InvalidField("request", "malformed bytes", "a " + type.name());
  return scan.Weight();
}

}  // namespace

base::Result<size_t> WeightOf(std::span<const std::string_view> pieces, const Descriptor& type) {
  if (pieces.size() == 1) {
    const std::string_view all = pieces.front();
    CodedInputStream in(reinterpret_cast<const uint8_t*>(all.data()), static_cast<int>(all.size()));
    return WeightOf(&in, all.size(), type);
  }
  std::deque<ArrayInputStream> streams;  // which cannot be moved
  std::vector<google::protobuf::io::ZeroCopyInputStream*> order;
  size_t size = 0;
  for (const std::string_view piece : pieces) {
    order.push_back(&streams.emplace_back(piece.data(), static_cast<int>(piece.size())));
    size += piece.size();
  }
  google::protobuf::io::ConcatenatingInputStream all(order.data(), static_cast<int>(order.size()));
  CodedInputStream in(&all);
  return WeightOf(&in, size, type);
}

base::Result<size_t> WeightOf(const grpc::ByteBuffer& bytes, const Descriptor& type) {
  std::vector<grpc::Slice> slices;
  if (!bytes.Dump(&slices).ok()) slices.clear();
  std::vector<std::string_view> pieces;
  for (const grpc::Slice& slice : slices)
    pieces.emplace_back(reinterpret_cast<const char*>(slice.begin()), slice.size());
  return WeightOf(std::span<const std::string_view>(pieces), type);
}

base::Result<size_t> WeightOf(const grpc_byte_buffer& bytes, const Descriptor& type) {
  const grpc_slice_buffer& slices = bytes.data.raw.slice_buffer;
  absl::InlinedVector<std::string_view, 1> pieces;
  for (size_t i = 0; i < slices.count; ++i) {
    const grpc_slice& slice = slices.slices[i];
    pieces.emplace_back(reinterpret_cast<const char*>(GRPC_SLICE_START_PTR(slice)), GRPC_SLICE_LENGTH(slice));
  }
  return WeightOf(std::span<const std::string_view>(pieces.data(), pieces.size()), type);
}

}  // namespace socketeer::rpc
