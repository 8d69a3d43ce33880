// The line that a call leaves in the log when it ends.
#include <algorithm>
#include <string>
#include <string_view>

#include "server/rpc/call_scope.h"
#include "server/rpc/outcome.h"
#include "server/rpc/status.h"

namespace socketeer::rpc {
void CallScope::LogEnd(int code, std::string_view request_id, std::string_view socket) const {
  if (!core_.call_log.on()) return;
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(now() - began_);
  LogFields fields = {{"method", RowOf(method_).name},
                      {"code", CodeName(code)},
                      {"outcome", OutcomeWords()[outcome_]},
                      {"identity", caller_.identity},
                      {"caller", caller_.address ? *caller_.address : ""},
                      {"session", own_session_ ? own_session_->name() : ""},
                      {"socket", std::string(socket)},
                      {"request_id", std::string(request_id)},
                      {"traceparent", traceparent_},
                      {"call", std::to_string(id_), true},
                      {"duration_us", std::to_string(took.count()), true}};
  std::erase_if(fields, [](const auto& field) { return field.value.empty(); });
  core_.call_log.record(fields);
}

}  // namespace socketeer::rpc
