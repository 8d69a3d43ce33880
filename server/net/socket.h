// One kernel socket, on one loop's thread for its whole life.
//
// Owned by its Shard. All functions are for the loop's thread; there are no locks. What others may know of it goes out
// through its SocketObserver. Operations wait in two bounded queues, one for each direction, first come first served.
// The descriptor is watched (edge-triggered) from the first wait on; a socket on which nobody ever waited costs the
// loop nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/net/attached.h"
#include "server/net/event_loop.h"
#include "server/net/operation.h"
#include "server/net/options.h"
#include "server/net/readiness.h"
#include "server/net/retained.h"
#include "server/net/retained_budget.h"
#include "server/net/socket_info.h"
#include "server/net/socket_path.h"
#include "server/net/state_table.h"
#include "server/net/target.h"

namespace socketeer::net {

class Attachment;
class AttachmentClient;
class DatagramAttachment;
class DatagramClient;
class ListenerAttachment;
class ListenerClient;
struct AcceptResult;

using SocketHandle = uint64_t;  // unique in the process, never used again

class Socket final : public EventHandler, public std::enable_shared_from_this<Socket> {
 public:
  // Takes `fd`, which is nonblocking. The loop and the budget must outlive the socket.
  Socket(EventLoop& loop, int fd, SocketInfo info, std::shared_ptr<SocketObserver> observer, uint32_t max_waiting,
         RetainedBudget& budget);
  ~Socket() override;  // precondition: Close() was called

  const SocketInfo& info() const { return info_; }
  Gauges& gauges() { return observer_->gauges(); }
  int fd() const { return fd_; }
  EventLoop& loop() { return loop_; }
  Syscalls& syscalls() { return loop_.syscalls(); }

  // --- When it has just been made. ---
  // IPV6_V6ONLY off for both families at once, if asked; IP_PKTINFO, so that a datagram tells where it was sent to.
  base::Status InitializeFamily(bool both_families);
  // Came from accept(2), which said who the peer is. `bound`: of the listener (AcceptResult).
  void EnterAccepted(const SocketAddress& peer, std::shared_ptr<const Place> bound);

  // While it is there, what is done is done for `actor` (null: for the owner): the policy and the rates are his. They
  // nest. Operations and what is attached bring their own.
  class Acting {
   public:
    Acting(Socket& socket, const Actor* actor) : socket_(socket), before_(std::exchange(socket.actor_, actor)) {}
    ~Acting() { socket_.actor_ = before_; }
    Acting(const Acting&) = delete;
    Acting& operator=(const Acting&) = delete;

   private:
    Socket& socket_;
    const Actor* const before_;
  };

  // --- Verbs that never wait: one system call each. ---
  base::Status Bind(const SocketAddress& address);
  base::Status Listen(int backlog);
  base::Status Disconnect();
  // `how` as of shutdown(2). The write side is shut down by ShutdownOperation, behind earlier sends.
  base::Status Shutdown(int how);
  base::Status SetOptions(const OptionList& options);
  base::Result<OptionList> GetOptions();

  // --- Verbs that may wait. ---
  void Start(std::unique_ptr<Operation> operation);
  // Ends it with CANCELLED; no effect if it is not waiting here (any more).
  void Cancel(OperationId id);

  // --- socket_attach.cc: instead of the queues, a stream of bytes, datagrams or connections. ---
  // Each is for its AttachKind. Until it ends, Start() and Disconnect() are refused (SOCKET_ATTACHED). The client is
  // not called before Begin(). Errors, which change nothing: WRONG_STATE, SOCKET_ATTACHED, CALL_WAITING,
  // OFFSET_OUT_OF_RANGE.
  base::Result<std::shared_ptr<Attachment>> Attach(const AttachTerms& terms, std::shared_ptr<AttachmentClient> client);
  base::Result<std::shared_ptr<DatagramAttachment>> AttachDatagrams(const AttachTerms& terms,
                                                                    std::shared_ptr<DatagramClient> client);
  base::Result<std::shared_ptr<ListenerAttachment>> AttachListener(const AttachTerms& terms,
                                                                   std::shared_ptr<ListenerClient> client);
  // Of what is attached, or was last, if no call had the data since; else 0.
  uint64_t attachment_id() const { return kept_ ? kept_->attachment_id : 0; }
  // For the attachment itself, when it is over.
  void Detach();
  // For the attachment: what the loop is to wake up for; everything while others wait, which it does before and after.
  // False: the kernel refused.
  bool WatchFor(uint32_t events);
  bool HasWaiters() const { return waiters_ && !waiters_->empty(); }

