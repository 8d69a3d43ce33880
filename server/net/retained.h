// What was taken from the kernel and is not acknowledged: bytes of a stream, datagrams, or connections of a listener.
//
//   base ................... given ................... end
//     given out to a call      taken, given to nobody    what the kernel has next
//     that named its number
//
// Numbers count from 0. A call that names a number gets from there on, which acknowledges all below; what it gets stays
// until it is acknowledged in its turn, so that the call can be repeated. What a call takes from the kernel is put here
// first, and given out when it is known that its caller is still there: what a cancelled call took simply stays.
//
// Part of a Socket, on its loop's thread. The calls of the read side take turns, so at most one of them receives.
#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "server/base/result.h"
#include "server/net/address.h"

namespace socketeer::net {

class SocketObserver;

// A datagram or record that was received.
struct IncomingDatagram {
  std::string payload;
  SocketAddress source;
  SocketAddress destination;  // port 0; empty if the kernel did not tell
  uint64_t true_size = 0;
  int error = 0;  // an errno: a receive that an attached stream made failed in its place
};

// A connection that was accepted.
struct IncomingConnection {
  int fd = -1;  // until it is given out; then whoever it was given to owns it
  SocketAddress peer;
  std::shared_ptr<SocketObserver> became;  // once it is given out
};

inline size_t PayloadOf(const char*, size_t count) { return count; }
inline size_t PayloadOf(const IncomingConnection*, size_t) { return 0; }
inline size_t PayloadOf(const IncomingDatagram* first, size_t count) {
  size_t bytes = 0;
  for (size_t i = 0; i < count; ++i) bytes += first[i].payload.size();
  return bytes;
}

// Retained::Find of what is kept elsewhere.
inline base::Result<uint64_t> Find(const std::optional<uint64_t>& named, const char* field, uint64_t base,
                                   uint64_t given) {
  if (!named) return given;
  if (*named < base || *named > given) return base::OffsetOutOfRange(field, *named, base, given);
  return *named;
}

template <typename Items>
class Retained {
 public:
  using Item = typename Items::value_type;

  uint64_t base() const { return end_ - size(); }
  uint64_t given() const { return given_; }
  uint64_t end() const { return end_; }
  size_t size() const { return items_.size() - dropped_; }
  size_t payload() const { return payload_; }
  // What nobody is about to receive.
  size_t readable() const { return (receiving() ? from_ : end_) - base(); }

  // `number` must be one of those kept.
  Item* At(uint64_t number) { return items_.data() + dropped_ + (number - base()); }

  // The number that a call begins at whose turn has come: `named`, or what was given to nobody. OFFSET_OUT_OF_RANGE,
  // about `field`, if it cannot be had.
  base::Result<uint64_t> Find(const std::optional<uint64_t>& named, const char* field) const {
    return socketeer::net::Find(named, field, base(), given_);
  }
  // A call begins to receive: from here on everything from `from` on is its own, until EndReceiving().
  void BeginReceiving(uint64_t from) { from_ = from; }
  void EndReceiving() { from_ = kNobody; }
  bool receiving() const { return from_ != kNobody; }  // not after a Restart()
  uint64_t from() const { return from_; }
  size_t held() const { return end_ - from_; }

  void Append(const Item* first, size_t count) {
    if constexpr (std::is_same_v<Item, char>) {
      items_.append(first, count);
    } else {
      items_.insert(items_.end(), std::make_move_iterator(first), std::make_move_iterator(first + count));
    }
    payload_ += PayloadOf(first, count);
    end_ += count;
  }
  void Append(Item item) {
    payload_ += PayloadOf(&item, 1);
    items_.push_back(std::move(item));
    ++end_;
  }
  // All below `number` was given out, if it was not before.
  void GiveBelow(uint64_t number) { given_ = std::max(given_, number); }
  // All below `number` is acknowledged.
  void DropBelow(uint64_t number) {
    if (number <= base()) return;
    const size_t count = number - base();
    payload_ -= PayloadOf(At(base()), count);
    GiveBelow(number);
    Remove(count);
  }
  // The first `count` leave, given out and acknowledged.
  Items Take(size_t count) {
    Item* const first = At(base());
    payload_ -= PayloadOf(first, count);
    GiveBelow(base() + count);
    Items taken;
    if (dropped_ == 0 && count == items_.size()) {
      taken.swap(items_);
    } else {
      if constexpr (std::is_same_v<Item, char>) {
        taken.assign(first, count);
      } else {
        taken.assign(std::make_move_iterator(first), std::make_move_iterator(first + count));
      }
      Remove(count);
    }
    return taken;
  }
  // `count` went from the kernel to a call, and by here. Precondition: nothing is kept.
  void PassBy(size_t count) { given_ = end_ += count; }
  // `items` that were taken or passed by last are kept again; from `given` on they were given to nobody. Precondition:
  // nothing is kept.
  void PutBack(Items items, uint64_t given) {
    items_ = std::move(items);
    payload_ = PayloadOf(items_.data(), items_.size());
    given_ = given;
  }
  // The last one is gone, and its number with it. Precondition: it was given to nobody.
  void ForgetLast() {
    payload_ -= PayloadOf(At(end_ - 1), 1);
    items_.pop_back();
    --end_;
  }
  // A datagram is kept as it was given out.
  void Truncate(uint64_t number, size_t size) {
    std::string& kept = At(number)->payload;
    if (kept.size() <= size) return;
    payload_ -= kept.size() - size;
    kept.resize(size);
    kept.shrink_to_fit();
  }
  // Everything is forgotten, and the next number is 0.
  void Restart() {
    Items().swap(items_);  // an assigned string keeps its memory
    *this = Retained();
  }
  // Items that there is memory for.
  size_t capacity() const { return items_.capacity(); }

 private:
  static constexpr uint64_t kNobody = std::numeric_limits<uint64_t>::max();

  void Remove(size_t count) {
    dropped_ += count;
    if (size() == 0) {
      Items().swap(items_);  // an assigned string keeps its memory
      dropped_ = 0;
    } else if (dropped_ >= size()) {  // so that, on average, each item is moved once
      items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(dropped_));
      dropped_ = 0;
      if (items_.capacity() > 4 * items_.size()) items_.shrink_to_fit();
    }
  }

  Items items_;
  size_t dropped_ = 0;  // of the front of items_: no longer kept
  size_t payload_ = 0;
  uint64_t given_ = 0;
  uint64_t end_ = 0;
  uint64_t from_ = kNobody;
};

using RetainedBytes = Retained<std::string>;
using RetainedDatagrams = Retained<std::vector<IncomingDatagram>>;
using RetainedConnections = Retained<std::vector<IncomingConnection>>;

}  // namespace socketeer::net
