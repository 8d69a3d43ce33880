#include "client/cli/nc_error.h"

#include <optional>
#include <string>

#include "absl/strings/cord.h"
#include "socketeer/error.h"
#include "socketeer/text.h"

namespace socketeer::cli {
namespace {

std::string Metadata(const google::rpc::ErrorInfo& info, const std::string& key) {
  const auto found = info.metadata().find(key);
  return found == info.metadata().end() ? "" : found->second;
}

// The kernel's port 0 is no port, and what follows a flag that is named is said already.
absl::Status WithoutLocal(absl::Status status, v1::SocketError error) {
  error.clear_local();
  status.SetPayload("type.googleapis.com/" + v1::SocketError::descriptor()->full_name(),
                    absl::Cord(error.SerializeAsString()));
  return status;
}

// Of a field that the daemon refused; "": of none that was typed.
std::string FieldAsTyped(const google::rpc::ErrorInfo& info, const NcPlan& plan) {
  const std::string field = Metadata(info, "field");
  const bool own = field.starts_with("bind");
  const std::string& typed = own ? plan.own : plan.peer;
  if (typed.empty() || !(own || field.starts_with("connect"))) return "";
  if (field == "bind") return typed + " is an address of another family than " + plan.peer;
  return typed + ": " + Quoted(Metadata(info, "given")) + " must be " + Metadata(info, "allowed");
}

std::string HostAsTyped(const google::rpc::ErrorInfo& info, const NcPlan& plan) {
  const std::string host = Metadata(info, "host");
  const bool own =
      plan.listens || (plan.open.bind().named().host() == host && plan.open.connect().named().host() != host);
  return (own ? plan.own : plan.peer) + " was not resolved: " + Metadata(info, "error");
}

}  // namespace

absl::Status OpenErrorAsTyped(const absl::Status& error, const NcPlan& plan) {
  const std::optional<google::rpc::ErrorInfo> info = ErrorInfoOf(error);
  if (!info.has_value()) return error;
  if (info->reason() == "NAME_NOT_RESOLVED") return Reworded(error, HostAsTyped(*info, plan));
  if (info->reason() == "INVALID_FIELD") {
    const std::string typed = FieldAsTyped(*info, plan);
    return typed.empty() ? error : Reworded(error, typed);
  }
  const std::optional<v1::SocketError> details = SocketErrorOf(error);
  if (!details.has_value() || plan.listens) return error;
  if (details->operation() == "bind" && !plan.own.empty()) {
    return WithoutLocal(Reworded(error, plan.own + ": " + std::string(error.message())), *details);
  }
  const bool no_port = details->local().has_inet() && details->local().inet().port() == 0;
  return no_port ? WithoutLocal(error, *details) : error;
}

absl::Status Reworded(const absl::Status& error, const std::string& message) {
  absl::Status reworded(error.code(), message);
  error.ForEachPayload([&](absl::string_view url, const absl::Cord& payload) { reworded.SetPayload(url, payload); });
  return reworded;
}

}  // namespace socketeer::cli
