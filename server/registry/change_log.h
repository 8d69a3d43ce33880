// The last changes of sockets, by revision. Not thread-safe: the registry's, under its mutex.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "server/registry/record.h"

namespace socketeer::registry {

// The numbers are socketeer.v1.ChangeKind's.
enum class ChangeKind { kSnapshot = 1, kOpened = 2, kUpdated = 3, kClosed = 4, kShared = 5, kUnshared = 6 };

struct Change {
  uint64_t revision = 0;
  ChangeKind kind = ChangeKind::kSnapshot;
  RecordPtr record;
  ContentPtr content;  // after the change
  // Of a change of a grant, which only he and the owner are told: whose. Null: of any other.
  std::shared_ptr<const std::string> grantee = nullptr;
};

class ChangeLog {
 public:
  // Remembers `capacity` changes; the first one gets `first`.
  ChangeLog(uint64_t first, size_t capacity) : next_(first), capacity_(capacity) {}

  void Append(ChangeKind kind, RecordPtr record, ContentPtr content,
              std::shared_ptr<const std::string> grantee = nullptr) {
    changes_.push_back({next_++, kind, std::move(record), std::move(content), std::move(grantee)});
    if (changes_.size() > capacity_) changes_.pop_front();
  }
  // The revision of the last change ever.
  uint64_t last() const { return next_ - 1; }
  // Reading may begin behind this revision, or a later one.
  uint64_t lowest() const { return last() - changes_.size(); }
  // Precondition: lowest() <= after < last().
  const Change& Behind(uint64_t after) const { return changes_[after - lowest()]; }

 private:
  uint64_t next_;
  const size_t capacity_;
  std::deque<Change> changes_;
};

}  // namespace socketeer::registry
