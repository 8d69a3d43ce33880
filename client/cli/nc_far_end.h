// The remote side of `nc`: one socket, whose bytes go both ways.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/cord.h"
#include "socketeer/call_options.h"
#include "socketeer/remote_socket.h"
#include "socketeer/stream.h"

namespace socketeer::cli {

// One thread may send (Send, ShutDown, Flush) while another receives; Cancel and Accepted are for any. It borrows the
// socket, which outlives it.
class NcFarEnd {
 public:
  virtual ~NcFarEnd() = default;

  // The most that is read from standard input for one Send.
  virtual size_t block_bytes() const = 0;
  // Blocks while there is no room. The kernel's errors, and whatever ends the connection to the daemon; here and below.
  virtual absl::Status Send(absl::Cord bytes) = 0;
  // shutdown(2) of the sending side, behind what was sent.
  virtual absl::Status ShutDown() = 0;
  // Waits until the host's kernel has taken all that was sent.
  virtual absl::Status Flush() = 0;
  // Waits for bytes. None, but a Cord: an empty datagram. nullopt: the peer sends no more.
  virtual absl::StatusOr<std::optional<absl::Cord>> Receive() = 0;
  // Whether receiving comes to an end: nullopt, or an error.
  virtual bool ends() const = 0;
  // How far sending has come.
  virtual uint64_t Accepted() const = 0;
  // Ends every call, and each one that comes.
  virtual void Cancel() = 0;
};

// A stream, attached.
class NcStream : public NcFarEnd {
 public:
  explicit NcStream(Stream stream) : stream_(std::move(stream)) {}

  size_t block_bytes() const override { return 256 << 10; }
  absl::Status Send(absl::Cord bytes) override { return stream_.Send(std::move(bytes)); }
  absl::Status ShutDown() override { return stream_.Shutdown(); }
  absl::Status Flush() override { return stream_.Flush(); }
  absl::StatusOr<std::optional<absl::Cord>> Receive() override;
  bool ends() const override { return true; }
  uint64_t Accepted() const override { return stream_.accepted(); }
  void Cancel() override { stream_.Cancel(); }

 private:
  Stream stream_;
};

// Datagrams: each Send is one.
class NcDatagrams : public NcFarEnd {
 public:
  // `max_bytes`: the room for one that comes, as ReceiveDatagramsRequest has it. `peer`: whose datagrams are received;
  // others may have come before the socket was connected to it. Absent: everybody's.
  NcDatagrams(const RemoteSocket& socket, uint32_t max_bytes, std::optional<v1::Endpoint> peer = std::nullopt)
      : socket_(socket), max_bytes_(max_bytes), peer_(std::move(peer)) {}

  // As netcat's: small enough for a datagram of any kind.
  size_t block_bytes() const override { return 16 << 10; }
  absl::Status Send(absl::Cord bytes) override;
  absl::Status ShutDown() override { return absl::OkStatus(); }
  absl::Status Flush() override { return absl::OkStatus(); }
  // DATA_LOSS behind one that was longer than its room, whose front was returned.
  absl::StatusOr<std::optional<absl::Cord>> Receive() override;
  bool ends() const override { return false; }
  uint64_t Accepted() const override { return 0; }
  void Cancel() override { cancellation_.Cancel(); }

 private:
  bool IsOfPeer(const v1::IncomingDatagram& datagram) const;
  CallOptions Calls() { return {.timeout = absl::InfiniteDuration(), .cancellation = &cancellation_}; }

  const RemoteSocket& socket_;
  const uint32_t max_bytes_;
  const std::optional<v1::Endpoint> peer_;
  absl::Status lost_;  // what the next Receive returns
  Cancellation cancellation_;
};

}  // namespace socketeer::cli
