// Datagrams or records that flow by themselves: what comes in is handed to a client, as far as its window allows, and
// what the client sends goes to the kernel, one after the other. An error of one stands in its place, takes its number,
// and leaves the others alone.
//
// Made by Socket::AttachDatagrams() and owned by the socket; on its loop's thread. What came in and is not acknowledged
// stays with the socket (retained.h), errors too, so the next one can go on at any of it. What was to be sent and the
// kernel has not taken goes with the attachment.
#pragma once

#include <deque>
#include <span>
#include <string>
#include <vector>

#include "server/net/counted_attachment.h"
#include "server/net/retained.h"

namespace socketeer::net {

// A datagram that waits for the kernel.
struct QueuedDatagram {
  std::string payload;
  SocketAddress destination;  // empty: the connected peer
};

// As CountedClient says.
class DatagramClient : public CountedClient {
 public:
  // `datagrams`, numbered from `sequence` on, are there until it returns; none, if only `dropped` has news: how many
  // the kernel had no room for since the socket was made.
  virtual void OnDatagrams(uint64_t sequence, std::span<const IncomingDatagram> datagrams, uint64_t dropped) = 0;
  // In place of a datagram.
  virtual void OnReceiveFailure(uint64_t sequence, base::Error error) = 0;
  // The peer's end, of a connection of records. Behind all of them.
  virtual void OnEndOfStream(uint64_t sequence) = 0;
  // The kernel has accepted, or refused, all below `sequence`.
  virtual void OnDone(uint64_t sequence) = 0;
  // Up to which number OnDone() was passed on: credit is what the other side knows of.
  virtual uint64_t DoneTold() const = 0;
  virtual void OnSendFailure(uint64_t sequence, base::Error error) = 0;
  // The connection is over, or the shutdown failed: nothing more is sent.
  virtual void OnSendError(base::Error error) = 0;
  // The write side was shut down, because Shutdown() asked for it.
  virtual void OnShutdown() = 0;
};

class DatagramAttachment final : public CountedAttachment {
 public:
  DatagramAttachment(Socket& socket, const AttachTerms& terms, uint64_t from, std::shared_ptr<DatagramClient> client);

  // --- For the client; the rest is CountedAttachment's. ---
  // Errors, which leave everything as it was: OFFSET_OUT_OF_RANGE, CREDIT_EXCEEDED.
  base::Status Send(uint64_t sequence, std::vector<QueuedDatagram> datagrams);
  void Shutdown() override;
  void SetOptions(OptionList options) override;
  void Detach() override;

  // --- For the socket. ---
  void OnEvents(uint32_t events) override;
  uint64_t given() const override;
  void GiveBack() override;

 private:
  // What is to be done on the write side, in the client's order.
  struct Step {
    enum class Kind { kData, kShutdown, kOptions, kDetach };
    Kind kind = Kind::kData;
    std::vector<QueuedDatagram> datagrams = {};  // kData
    size_t done = 0;                             // of them; never all
    OptionList options = {};                     // kOptions

    std::span<const QueuedDatagram> left() const { return std::span(datagrams).subspan(done); }
  };

  DatagramClient& client() { return static_cast<DatagramClient&>(*client_); }

  void Receive() override;
  void RunSteps() override;
  void Drop(uint64_t number) override;
  // From the kernel, or what it said instead, to where it is kept. False: nothing came.
  bool Take(uint64_t most);
  // Returns what it cost.
  size_t HandOut(uint64_t most);
  bool KeepFailure(int number);
  void EndReceiving(int number);
  void NoteDropped();

  void Push(Step step);
  void RunStep(Step step);
  // Some at the front. False: the kernel is full.
  bool SendSome(size_t* cost);
  // How many of them may go to the kernel in one call.
  size_t BatchOf(std::span<const QueuedDatagram> datagrams) const;
  void PopSent(size_t count);
  // The first one fails, alone or with all behind it.
  void FailFirst(base::Error error, int number);
  void FailSend(base::Error error);

  const uint64_t send_window_;
  const uint64_t sent_before_;  // by others
  const bool named_;            // the client said where to begin
  const uint64_t again_;        // what is below was taken by others
  bool drained_ = false;        // the kernel had no more, and announces the next one
  uint64_t dropped_told_ = 0;   // as OnDatagrams()

  uint64_t expected_;  // the next number that the client sends
  std::deque<Step> steps_;
  uint64_t bytes_waiting_ = 0;  // of their payloads
  bool send_over_ = false;
};

}  // namespace socketeer::net
