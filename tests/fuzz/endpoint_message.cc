// An Endpoint from the wire: becomes an address or an error that names the field; an address converts back, and prints.
#include <cstdint>
#include <cstdlib>

#include "server/rpc/convert.h"
#include "server/rpc/request_scan.h"
#include "tests/fuzz/quiet.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace socketeer;
  v1::Endpoint endpoint;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto weight = rpc::WeightOf(std::span(&bytes, 1), *v1::Endpoint::descriptor());
  if (!endpoint.ParseFromArray(data, static_cast<int>(size))) return 0;
  if (!weight.ok() && weight.error().reason != "UNKNOWN_FIELD") std::abort();
  if (weight.ok() && *weight < endpoint.SpaceUsedLong()) std::abort();
  const auto address = rpc::FromProto(endpoint, "bind");
  if (!address.ok()) {
    if (address.error().message.empty()) std::abort();
    return 0;
  }
  v1::Endpoint back;
  rpc::ToProto(*address, &back);
  address->ToString();
  address->MappedTo6();
  const auto again = rpc::FromProto(back, "bind");
  if (!again.ok() || again->bytes() != rpc::FromProto(back, "bind")->bytes()) std::abort();
  return 0;
}
