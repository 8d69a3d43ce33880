#include "server/rpc/rendezvous.h"

#include <utility>

namespace socketeer::rpc {

base::Status Rendezvous::Start() {
  const auto self = shared_from_this();
  call_.SetEnder([self](const base::Error& why) { self->OnEnd(why); });
  {
    // Who is gone already arrives nowhere: nobody may take him for a party.
    std::lock_guard lock(mutex_);
    if (end_) return *end_;
  }
  if (auto status = Arrive(); !status.ok()) return status;
  // Whoever tells it may have ended the call by now.
  if (timeout_) {
    core_.control.Post([self, when = core_.clock.Now() + *timeout_] {
      if (!self->over_) self->timer_ = self->core_.control.RunAt(when, [self] { self->OnTime(); });
    });
  }
  std::optional<base::Error> why;
  {
    std::lock_guard lock(mutex_);
    arrived_ = true;
    why = std::exchange(end_, std::nullopt);
  }
  if (why) OnEnd(*why);
  return base::Ok();
}

void Rendezvous::OnEnd(const base::Error& why) {
  {
    std::lock_guard lock(mutex_);
    if (!arrived_) {
      end_ = why;
      return;
    }
  }
  if (Leave(&why)) Fail(why);
}

void Rendezvous::OnTime() {
  timer_ = 0;
  over_ = true;
  if (Leave(nullptr)) call_.Succeed(true);
}

void Rendezvous::Succeed() {
  StopTimer();
  call_.Succeed();
}

void Rendezvous::Fail(base::Error error) {
  StopTimer();
  call_.Fail(std::move(error));
}

void Rendezvous::StopTimer() {
  if (!timeout_) return;
  core_.control.Post([self = shared_from_this()] {
    self->over_ = true;
    self->core_.control.CancelTimer(self->timer_);
  });
}

}  // namespace socketeer::rpc
