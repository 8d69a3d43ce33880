#include "server/metrics/port.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "server/metrics/http.h"

namespace socketeer::metrics {
namespace {

constexpr std::chrono::milliseconds kRetryMetricsAccept{50};
constexpr std::string_view kEndOfHead = "\r\n\r\n";

}  // namespace

// One connection: a head comes in, an answer goes out, and then it waits for its peer to close, so that no answer is
// lost by a reset.
class Port::Guest : public net::EventHandler {
 public:
  Guest(Port& port, base::Fd fd) : port_(port), fd_(std::move(fd)) {}
  ~Guest() override {
    if (timer_ != 0) port_.loop_->CancelTimer(timer_);
    if (watch_ != 0) port_.loop_->Unwatch(watch_, fd_.get());
  }

  bool Start() {
    auto watch = port_.loop_->Watch(fd_.get(), net::kAllEvents, this);
    if (!watch.ok()) return false;
    watch_ = *watch;
    timer_ = port_.loop_->RunAt(port_.loop_->Now() + kMaxConnectionTime, [this] {
      timer_ = 0;
      port_.Forget(this);
    });
    return true;
  }

  bool waits() const { return phase_ == Phase::kWaits; }
  // False: it is over.
  bool Give(const std::string& page) {
    answer_ = AnswerTo(head_, page);
    phase_ = Phase::kWrites;
    return Write();
  }

  void OnEvents(uint32_t) override {
    if (!Read() || (phase_ == Phase::kWrites && !Write())) return port_.Forget(this);
    if (phase_ == Phase::kWaits) port_.WantPage();
  }

 private:
  enum class Phase { kReads, kWaits, kWrites, kLeaves };

  // False: the connection is of no use any more.
  bool Read() {
    char buffer[4096];
    for (;;) {
      const ssize_t count = recv(fd_.get(), buffer, sizeof(buffer), 0);
      if (count < 0) return errno == EAGAIN;
      if (count == 0) return phase_ == Phase::kWaits || phase_ == Phase::kWrites;  // it may still read
      if (phase_ != Phase::kReads) {
        // What is behind the head is not looked at; but it is bounded, too.
        if ((ignored_ += static_cast<size_t>(count)) > kMaxHeadBytes) return false;
        continue;
      }
      head_.append(buffer, static_cast<size_t>(count));
      const size_t end = head_.find(kEndOfHead);
      if (end == std::string::npos && head_.size() > kMaxHeadBytes) return false;
      if (end == std::string::npos) continue;
      head_.resize(end + kEndOfHead.size());
      phase_ = Phase::kWaits;
    }
  }

  bool Write() {
    while (written_ < answer_.size()) {
      const ssize_t count = send(fd_.get(), answer_.data() + written_, answer_.size() - written_, MSG_NOSIGNAL);
      if (count < 0) return errno == EAGAIN;
      written_ += static_cast<size_t>(count);
    }
    answer_ = {};
    written_ = 0;
    phase_ = Phase::kLeaves;
    return shutdown(fd_.get(), SHUT_WR) == 0;
  }

  Port& port_;
  const base::Fd fd_;
  net::WatchId watch_ = 0;
  net::TimerId timer_ = 0;
  Phase phase_ = Phase::kReads;
  std::string head_;
  size_t ignored_ = 0;
  std::string answer_;
  size_t written_ = 0;
};

Port::Port(base::Fd listener, MakePage make, std::unique_ptr<net::EventLoop> loop)
    : loop_(std::move(loop)), listener_(std::move(listener)), make_(std::move(make)) {}

base::Result<std::unique_ptr<Port>> Port::Start(base::Fd listener, MakePage make, net::Syscalls& syscalls,
                                                const base::Clock& clock) {
  auto loop = net::EventLoop::Create(syscalls, clock);
  if (!loop.ok()) return std::move(loop).error();
  std::unique_ptr<Port> port(new Port(std::move(listener), std::move(make), *std::move(loop)));
  auto watch = port->loop_->Watch(port->listener_.get(), EPOLLIN, port.get());
  if (!watch.ok()) return std::move(watch).error();
  port->watch_ = *watch;
  port->thread_ = std::thread([loop = port->loop_.get()] {
    pthread_setname_np(pthread_self(), "metrics-loop");
    loop->Run();
  });
  return port;
}

Port::~Port() {
  if (thread_.joinable()) {
    loop_->Stop();
    thread_.join();
  }
  guests_.clear();
}

void Port::OnEvents(uint32_t) { AcceptAll(); }

void Port::AcceptAll() {
  if (retry_ != 0) loop_->CancelTimer(std::exchange(retry_, 0));
  for (size_t taken = 0;; ++taken) {
    // A flood must not keep those from being served who are there.
    if (taken == kMaxConnections) return loop_->Post([this] { AcceptAll(); });
    if (IsFull() && Victim() == guests_.end()) return;
    base::Fd accepted(accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (accepted) {
      if (IsFull()) guests_.erase(Victim());
      guests_.push_back(std::make_unique<Guest>(*this, std::move(accepted)));
      Guest& guest = *guests_.back();
      // What it asks is often there already, and who has asked gives way to nobody.
      guest.Start() ? guest.OnEvents(EPOLLIN) : Forget(&guest);
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
      // No new edge will come for those that wait already.
      retry_ = loop_->RunAt(loop_->Now() + kRetryMetricsAccept, [this] {
        retry_ = 0;
        AcceptAll();
      });
      return;
    } else if (errno == EAGAIN || errno == EBADF || errno == EINVAL) {
      return;
    }
  }
}

std::list<std::unique_ptr<Port::Guest>>::iterator Port::Victim() {
  return std::ranges::find_if(guests_, [](const auto& each) { return !each->waits(); });
}

void Port::WantPage() {
  if (std::exchange(will_give_, true)) return;
  loop_->RunAt(std::max(made_ + kPagePause, loop_->Now()), [this] { GivePages(); });
}

void Port::GivePages() {
  will_give_ = false;
  const std::string page = make_();
  made_ = loop_->Now();
  const bool was_full = IsFull();
  guests_.remove_if([&page](const auto& guest) { return guest->waits() && !guest->Give(page); });
  if (was_full) AcceptAll();
}

void Port::Forget(const Guest* guest) {
  guests_.remove_if([guest](const auto& each) { return each.get() == guest; });
}

}  // namespace socketeer::metrics
