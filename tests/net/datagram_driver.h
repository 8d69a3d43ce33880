// One attachment to a socket of datagrams or records, driven from the test's thread.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/net/attach_clients.h"
#include "tests/net/ends.h"

namespace socketeer::net::testing {

using Words = std::vector<std::string>;

class DatagramDriver {
 public:
  DatagramDriver(TestSocket& socket, const AttachTerms& terms) : socket_(socket) {
    socket_.Run([&](Socket& on_loop) {
      auto attached = on_loop.AttachDatagrams(terms, keeper_);
      if (!attached.ok()) {
        refused_ = attached.error();
        return;
      }
      attachment_ = *std::move(attached);
      attachment_->Begin();
    });
  }
  ~DatagramDriver() { Leave(); }
  DatagramDriver(const DatagramDriver&) = delete;
  DatagramDriver& operator=(const DatagramDriver&) = delete;

  const std::optional<base::Error>& refused() const { return refused_; }
  template <typename F>
  auto Run(F f) {
    return socket_.Run([&f](Socket&) { return f(); });
  }
  // Waits until there are so many notes that were not taken, and takes them.
  Words Notes(size_t count) {
    auto reached = Run([&] { return keeper_->Reaches(count); });
    EXPECT_EQ(reached.wait_for(std::chrono::seconds(30)), std::future_status::ready);
    return Notes();
  }
  // Those of now.
  Words Notes() {
    return Run([&] { return keeper_->Take(); });
  }
  std::string Send(uint64_t sequence, const std::vector<std::string>& payloads, const SocketAddress& to = {}) {
    std::vector<QueuedDatagram> datagrams;
    for (const std::string& payload : payloads) datagrams.push_back({.payload = payload, .destination = to});
    return Run([&] {
      const auto status = attachment_->Send(sequence, std::move(datagrams));
      return status.ok() ? "ok" : status.error().reason;
    });
  }
  std::string Acknowledge(uint64_t number) {
    return Run([&] {
      const auto status = attachment_->Acknowledge(number);
      return status.ok() ? "ok" : status.error().reason;
    });
  }
  void Leave() {
    socket_.Run([&](Socket&) {
      if (auto attachment = std::exchange(attachment_, nullptr)) attachment->Leave();
    });
  }
  DatagramKeeper& keeper() { return *keeper_; }
  DatagramAttachment& attachment() { return *attachment_; }

 private:
  TestSocket& socket_;
  const std::shared_ptr<DatagramKeeper> keeper_ = std::make_shared<DatagramKeeper>();
  std::shared_ptr<DatagramAttachment> attachment_;
  std::optional<base::Error> refused_;
};

inline const AttachTerms kWide{.receive_window = 64, .send_window = 64};

}  // namespace socketeer::net::testing