  // --- Waiting for a condition, beside the queues. ---
  void AddWaiter(Waiter waiter);
  void RemoveWaiter(WaiterId id);

  // Ends every operation that waits, and what is attached, with `why`; the socket stays.
  void EndWaiting(const base::Error& why);
  // Ends everything that waits with `why`, closes, tells the observer, then calls `done`. A close(2) that may block for
  // long (SO_LINGER) is left to `elsewhere`, which closes `fd` on another thread and then runs `finish` on this one.
  using CloseElsewhere = std::function<void(int fd, Task finish)>;
  void Close(base::Error why, const CloseElsewhere& elsewhere, Task done);

  // --- For operations: what came in, and is not acknowledged. ---
  RetainedBytes& bytes() { return kept().bytes; }
  RetainedDatagrams& datagrams();
  RetainedConnections& connections();
  // One of them has changed.
  void NoteRetained();
  // One recv(2) of up to `most` bytes, or one recvmsg(2), to where it is kept. LIMIT_REACHED when no more may be kept;
  // then the kernel was not read. Else as ReadBytes() and ReadDatagram().
  base::Result<ssize_t> TakeBytes(size_t most);
  base::Result<int> TakeDatagram();
  // The same in two steps, for bytes that are the caller's to keep: room for some, `most` at most; then one recv(2) of
  // no more than that. NoteRetained() when it has them. Precondition: none are kept here.
  base::Result<uint64_t> ReserveKept(uint64_t most) { return kept().charge.Reserve(1, most); }
  ssize_t TakeAway(char* buffer, size_t size);
  // datagram_batch.cc. Up to `most` at once, 1 at least: how many. -1: errno. 0: the end of the stream. `*drained`: the
  // kernel had no more, and will announce the next one.
  base::Result<int> TakeDatagrams(size_t most, bool* drained);
  // An error in place of a datagram. False: no more may be kept.
  bool KeepFailure(int number);
  // How many datagrams the kernel had no room for, since the socket was made.
  uint64_t CountDropped();
  // One accept4(2), to where it is kept.
  base::Status TakeConnection();
  // The connection of that number, which is kept and was given to nobody, becomes a socket: whoever gets the result
  // owns its descriptor.
  AcceptResult GiveConnection(uint64_t number, const std::shared_ptr<SocketObserver>& becomes);
  // Past what is kept, as TakeBytes() and TakeDatagram(). -1: errno. 0: the end of the stream.
  ssize_t ReadBytes(char* buffer, size_t size, bool peek);
  // -1: errno. 0: one datagram in `out`. 1: the end of the stream (seqpacket).
  int ReadDatagram(IncomingDatagram* out, bool peek);
  // An error that comes after what is kept. `told`: an earlier call got it, but its answer may have been lost.
  void KeepError(int number, bool told) { kept().error = {number, told}; }
  // Takes it, for a call that `named` its number or did not, and so acknowledges what was told; a `peek` acknowledges
  // nothing. 0: none.
  int TakeError(bool named, bool peek = false);
  // An error that the kernel told a send, and will not tell again: ReadBytes() does, instead of the end of the stream.
  void OweError(int number) { kept().owed_error = number; }
  int TakeOwedError() { return kept_ ? std::exchange(kept_->owed_error, 0) : 0; }
  // How many bytes of the stream, or datagrams in all, the kernel accepted; sends add to it.
  uint64_t sent() const { return sent_; }
  void NoteSent(uint64_t count) { sent_ += count; }

  // --- socket_permits.cc: what the owner, or who acts in his place, may do, asked right before the system call. An
  // error: nothing was done. --- To connect to `peer`, or to send a datagram (to the peer, if `destination` is empty).
  // The target, if there is one, is what the kernel is to be given.
  base::Result<std::optional<Target>> PermitConnect(const SocketAddress& peer);
  base::Result<std::optional<Target>> PermitSend(const SocketAddress& destination);
  // kSend and kReceive on a connection, kReceive of datagrams, kListen of a listener that accepts: by the address that
  // the connection was made to, or else the socket's own.
  base::Status PermitHere(Act act);
  // Is there a policy?
  bool IsJudged() const { return observer_->terms() != 0; }
  // connect(2) began to lead there, or has; it leads nowhere any more.
  void NoteLedTo(const Place& place);
  void NoteLedNowhere();
  // Where the kernel sends what is for `address`: of a wildcard this socket's own address, if it has one.
  SocketAddress Reached(const SocketAddress& address) const;

