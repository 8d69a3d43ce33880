// An OpenSocketRequest from the wire, up to the moment where a system call would be made.
#include <cstdint>
#include <cstdlib>

#include "server/rpc/open_plan.h"
#include "server/rpc/request_scan.h"
#include "tests/fuzz/quiet.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace socketeer;
  v1::OpenSocketRequest request;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto weight = rpc::WeightOf(std::span(&bytes, 1), *v1::OpenSocketRequest::descriptor());
  if (!request.ParseFromArray(data, static_cast<int>(size))) return 0;
  if (!weight.ok() && weight.error().reason != "UNKNOWN_FIELD") std::abort();
  if (weight.ok() && *weight < request.SpaceUsedLong()) std::abort();
  const auto checked = rpc::CheckOpen(request);
  if (!checked.ok()) return 0;
  rpc::Addresses bind, connect;
  if (request.has_bind()) bind.list = {net::SocketAddress::Any4(1), net::SocketAddress::Any6(1)};
  if (request.has_connect()) connect.list = {net::SocketAddress::Any6(2), net::SocketAddress::Any4(2)};
  (void)rpc::PlanOpen(*checked, bind, connect);
  return 0;
}
