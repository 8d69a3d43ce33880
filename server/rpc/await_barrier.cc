#include "server/rpc/await_barrier.h"

#include <memory>
#include <utility>

#include "server/rpc/convert.h"
#include "server/rpc/rendezvous.h"

namespace socketeer::rpc {
namespace {

class AtBarrier final : public Rendezvous {
 public:
  AtBarrier(Call& call, std::optional<std::chrono::nanoseconds> timeout, coordination::Arrival arrival,
            v1::AwaitBarrierResponse* response)
      : Rendezvous(call, timeout), arrival_(std::move(arrival)), response_(response) {}

 private:
  base::Status Arrive() override {
    const auto self = std::static_pointer_cast<AtBarrier>(shared_from_this());
    return core().barriers.Arrive(arrival_, [self](base::Result<coordination::Standing> passed) {
      if (!passed.ok()) return self->Fail(std::move(passed).error());
      self->Show(*passed);
      self->Succeed();
    });
  }

  bool Leave(const base::Error* why) override {
    const auto left =
        core().barriers.Leave(arrival_.barrier, arrival_.caller, why == nullptr ? "TIMED_OUT" : why->reason);
    if (!left) return false;
    Show(*left);
    response_->set_timed_out(true);  // of a call that fails nobody is told
    return true;
  }

  void Show(const coordination::Standing& standing) {
    response_->set_generation(standing.generation);
    response_->set_index(standing.index);
    response_->set_arrived(standing.arrived);
  }

  const coordination::Arrival arrival_;
  v1::AwaitBarrierResponse* const response_;  // the call's
};

}  // namespace

base::Status StartBarrier(Call& call, const v1::AwaitBarrierRequest& request, v1::AwaitBarrierResponse* response) {
  auto id = BarrierIdOf(request.barrier(), "barrier");
  if (!id.ok()) return std::move(id).error();
  auto parties = InRange(request.parties(), 1, call.core().limits.max_barrier_parties, "parties");
  if (!parties.ok()) return std::move(parties).error();
  if (request.party().size() > base::kMaxPartyBytes) {
    return base::InvalidField("party", std::to_string(request.party().size()) + " bytes",
                              "at most " + std::to_string(base::kMaxPartyBytes) + " bytes");
  }
  auto timeout = TimeoutOf(request);
  if (!timeout.ok()) return std::move(timeout).error();
  if (request.shared()) {
    if (auto status = call.core().guard.JudgeToObserve(call.identity()); !status.ok()) return status;
  }
  coordination::Arrival arrival{.barrier = {.identity = request.shared() ? "" : call.identity(), .id = *std::move(id)},
                                .caller = call.scope().id(),
                                .parties = *parties,
                                .party = request.party(),
                                .generation = request.generation()};
  return std::make_shared<AtBarrier>(call, *timeout, std::move(arrival), response)->Start();
}

}  // namespace socketeer::rpc