  // --- socket_quota.cc: how much whoever acts may move and open. ---
  // Before the system call. kDone: it may. kDelayed: not yet, for Try() to return. LIMIT_REACHED: it is refused, as
  // always in mode kExact. `let_in`: of the operation, first false, true from
  // when it may; where who exceeds is refused, that is at its begin.
  base::Result<Progress> AskToMove(Mode mode, bool* let_in);
  // To accept one that is there; then CountOpened().
  base::Result<Progress> AskToOpen(Mode mode);
  // The same for what is attached, which always waits. Zero: it may.
  std::chrono::nanoseconds WaitToMove();
  std::chrono::nanoseconds quota_wait() const { return quota_wait_; }  // of the last one that answered kDelayed
  // How many of so many bytes to move in one system call, 1 at least; `stream`: of what is attached.
  size_t AtOnce(size_t size, bool stream = false) const;
  // What passed the kernel, in the gauges and for the owner; CountMoved: payload that was given out again, or was
  // looked at, for the owner alone.
  void CountSent(uint64_t bytes, uint64_t datagrams);
  void CountReceived(uint64_t bytes, uint64_t datagrams);
  void CountMoved(uint64_t bytes);
  void CountOpened();

  // --- For operations: the rest. ---
  // A send to another UNIX socket was refused, because that is full. The kernel made the datagram and threw it away,
  // and announces the room that this left here: the next EPOLLOUT says nothing of the other one, and to try again for
  // it would make the next, without end.
  void ExpectEcho() { echo_ = true; }
  // The error of a failed system call on this socket, with its state and addresses. FAILED_PRECONDITION, whatever the
  // errno, if the state forbids the call (state_table.h).
  base::Error Fault(Call call, const char* system_call, int number) const;
  // Of a data call: notes first what the error says of the connection.
  base::Error DataFault(Call call, const char* system_call, int number);
  // Adds this socket's part to an error.
  base::Error Describe(base::Error error, const char* operation) const;
  // Would the kernel refuse to send, but bind the socket before it does? Then the daemon refuses.
  bool MustRefuseSend(const SocketAddress& destination) const;
  // A data call met an error: is the connection over?
  void NoteDataError(int number);
  // Is a connect(2) that failed still to be told to somebody?
  bool connect_failed() const { return connect_failed_; }
  // connect(2) to AF_UNSPEC succeeded.
  void NoteDisconnected();
  // connect(2) failed, for good: where does that leave the socket?
  void NoteConnectFailure();
  // The state changed, or the addresses may have: asks the kernel and tells everyone. `peer`: who it is when the kernel
  // knows no more.
  void Enter(State state, const SocketAddress& peer = {});
  // After the first datagram from an unbound socket the kernel has chosen an address.
  void NoteAutobind();

  void OnEvents(uint32_t events) override;

 private:
  struct Waiting {
    std::unique_ptr<Operation> operation;
    TimerId timer = 0;  // 0: none
  };
  using Queue = std::list<Waiting>;
  // Made by a receive or an accept, and kept from the first that gets something; most sockets have one part of it.
  struct Kept {
    Kept(RetainedBudget& budget, quota::Account* account) : charge(budget, account) {}
    RetainedBytes bytes;
    std::unique_ptr<RetainedDatagrams> datagrams;
    std::unique_ptr<RetainedConnections> connections;
    RetainedCharge charge;
    struct {
      int number = 0;
      bool told = false;
    } error;               // see KeepError()
    int owed_error = 0;    // see OweError()
    uint64_t dropped = 0;  // see CountDropped()
    std::shared_ptr<Attached> attachment;
    uint64_t attachment_id = 0;  // see attachment_id()
  };
  struct Lane {  // one direction
    Queue waiting;
    std::chrono::duration<int32_t, std::milli> retry{0};  // the last delay of Rearm()
    bool scheduled = false;                               // a RunLane was posted or is on a timer
  };

  // Of a socket under a policy.
  struct Permits {
    struct Allowed {  // the last thing that was
      uint64_t terms = 0;
      std::string by{};  // to whom; empty: to the owner
      Act act{};
      SocketAddress address{};
    };
    Allowed out, in;
    std::optional<Place> led_to;         // by its own connect(2)
    std::vector<Place> earlier;          // of datagrams that may still wait: where they came to, or from, before
    bool bind_asked = false;             // the caller's own bind was permitted, and done
    std::shared_ptr<const Place> bound;  // a UNIX path; of what was accepted, the listener's
    std::optional<base::Error> barred;   // its name is where it must not be
  };

