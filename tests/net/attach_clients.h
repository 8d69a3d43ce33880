// Clients of attachments, who keep what they are told. All on the loop's thread, but for what a test asks by Run().
#pragma once

#include <algorithm>
#include <cstdint>
#include <future>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/net/attachment.h"
#include "server/net/datagram_attachment.h"
#include "server/net/listener_attachment.h"
#include "tests/net/rig.h"

namespace socketeer::net::testing {

// Of a stream. What it is not interested in, it forgets.
class BytesKeeper : public AttachmentClient {
 public:
  void OnReceived(uint64_t, base::Chunk bytes) override { received += bytes.view(); }
  void OnEndOfStream(uint64_t) override { ended = true; }
  void OnReceiveError(base::Error) override {}
  void OnAccepted(uint64_t) override {}
  void OnShutdown() override {}
  void OnSendError(base::Error) override {}
  void OnOptions(base::Result<OptionList>) override {}
  void OnDetached(std::optional<base::Error>) override { detached = true; }
  uint64_t Given() const override { return given; }
  void Seal() override {}

  std::string received;
  uint64_t given = 0;
  bool ended = false;
  bool detached = false;
};

// What came of datagrams and connections, in order, as words: "0:one", "1!ECONNREFUSED", "end 2".
template <typename Client>
class Noted : public Client {
 public:
  void OnReceiveError(base::Error error) override {
    last_error = error;
    Note("error " + error.reason);
    if (enough_ != SIZE_MAX) Reach();
  }
  void OnOptions(base::Result<OptionList> options) override {
    Note(options.ok() ? "options" : "options " + options.error().reason);
  }
  void OnDetached(std::optional<base::Error> why) override { Note(why ? "detached " + why->reason : "detached"); }
  uint64_t Given() const override { return std::min(end_, given); }
  void Seal() override {}

  std::vector<std::string> Take() { return std::exchange(notes_, {}); }
  // Ready when there are so many, or nothing more is received.
  std::future<void> Reaches(size_t count) {
    enough_ = count;
    reached_ = std::promise<void>();
    if (notes_.size() >= enough_) Reach();
    return reached_.get_future();
  }

  uint64_t given = UINT64_MAX;  // passes on no more
  std::optional<base::Error> last_error;

 protected:
  // All below `end` came.
  void Came(uint64_t end) { end_ = end; }
  void Note(std::string note) {
    notes_.push_back(std::move(note));
    if (notes_.size() >= enough_) Reach();
  }
  void NoteFailure(uint64_t number, const base::Error& error) {
    last_error = error;
    Note(std::to_string(number) + "!" + error.reason);
  }

 private:
  void Reach() {
    enough_ = SIZE_MAX;
    reached_.set_value();
  }

  uint64_t end_ = 0;
  std::vector<std::string> notes_;
  size_t enough_ = SIZE_MAX;
  std::promise<void> reached_;
};

class DatagramKeeper : public Noted<DatagramClient> {
 public:
  void OnDatagrams(uint64_t sequence, std::span<const IncomingDatagram> datagrams, uint64_t now_dropped) override {
    dropped = now_dropped;
    batches.push_back(datagrams.size());
    Came(sequence + datagrams.size());
    for (const IncomingDatagram& each : datagrams) {
      sizes.push_back(each.true_size);
      Note(std::to_string(sequence++) + ":" + each.payload.substr(0, 20));
    }
    if (datagrams.empty()) Note("dropped");
  }
  void OnReceiveFailure(uint64_t sequence, base::Error error) override {
    Came(sequence + 1);
    NoteFailure(sequence, error);
  }
  void OnEndOfStream(uint64_t sequence) override { Note("end " + std::to_string(sequence)); }
  void OnDone(uint64_t sequence) override { done = sequence; }
  uint64_t DoneTold() const override { return std::min(done, told); }
  void OnSendFailure(uint64_t sequence, base::Error error) override { NoteFailure(sequence, error); }
  void OnSendError(base::Error error) override {
    last_error = error;
    Note("send error " + error.reason);
  }
  void OnShutdown() override { Note("shutdown"); }

  uint64_t dropped = 0;
  uint64_t done = 0;
  uint64_t told = UINT64_MAX;
  std::vector<size_t> batches;
  std::vector<uint64_t> sizes;
};

class ListenerKeeper : public Noted<ListenerClient> {
 public:
  explicit ListenerKeeper(Rig& rig) : rig_(rig) {}

  base::Result<std::shared_ptr<SocketObserver>> Reserve() override {
    if (full) return base::LimitReached("max_sockets", 1);
    return std::shared_ptr<SocketObserver>(std::make_shared<Observer>());
  }
  base::Status Adopt(const std::shared_ptr<SocketObserver>& becomes, AcceptResult accepted) override {
    if (refuses) {
      ::close(accepted.fd);
      return base::SessionEnded("sessions/s", "OWNER");
    }
    const SocketHandle handle = Shard::NextId();
    const auto observer = std::static_pointer_cast<Observer>(becomes);
    rig_.shard().Adopt(handle, std::move(accepted), observer);
    made.emplace_back(rig_, handle, observer);
    return base::Ok();
  }
  void OnConnection(uint64_t sequence, const std::shared_ptr<SocketObserver>& became) override {
    told.push_back(became);
    Came(sequence + 1);
    Note(std::to_string(sequence));
  }
  void OnReceiveFailure(uint64_t sequence, base::Error error) override { NoteFailure(sequence, error); }

  bool full = false;
  bool refuses = false;
  std::vector<std::shared_ptr<SocketObserver>> told;
  std::vector<TestSocket> made;

 private:
  Rig& rig_;
};

}  // namespace socketeer::net::testing
