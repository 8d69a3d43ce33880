#include "client/scenario/halt.h"

#include <utility>

namespace socketeer::scenario {

Halt::Listener::Listener(Halt& halt, std::function<void(const Reason&)> function) : halt_(halt) {
  const std::lock_guard<std::mutex> lock(halt_.mutex_);
  if (halt_.reason_.has_value()) {
    function(*halt_.reason_);
  } else {
    halt_.listeners_.emplace(this, std::move(function));
  }
}

Halt::Listener::~Listener() {
  const std::lock_guard<std::mutex> lock(halt_.mutex_);
  halt_.listeners_.erase(this);
}

Halt::Halt(Halt* outer) {
  if (outer != nullptr) outer_.emplace(*outer, [this](const Reason& reason) { Stop(reason); });
}

void Halt::Stop(const Reason& reason) {
  // Under the lock, so that no listener goes meanwhile. Always from the outer halt to the inner one.
  const std::lock_guard<std::mutex> lock(mutex_);
  if (reason_.has_value()) return;
  reason_ = reason;
  cancellation_.Cancel();
  for (const auto& [listener, function] : listeners_) function(reason);
}

std::optional<Halt::Reason> Halt::reason() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return reason_;
}

}  // namespace socketeer::scenario
