// Where metrics are served: GET /metrics over plain HTTP, one request to a connection, on a thread and a loop of its
// own.
//
// Bounded, whoever comes: kMaxConnections, of which the oldest that waits for no page gives way to a new one; the head
// of a request; the time that a connection may take, reading and writing; and how often a page is made. A page that is
// asked for too soon is made when it is time, for all who wait by then: so each is of a time after it was asked for.
#pragma once

#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <thread>

#include "server/base/fd.h"
#include "server/base/result.h"
#include "server/net/event_loop.h"

namespace socketeer::metrics {

inline constexpr size_t kMaxConnections = 16;
// A scrape's has some 400 bytes.
inline constexpr size_t kMaxHeadBytes = 8 << 10;
// Prometheus gives up after 10 s by default.
inline constexpr std::chrono::seconds kMaxConnectionTime{10};
// Between the end of making a page and the beginning of the next.
inline constexpr std::chrono::milliseconds kPagePause{100};

class Port : public net::EventHandler {
 public:
  // Makes a page; on the port's thread.
  using MakePage = std::function<std::string()>;

  // Serves from now on, until it goes. `listener` listens, and is nonblocking; `syscalls` and `clock` must outlive
  // this.
  static base::Result<std::unique_ptr<Port>> Start(base::Fd listener, MakePage make, net::Syscalls& syscalls,
                                                   const base::Clock& clock);
  ~Port() override;

  void OnEvents(uint32_t events) override;

 private:
  class Guest;

  Port(base::Fd listener, MakePage make, std::unique_ptr<net::EventLoop> loop);
  void AcceptAll();
  bool IsFull() const { return guests_.size() >= kMaxConnections; }
  // Who gives way to a new one; the end if nobody does before the next page is given.
  std::list<std::unique_ptr<Guest>>::iterator Victim();
  // A guest has asked for the page.
  void WantPage();
  void GivePages();
  void Forget(const Guest* guest);  // ends it

  const std::unique_ptr<net::EventLoop> loop_;
  const base::Fd listener_;
  const MakePage make_;
  net::WatchId watch_ = 0;
  net::TimerId retry_ = 0;
  bool will_give_ = false;                    // it is posted, or a timer is set
  base::MonotonicTime made_{};                // when the last page was
  std::list<std::unique_ptr<Guest>> guests_;  // the oldest in front
  std::thread thread_;
};

}  // namespace socketeer::metrics
