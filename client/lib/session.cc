#include "socketeer/session.h"

#include <mutex>
#include <thread>
#include <utility>

#include "client/lib/connection.h"
#include "socketeer/error.h"

namespace socketeer {
namespace {

// Of the end that nobody waits for.
constexpr absl::Duration kLastEndTime = absl::Seconds(1);

bool MayComeBack(const absl::Status& status) {
  const ErrorKind kind = Classify(status);
  return kind == ErrorKind::kUnreachable || kind == ErrorKind::kDraining;
}

}  // namespace

// The thread that holds, and what it knows.
class Session::Keeper {
 public:
  Keeper(const Host& host, const std::string& name)
      : hold_(host.HoldSession(name, {.timeout = std::nullopt, .cancellation = &cancellation_})),
        thread_([this] { Run(); }) {}

  ~Keeper() {
    cancellation_.Cancel();
    thread_.join();
  }

  absl::Status Held() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return held_;
  }

 private:
  void Run() {
    absl::Status held;
    do {
      held = hold_.Next().status();
      const std::lock_guard<std::mutex> lock(mutex_);
      held_ = held;
    } while (held.ok() || MayComeBack(held));
  }

  Cancellation cancellation_;
  SessionHold hold_;  // the thread's
  mutable std::mutex mutex_;
  absl::Status held_;   // guarded by mutex_
  std::thread thread_;  // last, so that it begins when all else is there
};

Session::Session(Host host, v1::Session session)
    : host_(std::move(host)), session_(std::move(session)), keeper_(new Keeper(host_, session_.name())) {}

Session::Session(Session&& other) noexcept
    : host_(other.host_),
      session_(std::move(other.session_)),
      keeper_(std::move(other.keeper_)),
      owned_(std::exchange(other.owned_, false)) {}

Session& Session::operator=(Session&& other) noexcept {
  if (this == &other) return *this;
  EndIfOwned();
  host_ = other.host_;
  session_ = std::move(other.session_);
  keeper_ = std::move(other.keeper_);
  owned_ = std::exchange(other.owned_, false);
  return *this;
}

Session::~Session() { EndIfOwned(); }

void Session::EndIfOwned() {
  keeper_.reset();
  if (!std::exchange(owned_, false)) return;
  const internal::Connection& connection = *host_.connection_;
  v1::EndSessionRequest request;
  request.set_name(name());
  (void)connection.CallWithin(kLastEndTime, connection.stubs().sessions, &v1::SessionService::StubInterface::EndSession,
                              request, CallOptions());
}

absl::Status Session::Held() const { return keeper_->Held(); }

absl::StatusOr<v1::Session> Session::End(const CallOptions& options) {
  absl::StatusOr<v1::Session> ended = host_.EndSession(name(), options);
  if (ended.ok() || ended.status().code() == absl::StatusCode::kNotFound) owned_ = false;
  return ended;
}

}  // namespace socketeer
