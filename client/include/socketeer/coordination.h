// Barriers and published values of one daemon: coordination_service.proto.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "socketeer/call_options.h"
#include "socketeer/host.h"
#include "socketeer/v1/coordination_service.pb.h"

namespace socketeer {

class PublishedValue;

// Thread-safe; cheap to copy.
//
//   socketeer::Coordination coordination(session->host());
//   auto published = coordination.Publish("server", FormatEndpoint(socket->local()));
//   ...
//   auto server = socketeer::Coordination(elsewhere).Await("server");
//   auto passed = coordination.Barrier("go", 2, {.timeout = absl::Seconds(10)});
//
// Names are "ID" or with their collection in front, "values/ID" and "barriers/ID"; one that is malformed is
// INVALID_ARGUMENT, without a call. In a request they are as in the API. Calls are made in the session of `host`.
class Coordination {
 public:
  explicit Coordination(const Host& host) : connection_(host.connection_) {}

  // Waits until so many parties have arrived. BARRIER_BROKEN (ReasonOf): another one went before that; see there for
  // more. kTimedOut: the caller went, and so broke it.
  absl::StatusOr<v1::AwaitBarrierResponse> Barrier(std::string_view name, uint32_t parties,
                                                   const CallOptions& options = {}) const;
  // The same, with all that the API can say. `timed_out` in the answer is no error.
  absl::StatusOr<v1::AwaitBarrierResponse> AwaitBarrier(v1::AwaitBarrierRequest request,
                                                        const CallOptions& options = {}) const;

  // Publishes a value, in place of the caller's own of that name; the returned object owns it.
  absl::StatusOr<PublishedValue> Publish(std::string_view name, std::string_view data,
                                         const CallOptions& options = {}) const;
  // The same, with all that the API can say; the value lives as long as its session.
  absl::StatusOr<v1::Value> PublishValue(const v1::PublishValueRequest& request, const CallOptions& options = {}) const;
  absl::StatusOr<v1::Value> WithdrawValue(const v1::WithdrawValueRequest& request,
                                          const CallOptions& options = {}) const;

  // Waits until there is such a value. kTimedOut: there was none in time.
  absl::StatusOr<v1::Value> Await(std::string_view name, const CallOptions& options = {}) const;
  // The same, with all that the API can say. `timed_out` in the answer is no error.
  absl::StatusOr<v1::AwaitValueResponse> AwaitValue(v1::AwaitValueRequest request,
                                                    const CallOptions& options = {}) const;
  absl::StatusOr<v1::Value> GetValue(const v1::GetValueRequest& request, const CallOptions& options = {}) const;
  // All that the caller may see, from all pages, without their data.
  absl::StatusOr<std::vector<v1::Value>> ListValues(const CallOptions& options = {}) const;

 private:
  friend class PublishedValue;

  std::shared_ptr<internal::Connection> connection_;
};

// A value that is there as long as this object, unless its session ends first: the destructor withdraws it, best
// effort, within a second; not what was published in its place since. Move-only.
class PublishedValue {
 public:
  PublishedValue(PublishedValue&& other) noexcept
      : coordination_(other.coordination_),
        value_(std::move(other.value_)),
        owned_(std::exchange(other.owned_, false)) {}
  PublishedValue& operator=(PublishedValue&& other) noexcept;
  ~PublishedValue() { WithdrawIfOwned(); }

  // As it was published.
  const v1::Value& value() const { return value_; }
  // It outlives the object, for as long as its session.
  void Release() { owned_ = false; }

 private:
  friend class Coordination;

  PublishedValue(Coordination coordination, v1::Value value)
      : coordination_(std::move(coordination)), value_(std::move(value)) {}
  void WithdrawIfOwned();

  Coordination coordination_;
  v1::Value value_;
  bool owned_ = true;
};

}  // namespace socketeer
