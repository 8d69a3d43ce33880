#include "server/rpc/call_counters.h"

namespace socketeer::rpc {

void CallCounters::Told(const base::Error& error) {
  if (error.reason == "LIMIT_REACHED") {
    const auto name = error.metadata.find("limit");
    limits[PlaceOf(LimitNames(), name == error.metadata.end() ? "" : name->second)].Add();
  } else if (error.code == base::Code::kUnauthenticated || error.reason == "UNKNOWN_CALLER") {
    refused_callers[PlaceOf(AuthenticationReasons(), error.reason)].Add();
  }
}

}  // namespace socketeer::rpc
