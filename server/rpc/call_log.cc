// The line that a call leaves in the log when it ends.
#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>

#include "server/rpc/call_scope.h"
#include "server/rpc/outcome.h"
#include "server/rpc/status.h"

namespace socketeer::rpc {
namespace {

// version "-" trace-id "-" parent-id "-" flags, in small hexadecimal digits (W3C Trace Context, 3.2).
constexpr size_t kTraceparentSize = 55;

bool IsTraceparent(std::string_view text) {
  // Of a later version there may be more behind it; of that we do not know what it says.
  if (text.size() < kTraceparentSize || (text.size() > kTraceparentSize && text[kTraceparentSize] != '-')) return false;
  text = text.substr(0, kTraceparentSize);
  for (size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 2 || i == 35 || i == 52;
    const bool digit = (text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f');
    if (dash ? text[i] != '-' : !digit) return false;
  }
  const auto is_zero = [&](size_t from, size_t count) {
    return text.substr(from, count).find_first_not_of('0') == std::string_view::npos;
  };
  return text.substr(0, 2) != "ff" && !is_zero(3, 32) && !is_zero(36, 16);
}

}  // namespace

std::string CallScope::Traceparent() const {
  const auto found = context_.client_metadata().find(kTraceparentMetadata);
  if (found == context_.client_metadata().end()) return "";
  const std::string_view text(found->second.data(), found->second.size());
  // What is none is as if it were not there (W3C Trace Context, 4.3).
  return IsTraceparent(text) ? std::string(text.substr(0, kTraceparentSize)) : "";
}

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
                      {"traceparent", Traceparent()},
                      {"call", std::to_string(id_)},
                      {"duration_us", std::to_string(took.count())}};
  std::erase_if(fields, [](const auto& field) { return field.second.empty(); });
  core_.call_log.record(fields);
}

}  // namespace socketeer::rpc
