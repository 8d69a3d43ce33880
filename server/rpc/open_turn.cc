#include "server/rpc/open_turn.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <utility>

namespace socketeer::rpc {
namespace {

// One open that waits, on the control loop. Kept by its timer, and by what may end it.
class OpenTurn : public std::enable_shared_from_this<OpenTurn> {
 public:
  OpenTurn(Call& call, std::optional<base::MonotonicTime> ends, std::function<void()> go, std::function<void()> late)
      : call_(call),
        control_(call.core().control),
        account_(call.session()->account()),
        ends_(ends),
        go_(std::move(go)),
        late_(std::move(late)) {}

  void Start(std::chrono::nanoseconds wait) {
    call_.SetEnder([self = shared_from_this()](base::Error why) {
      if (!self->over_.exchange(true)) self->call_.Fail(std::move(why));
    });
    control_.Post([self = shared_from_this(), wait] { self->Wait(wait); });
  }

 private:
  void Wait(std::chrono::nanoseconds wait) {
    base::MonotonicTime when = control_.Now() + wait;
    if (ends_) when = std::min(when, *ends_);
    control_.RunAt(when, [self = shared_from_this()] { self->Look(); });
  }

  void Look() {
    if (over_.load()) return;  // then the call is gone, and not to be touched
    if (ends_ && control_.Now() >= *ends_) {
      if (!over_.exchange(true)) late_();
      return;
    }
    const auto wait = account_->AskToOpen();
    if (wait.ok() && wait->count() > 0) return Wait(*wait);
    if (over_.exchange(true)) return;
    if (wait.ok()) return go_();
    call_.Fail(wait.error());  // it is to be refused from now on
  }

  Call& call_;
  net::EventLoop& control_;
  const quota::AccountPtr account_;
  const std::optional<base::MonotonicTime> ends_;
  const std::function<void()> go_;
  const std::function<void()> late_;
  std::atomic<bool> over_{false};  // whoever sets it ends the wait, and may use the call
};

}  // namespace

base::Status WhenItMayOpen(Call& call, std::optional<std::chrono::nanoseconds> timeout, std::function<void()> go,
                           std::function<void()> late) {
  quota::Account* const account = call.session()->account().get();
  if (account != nullptr) {
    const auto wait = account->AskToOpen();
    if (!wait.ok()) return wait.error();
    if (wait->count() > 0) {
      std::optional<base::MonotonicTime> ends;
      if (timeout) ends = call.core().clock.Now() + *timeout;
      std::make_shared<OpenTurn>(call, ends, std::move(go), std::move(late))->Start(*wait);
      return base::Ok();
    }
  }
  go();
  return base::Ok();
}

}  // namespace socketeer::rpc