  Permits& permits();
  const std::string* By() const { return actor_ == nullptr ? nullptr : &actor_->identity; }
  bool IsAllowed(const Permits::Allowed& last, uint64_t terms, Act act, const SocketAddress& address) const;
  Permits::Allowed Allow(uint64_t terms, Act act, const SocketAddress& address) const;
  // Of whoever acts; null: that is not counted.
  quota::Account* account() const { return actor_ == nullptr ? observer_->account() : actor_->account.get(); }
  base::Status Ask(Act act, const Place& place);
  base::Result<std::optional<Target>> AskToReach(Act act, const SocketAddress& address, bool follow);
  // A kernel error on a path's way, as that of the call which would have met it.
  base::Error NoWayTo(const SocketAddress& address, Act act, const NoWay& why);
  base::Status PermitBind(const SocketAddress& address, std::optional<NewPath>* path);
  // After bind(2).
  base::Status NoteBoundTo(const std::optional<NewPath>& path);
  // What the kernel does unasked: 0.0.0.0 or ::, port 0.
  SocketAddress ImplicitAddress() const;
  base::Status PermitImplicitBind();
  // To receive what came before the socket led where it leads now.
  base::Status PermitEarlier();
  void NoteEarlier();
  base::Status PermitListen();
  base::Status PermitOption(const OptionRow& row);

  base::Result<Progress> Turn(base::Result<std::chrono::nanoseconds> wait);

  Lane& LaneOf(Side side) { return lanes_[side == Side::kRead ? 0 : 1]; }
  void RunLane(Side side);
  Progress TryUnlessCancelled(Operation& operation);
  void SettleUnlessCancelled(Operation& operation);
  void Enqueue(std::unique_ptr<Operation> operation);
  void Rearm(Side side, Progress progress);
  // Takes one out of its queue, and disarms its timer.
  std::unique_ptr<Operation> TakeOut(Lane& lane, Queue::iterator which);
  void OnTimeout(OperationId id, Side side);
  std::vector<std::unique_ptr<Operation>> FailAll(const base::Error& why);
  bool attached() const { return kept_ && kept_->attachment; }
  base::Status MayAttach(AttachKind kind, const AttachTerms& terms);
  // All that may fail. Returns the first number to hand out.
  template <typename Items>
  base::Result<uint64_t> BeginAttach(AttachKind kind, const AttachTerms& terms, Items& (Socket::*items)());
  // Null when nobody is attached. Who takes it ends it.
  std::shared_ptr<Attached> TakeAttachment();
  bool CloseMayBlock();
  void EndWaiters();
  void CountWaiting();
  base::Status EnsureWatched();
  // Sees to it that the end of a connect is noticed.
  void WatchConnect();
  void SettleConnect(uint32_t events);
  void ReadAddresses();
  void CheckWaiters();
  // `polled`: what poll(2) said, -1 until it was asked. An error: the kernel does not say.
  base::Result<bool> IsReady(const Waiter& waiter, short* polled);
  base::Result<bool> PeerClosed(short polled);
  State IdleState() const;
  // A connection, an association or a listener is over; what is left of the socket?
  void BecomeIdle();
  bool Forbids(Call call, int number) const;
  void LearnDual();
  // The stream begins anew: the kernel, too, forgets what the old connection brought.
  void RestartStream();
  // Resets what was accepted and became no socket.
  void ResetConnections();
  Kept& kept();
  // Nothing has come in yet, and nobody receives.
  void ForgetIfUnused();
  bool HasKept() const;
  ssize_t NextDatagramSize();

  EventLoop& loop_;
  int fd_;
  const uint32_t max_waiting_;
  SocketInfo info_;
  const std::shared_ptr<SocketObserver> observer_;
  const Actor* actor_ = nullptr;  // see Acting
  WatchId watch_ = 0;             // 0: not watched yet
  Lane lanes_[2];
  std::unique_ptr<Kept> kept_;
  std::unique_ptr<std::vector<Waiter>> waiters_;  // most sockets never have any
  RetainedBudget& budget_;
  uint64_t sent_ = 0;
  std::chrono::nanoseconds quota_wait_{0};
  std::unique_ptr<SocketPath> path_;  // of a bound UNIX socket
  std::unique_ptr<Permits> permits_;  // made when it is first needed
  // Who gave the socket its name? A port that the kernel chose goes with the connection or the listener; of TCP,
  // getsockname(2) still tells it.
  enum class Named : uint8_t { kNot, kByKernel, kByCaller } named_ = Named::kNot;
  bool local_known_ = true;      // false: getsockname(2) failed, and info_.local is empty
  bool connect_failed_ = false;  // and no call has told it yet
  bool echo_ = false;            // see ExpectEcho()
};

}  // namespace socketeer::net
