// What the attachments that count datagrams or connections have in common: credit, turns, and their end.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "server/net/attached.h"
#include "server/net/event_loop.h"

namespace socketeer::net {

class Socket;

// Who is attached. All on the loop's thread; none may call the attachment back.
class CountedClient {
 public:
  virtual ~CountedClient() = default;
  // Behind all others: nothing more is received.
  virtual void OnReceiveError(base::Error error) = 0;
  // What became of SetOptions(): all options as they are now, or the one that failed.
  virtual void OnOptions(base::Result<OptionList> options) = 0;
  // The last call: it was taken over, the socket closes, it cannot go on, or, without `why`, Detach() is done.
  virtual void OnDetached(std::optional<base::Error> why) = 0;
  // Up to which number was passed on, to somebody who may have got it.
  virtual uint64_t Given() const = 0;
  // From now on nothing is passed on.
  virtual void Seal() = 0;
};

class CountedAttachment : public Attached, public std::enable_shared_from_this<CountedAttachment> {
 public:
  uint64_t next() const override { return next_; }
  void Begin() override { Receive(); }
  base::Status Acknowledge(uint64_t number) override;
  void Leave() override;

  // --- For the socket. ---
  uint64_t acknowledged() const override { return acknowledged_; }
  void Seal() override;
  void End(std::optional<base::Error> why) override;

 protected:
  // `from`: the first number to hand out. The socket outlives what is attached to it.
  CountedAttachment(Socket& socket, const AttachTerms& terms, uint64_t from, std::shared_ptr<CountedClient> client)
      : socket_(socket),
        client_(std::move(client)),
        actor_(terms.actor),
        receive_window_(terms.receive_window),
        next_(from),
        acknowledged_(from) {}

  // Takes what there is and hands it out, as far as the window allows.
  virtual void Receive() = 0;
  // Sends what waits, as far as the kernel takes it.
  virtual void RunSteps() {}
  // What is kept and below `number` is acknowledged.
  virtual void Drop(uint64_t number) = 0;

  bool over() const { return client_ == nullptr; }  // then the socket may be gone
  uint64_t room() const { return acknowledged_ + receive_window_ - next_; }
  // Where what the client passed on, or is certain to, ends.
  uint64_t PassedOn() const;
  void TellOptions(const OptionList& options);
  // The last step of Detach().
  void FinishDetach(std::optional<base::Error> why = std::nullopt);
  // Goes on when others had their turn; or later, for what the kernel does not announce.
  void Continue();
  void RetryLater();
  void RetryIn(std::chrono::nanoseconds delay);
  // The owner's quota lets more bytes through. False: later, and it goes on by itself.
  bool MayMove();

  Socket& socket_;
  std::shared_ptr<CountedClient> client_;
  const std::shared_ptr<const Actor> actor_;  // null: the owner
  const uint64_t receive_window_;
  uint64_t next_;
  bool receive_over_ = false;
  std::chrono::milliseconds retry_{0};  // the last delay of RetryLater(); whoever gets on sets it to 0

 private:
  Task NextTurn(bool* scheduled);

  uint64_t acknowledged_;     // all below
  bool in_order_ = false;     // it ends by Detach(): the client passes on all that it was told before it goes
  bool posted_ = false;       // a turn is under way: of Continue(),
  bool timed_ = false;        // of RetryLater()
  bool sends_first_ = false;  // in the next turn
};

}  // namespace socketeer::net
