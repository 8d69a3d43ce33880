// How a socket and its attachment come together, and part.
#include <utility>

#include "server/net/attachment.h"
#include "server/net/socket.h"

namespace socketeer::net {

base::Result<std::shared_ptr<Attachment>> Socket::Attach(const AttachTerms& terms,
                                                         std::shared_ptr<AttachmentClient> client) {
  const auto refuse = [this](base::Error error) {
    ForgetIfUnused();
    return Describe(std::move(error), "attach");
  };
  if (!info_.kind.IsStream()) return refuse(base::WrongKind("AttachSocket", info_.kind.Word(), "the unary calls"));
  if (info_.state != State::kConnected && info_.state != State::kDisconnected) {
    return refuse(base::WrongState("attach", "it has no connection"));
  }
  if (!terms.takeover) {
    if (attached()) return refuse(base::SocketAttached());
    if (!lanes_[0].waiting.empty() || !lanes_[1].waiting.empty()) return refuse(base::CallsWaiting());
  }
  auto from = attached() ? Find(terms.receive_offset, "open.receive_offset", kept_->attachment->acknowledged(),
                                kept_->attachment->given())
                         : bytes().Find(terms.receive_offset, "open.receive_offset");
  if (!from.ok()) return refuse(std::move(from).error());
  if (terms.send_offset > sent_) {
    return refuse(base::OffsetOutOfRange("open.send_offset", *terms.send_offset, 0, sent_));
  }
  if (auto watched = EnsureWatched(); !watched.ok()) return refuse(std::move(watched).error());
  // Nothing can fail from here on.
  EndWaiting(base::TakenOver());
  bytes().DropBelow(*from);
  kept().attachment =
      std::make_shared<Attachment>(*this, terms, *from, bytes().Take(bytes().size()), std::move(client));
  NoteRetained();
  return kept_->attachment;
}

void Socket::Detach() {
  TakeAttachment();
  ForgetIfUnused();
  CheckWaiters();
}

bool Socket::WatchFor(uint32_t events) { return loop_.Rewatch(watch_, fd_, events).ok(); }

std::shared_ptr<Attachment> Socket::TakeAttachment() {
  if (!attached()) return nullptr;
  const auto former = std::exchange(kept_->attachment, nullptr);
  former->WatchAll();
  bytes().PutBack(former->kept().Copy(), former->given());
  NoteRetained();
  return former;
}

}  // namespace socketeer::net
