#include "server/rpc/status.h"

#include <array>
#include <string>

#include "google/rpc/error_details.pb.h"
#include "server/base/limits.h"
#include "server/net/errno_table.h"
#include "server/rpc/convert.h"
#include "socketeer/v1/error.pb.h"

namespace socketeer::rpc {
namespace {

constexpr char kDomain[] = "socketeer";
constexpr size_t kMaxText = 512;  // of a message or a metadata value; leaves room for two 108-byte paths

std::string Cut(const std::string& text) { return text.size() <= kMaxText ? text : text.substr(0, kMaxText) + "..."; }

google::rpc::ErrorInfo InfoOf(const base::Error& error) {
  google::rpc::ErrorInfo info;
  info.set_reason(error.reason);
  info.set_domain(kDomain);
  for (const auto& [key, value] : error.metadata) (*info.mutable_metadata())[key] = Cut(value);
  return info;
}

v1::SocketError DetailOf(const base::Error& error) {
  v1::SocketError detail;
  detail.set_operation(error.operation);
  detail.set_socket(error.socket);
  detail.set_state(static_cast<v1::State>(error.state));
  detail.set_errno_number(error.errno_number);
  if (error.errno_number != 0) detail.set_errno_name(net::ErrnoName(error.errno_number));
  detail.set_origin(static_cast<v1::Origin>(error.origin));
  const auto local = net::SocketAddress::FromKernel(error.local.data(), error.local.size());
  const auto peer = net::SocketAddress::FromKernel(error.peer.data(), error.peer.size());
  if (!local.empty()) ToProto(local, detail.mutable_local());
  if (!peer.empty()) ToProto(peer, detail.mutable_peer());
  detail.set_bytes_done(error.bytes_done);
  detail.set_datagrams_done(error.datagrams_done);
  detail.set_system_call(error.system_call);
  return detail;
}

}  // namespace

google::rpc::Status ToRichStatus(const base::Error& error) {
  google::rpc::Status status;
  status.set_code(static_cast<int>(error.code));
  status.set_message(Cut(error.message));
  status.add_details()->PackFrom(InfoOf(error));
  status.add_details()->PackFrom(DetailOf(error));
  if (status.ByteSizeLong() > base::kMaxErrorBytes) {
    google::rpc::ErrorInfo bare;
    bare.set_reason(error.reason);
    bare.set_domain(kDomain);
    status.mutable_details(0)->PackFrom(bare);
  }
  return status;
}

grpc::Status ToGrpcStatus(const base::Error& error) {
  const google::rpc::Status status = ToRichStatus(error);
  return grpc::Status(static_cast<grpc::StatusCode>(error.code), status.message(), status.SerializeAsString());
}

const char* CodeName(int code) {
  constexpr std::array kNames = {
      "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
      "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
      "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
      "DATA_LOSS", "UNAUTHENTICATED"};
  return kNames.at(static_cast<size_t>(code));
}

}  // namespace socketeer::rpc
