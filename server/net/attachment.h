// A stream socket whose bytes flow by themselves: what comes in is handed to a client, as far as its window allows, and
// what the client sends goes to the kernel when that takes it.
//
// Made by Socket::Attach() and owned by the socket; on its loop's thread. One for a socket at a time, and while it is
// there no data call is. What came in and is not acknowledged goes back to the socket (retained.h) at its end, so the
// next one can go on at any of it. What was to be sent and the kernel has not taken goes with the attachment.
//
// Bytes are in chunks from end to end. Copied are only small pieces that have to wait, the last of a chunk whose rest
// is acknowledged, and, once, what goes back to the socket at the end.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/base/chunk.h"
#include "server/base/result.h"
#include "server/net/attached.h"
#include "server/net/chunk_queue.h"
#include "server/net/event_loop.h"
#include "server/net/options.h"

namespace socketeer::net {

class Socket;

// Who is attached. All on the loop's thread; none may call the attachment back.
class AttachmentClient {
 public:
  virtual ~AttachmentClient() = default;
  virtual void OnReceived(uint64_t offset, base::Chunk bytes) = 0;
  // What ends the receiving side: the peer's end, or an error. Behind all bytes; one of them at most.
  virtual void OnEndOfStream(uint64_t offset) = 0;
  virtual void OnReceiveError(base::Error error) = 0;
  // The kernel has accepted all bytes below `offset`.
  virtual void OnAccepted(uint64_t offset) = 0;
  // The write side was shut down, because Shutdown() asked for it.
  virtual void OnShutdown() = 0;
  // Bytes, or the shutdown, failed: nothing more is sent.
  virtual void OnSendError(base::Error error) = 0;
  // What became of SetOptions(): all options as they are now, or the one that failed.
  virtual void OnOptions(base::Result<OptionList> options) = 0;
  // The last call: it was taken over, the socket closes, or, without `why`, Detach() is done.
  virtual void OnDetached(std::optional<base::Error> why) = 0;
  // Up to where the bytes were passed on, to somebody who may have got them.
  virtual uint64_t Given() const = 0;
  // From now on no byte is passed on.
  virtual void Seal() = 0;
};

class Attachment final : public Attached, public std::enable_shared_from_this<Attachment> {
 public:
  // `from`: the number of the first byte to hand out; it is that of `kept`, or the kernel's next. All below `given` was
  // given out before.
  Attachment(Socket& socket, const AttachTerms& terms, uint64_t from, std::string kept, uint64_t given,
             std::shared_ptr<AttachmentClient> client);

  // --- For the client. ---
  uint64_t next() const override { return next_; }
  void Begin() override;
  // Errors: OFFSET_OUT_OF_RANGE, CREDIT_EXCEEDED. An error leaves everything as it was.
  base::Status Send(uint64_t offset, std::vector<base::Chunk> bytes);
  base::Status Acknowledge(uint64_t offset) override;
  void Shutdown() override;
  void SetOptions(OptionList options) override;
  void Detach() override;
  void Leave() override;

  // --- For the socket. ---
  void OnEvents(uint32_t events) override;
  void WatchAll() override { Watch(kAllEvents); }
  uint64_t acknowledged() const override { return acknowledged_; }
  uint64_t given() const override;
  size_t kept_bytes() const override { return kept_.size(); }
  void Seal() override;
  void GiveBack() override;
  void End(std::optional<base::Error> why) override;

 private:
  // What is to be done on the write side when all bytes below `at` are sent.
  struct Step {
    enum class Kind { kShutdown, kOptions, kDetach };
    Kind kind;
    uint64_t at;
    OptionList options = {};  // kOptions
  };

  void Receive();
  // From the kernel, to where it is kept. False: nothing came.
  bool Take(uint64_t most);
  void FailReceive(int number);
  uint64_t end() const { return acknowledged_ + kept_.size(); }
  uint64_t Room() const { return acknowledged_ + receive_window_ - next_; }

  // The owner's quota lets more bytes through. False: later, and it goes on by itself.
  bool MayMove();

  // What waits for a kernel that is full. A small piece is copied, or it would keep the memory of the whole message,
  // and more, that it came in.
  void Push(base::Chunk bytes, bool small);
  void AddStep(Step::Kind kind, OptionList options = {});
  // All that can be done.
  void RunWrites();
  bool StepIsDue() const;
  void RunStep();
  // The bytes in front of the next step. False: the kernel is full.
  bool SendSome(size_t* count);
  // When it is enough, or no more is accepted now.
  void TellAccepted();
  // While the kernel takes nothing: later, what waits is put together. A message comes in memory that it shares with
  // those of other streams, and a socket that stands still would keep several times its window.
  void GatherLater();
  void FailSend(base::Error error);

  // What the loop is to wake up for. Less than all: while there is no room, a peer that sends on would wake it up each
  // time, for nothing.
  void Watch(uint32_t events);
  uint32_t WatchedWrites() const { return full_ ? uint32_t{EPOLLOUT} : 0; }
  // Goes on when others had their turn; or later, for what the kernel does not announce.
  void Continue();
  void RetryLater();
  void RetryIn(std::chrono::nanoseconds delay);
  Task NextTurn(bool* scheduled);

  Socket& socket_;
  std::shared_ptr<AttachmentClient> client_;  // null: it is over, and the socket may be gone
  const std::shared_ptr<const Actor> actor_;  // null: the owner
  const uint64_t receive_window_;
  const uint64_t frame_;  // the most to hand out at once
  const uint64_t send_window_;
  const bool named_;  // the client said where to begin

  uint64_t next_;
  uint64_t acknowledged_;  // all below
  const uint64_t again_;   // what is below was taken by others
  ChunkQueue kept_;        // from there on
  ChunkBuffer incoming_;   // where the kernel writes
  const uint64_t given_before_;
  bool all_given_ = false;  // it ends in order: the client gets all that was handed out
  bool receive_over_ = false;

  uint64_t expected_;   // the next byte that the client sends
  ChunkQueue unsent_;   // the bytes in front of it that the kernel has not taken
  ChunkBuffer copied_;  // of small pieces
  std::deque<Step> steps_;
  uint64_t told_;              // accepted, and the client knows
  bool full_ = false;          // the kernel takes nothing, and will tell when that changes
  bool writes_first_ = false;  // in the next turn
  bool slowed_ = false;        // full_ for the owner's quota, till the next turn
  bool send_over_ = false;

  uint32_t watched_ = kAllEvents;       // by the kernel
  uint32_t wanted_ = kAllEvents;        // the kernel may have refused
  bool posted_ = false;                 // a turn is under way: of Continue(),
  bool timed_ = false;                  // of RetryLater()
  bool gathering_ = false;              // GatherLater() has a look to come
  std::chrono::milliseconds retry_{0};  // the last delay of RetryLater
};

}  // namespace socketeer::net
