// How a socket and its attachment come together, and part.
#include <utility>

#include "server/net/attachment.h"
#include "server/net/datagram_attachment.h"
#include "server/net/listener_attachment.h"
#include "server/net/shard.h"
#include "server/net/socket.h"

namespace socketeer::net {

base::Status Socket::MayAttach(AttachKind kind, const AttachTerms& terms) {
  const Situation situation = connect_failed_ ? Situation::kFailed : SituationOf(info_);
  const Row* const row = FindRow(ClassOf(info_.kind), situation);
  if (row != nullptr && row->of(Call::kAttach).unnamed.verdict == Outcome::Verdict::kForbidden) {
    return base::WrongState("attach", "it has no connection, and does not listen");
  }
  if (AttachKindOf(info_) != kind) return base::WrongState("attach", "its state has just changed; attach again");
  if (terms.resumes != 0 && terms.resumes != attachment_id()) return base::TakenOver();
  if (!terms.takeover && terms.resumes == 0) {
    if (attached()) return base::SocketAttached();
    if (!lanes_[0].waiting.empty() || !lanes_[1].waiting.empty()) return base::CallsWaiting();
  }
  if (kind != AttachKind::kListener && terms.send_offset > sent_) {
    return base::OffsetOutOfRange("open.send_offset", *terms.send_offset, 0, sent_);
  }
  return base::Ok();
}

template <typename Items>
base::Result<uint64_t> Socket::BeginAttach(AttachKind kind, const AttachTerms& terms, Items& (Socket::*items)()) {
  base::Status may = MayAttach(kind, terms);
  base::Result<uint64_t> from = uint64_t{0};
  if (may.ok()) {
    from = attached() ? Find(terms.receive_offset, "open.receive_offset", kept_->attachment->acknowledged(),
                             kept_->attachment->given())
                      : (this->*items)().Find(terms.receive_offset, "open.receive_offset");
    if (from.ok()) may = EnsureWatched();
  }
  if (!may.ok()) from = std::move(may).error();
  if (!from.ok()) {
    ForgetIfUnused();
    return Describe(std::move(from).error(), "attach");
  }
  // Nothing can fail from here on.
  EndWaiting(base::TakenOver());
  if (!terms.receive_offset) *from = (this->*items)().given();  // it may have got on meanwhile
  (this->*items)().DropBelow(*from);
  NoteRetained();
  kept().attachment_id = terms.resumes != 0 ? terms.resumes : Shard::NextId();
  return from;
}

base::Result<std::shared_ptr<Attachment>> Socket::Attach(const AttachTerms& terms,
                                                         std::shared_ptr<AttachmentClient> client) {
  const auto from = BeginAttach(AttachKind::kStream, terms, &Socket::bytes);
  if (!from.ok()) return from.error();
  const uint64_t given = bytes().given();
  auto made = std::make_shared<Attachment>(*this, terms, *from, bytes().Take(bytes().size()), given, std::move(client));
  kept().attachment = made;
  NoteRetained();
  return made;
}

base::Result<std::shared_ptr<DatagramAttachment>> Socket::AttachDatagrams(const AttachTerms& terms,
                                                                          std::shared_ptr<DatagramClient> client) {
  const auto from = BeginAttach(AttachKind::kDatagrams, terms, &Socket::datagrams);
  if (!from.ok()) return from.error();
  datagrams().BeginReceiving(*from);
  auto made = std::make_shared<DatagramAttachment>(*this, terms, *from, std::move(client));
  kept().attachment = made;
  return made;
}

base::Result<std::shared_ptr<ListenerAttachment>> Socket::AttachListener(const AttachTerms& terms,
                                                                         std::shared_ptr<ListenerClient> client) {
  const auto from = BeginAttach(AttachKind::kListener, terms, &Socket::connections);
  if (!from.ok()) return from.error();
  connections().BeginReceiving(*from);
  auto made = std::make_shared<ListenerAttachment>(*this, terms, *from, std::move(client));
  kept().attachment = made;
  return made;
}

void Socket::Detach() {
  TakeAttachment();
  ForgetIfUnused();
  CheckWaiters();
}

bool Socket::WatchFor(uint32_t events) { return loop_.Rewatch(watch_, fd_, events).ok(); }

std::shared_ptr<Attached> Socket::TakeAttachment() {
  if (!attached()) return nullptr;
  const auto former = std::exchange(kept_->attachment, nullptr);
  former->WatchAll();
  former->Seal();
  former->GiveBack();
  NoteRetained();
  return former;
}

}  // namespace socketeer::net
