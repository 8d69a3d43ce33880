#include "socketeer/coordination.h"

#include "client/lib/connection.h"
#include "socketeer/error.h"
#include "socketeer/names.h"
#include "socketeer/status_macros.h"

namespace socketeer {
namespace {

using CoordinationStub = v1::CoordinationService::StubInterface;

constexpr int kValuesPageSize = 1'000;
// Of the withdrawal that nobody waits for.
constexpr absl::Duration kLastWithdrawTime = absl::Seconds(1);

}  // namespace

absl::StatusOr<v1::AwaitBarrierResponse> Coordination::Barrier(std::string_view name, uint32_t parties,
                                                               const CallOptions& options) const {
  v1::AwaitBarrierRequest request;
  SOCKETEER_ASSIGN_OR_RETURN(*request.mutable_barrier(), ParseBarrierName(name));
  request.set_parties(parties);
  SOCKETEER_ASSIGN_OR_RETURN(v1::AwaitBarrierResponse response, AwaitBarrier(request, options));
  if (!response.timed_out()) return response;
  return TimedOutError("barrier: timed out; " + std::to_string(response.arrived()) + " of " + std::to_string(parties) +
                       " had arrived at " + request.barrier());
}

absl::StatusOr<v1::AwaitBarrierResponse> Coordination::AwaitBarrier(v1::AwaitBarrierRequest request,
                                                                    const CallOptions& options) const {
  return connection_->CallWaiting(connection_->stubs().coordination, &CoordinationStub::AwaitBarrier,
                                  std::move(request), options);
}

absl::StatusOr<PublishedValue> Coordination::Publish(std::string_view name, std::string_view data,
                                                     const CallOptions& options) const {
  v1::PublishValueRequest request;
  SOCKETEER_ASSIGN_OR_RETURN(*request.mutable_name(), ParseValueName(name));
  request.set_data(std::string(data));
  SOCKETEER_ASSIGN_OR_RETURN(v1::Value value, PublishValue(request, options));
  return PublishedValue(*this, std::move(value));
}

absl::StatusOr<v1::Value> Coordination::PublishValue(const v1::PublishValueRequest& request,
                                                     const CallOptions& options) const {
  return connection_->Call(connection_->stubs().coordination, &CoordinationStub::PublishValue, request, options);
}

absl::StatusOr<v1::Value> Coordination::WithdrawValue(const v1::WithdrawValueRequest& request,
                                                      const CallOptions& options) const {
  return connection_->Call(connection_->stubs().coordination, &CoordinationStub::WithdrawValue, request, options);
}

absl::StatusOr<v1::Value> Coordination::Await(std::string_view name, const CallOptions& options) const {
  v1::AwaitValueRequest request;
  SOCKETEER_ASSIGN_OR_RETURN(*request.mutable_name(), ParseValueName(name));
  SOCKETEER_ASSIGN_OR_RETURN(v1::AwaitValueResponse response, AwaitValue(request, options));
  if (response.timed_out()) return TimedOutError("await: timed out; there is no " + request.name());
  return std::move(*response.mutable_value());
}

absl::StatusOr<v1::AwaitValueResponse> Coordination::AwaitValue(v1::AwaitValueRequest request,
                                                                const CallOptions& options) const {
  return connection_->CallWaiting(connection_->stubs().coordination, &CoordinationStub::AwaitValue, std::move(request),
                                  options);
}

absl::StatusOr<v1::Value> Coordination::GetValue(const v1::GetValueRequest& request, const CallOptions& options) const {
  return connection_->Call(connection_->stubs().coordination, &CoordinationStub::GetValue, request, options);
}

absl::StatusOr<std::vector<v1::Value>> Coordination::ListValues(const CallOptions& options) const {
  v1::ListValuesRequest request;
  request.set_page_size(kValuesPageSize);
  std::vector<v1::Value> values;
  do {
    SOCKETEER_ASSIGN_OR_RETURN(
        v1::ListValuesResponse page,
        connection_->Call(connection_->stubs().coordination, &CoordinationStub::ListValues, request, options));
    for (v1::Value& value : *page.mutable_values()) values.push_back(std::move(value));
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  return values;
}

PublishedValue& PublishedValue::operator=(PublishedValue&& other) noexcept {
  if (this == &other) return *this;
  WithdrawIfOwned();
  coordination_ = other.coordination_;
  value_ = std::move(other.value_);
  owned_ = std::exchange(other.owned_, false);
  return *this;
}

void PublishedValue::WithdrawIfOwned() {
  if (!std::exchange(owned_, false)) return;
  const internal::Connection& connection = *coordination_.connection_;
  v1::WithdrawValueRequest request;
  request.set_name(value_.name());
  request.set_revision(value_.revision());
  (void)connection.CallWithin(kLastWithdrawTime, connection.stubs().coordination, &CoordinationStub::WithdrawValue,
                              request, CallOptions());
}

}  // namespace socketeer
