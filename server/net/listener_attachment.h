// A listener that accepts by itself: each connection that comes becomes a socket of its own, as long as a client's
// window allows; the others wait in the kernel.
//
// Made by Socket::AttachListener() and owned by the listener; on its loop's thread. Which connection became which
// socket stays with the listener until it is acknowledged (retained.h), so the next one can be told again.
#pragma once

#include <string>

#include "server/net/connection_operations.h"
#include "server/net/counted_attachment.h"

namespace socketeer::net {

// As CountedClient says.
class ListenerClient : public CountedClient {
 public:
  // There is a connection: which socket is it to become? An error that may pass leaves it where it is.
  virtual base::Result<std::shared_ptr<SocketObserver>> Reserve() = 0;
  // It becomes that one; `accepted.fd` is the client's. An error, and the descriptor is closed: the attachment ends
  // with it.
  virtual base::Status Adopt(const std::shared_ptr<SocketObserver>& becomes, AcceptResult accepted) = 0;
  virtual void OnConnection(uint64_t sequence, const std::shared_ptr<SocketObserver>& became) = 0;
  // The connection that is to have this number cannot be accepted now; it goes on by itself. Told once until one is
  // accepted, or it is another reason.
  virtual void OnReceiveFailure(uint64_t sequence, base::Error error) = 0;
};

class ListenerAttachment final : public CountedAttachment {
 public:
  ListenerAttachment(Socket& socket, const AttachTerms& terms, uint64_t from, std::shared_ptr<ListenerClient> client)
      : CountedAttachment(socket, terms, from, std::move(client)) {}

  void SetOptions(OptionList options) override { TellOptions(options); }
  void Detach() override { FinishDetach(); }

  void OnEvents(uint32_t) override { Receive(); }
  uint64_t given() const override;
  void GiveBack() override;

 private:
  ListenerClient& client() { return static_cast<ListenerClient&>(*client_); }

  void Receive() override;
  void Drop(uint64_t number) override;
  // One of the kernel's, to where it is kept. False: none.
  bool Take();
  // The owner's quota lets one more be made. False: not now.
  bool MayBecome();
  // The next one becomes a socket. False: not now, or it is over.
  bool Become();
  void EndReceiving(base::Error error);
  void Fail(base::Error error);

  std::string told_;  // the reason of the last failure, since one was accepted
};

}  // namespace socketeer::net
