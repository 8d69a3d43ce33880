// An Endpoint from the wire: becomes an address or an error that names the field; an address converts back, and prints.
#include <cstdint>
#include <cstdlib>

#include "server/rpc/convert.h"
#include "server/rpc/unknown_fields.h"
#include "tests/fuzz/quiet.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace socketeer;
  v1::Endpoint endpoint;
  if (!endpoint.ParseFromArray(data, static_cast<int>(size))) return 0;
  rpc::FirstUnknownField(endpoint);
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
