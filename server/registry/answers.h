// What the calls of a session answered, by request_id: so that a call whose answer was lost can be repeated.
//
// Thread-safe. Callbacks run outside the mutex.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>

namespace socketeer::registry {

// A call's end, in the wire's terms, which nobody here looks into.
struct Answer {
  int code = 0;
  std::string message;
  std::string details;
  std::string response;
};

class Answers {
 public:
  // Remembers `max_answers`, and no more bytes of them than `max_bytes`: then the oldest goes first.
  Answers(size_t max_answers, size_t max_bytes) : max_answers_(max_answers), max_bytes_(max_bytes) {}

  enum class Claim {
    kRun,       // it is the first: it must Settle() or Forget()
    kAnswered,  // `answer` is the first one's
    kJoined,    // the first one runs: `joined` will be called, unless `who` leaves
    kReused,    // the id stands for another request
  };
  // With the first one's answer; null: it ended without one, claim again.
  using Joined = std::function<void(const Answer*)>;
  Claim TryClaim(const std::string& request_id, uint64_t fingerprint, Answer* answer, uint64_t who, Joined joined);
  // It does not wait (any more).
  void Leave(const std::string& request_id, uint64_t who);
  void Settle(const std::string& request_id, Answer answer);
  void Forget(const std::string& request_id);
  // The session has ended: nothing is remembered any more.
  void Close();

 private:
  struct Entry {
    uint64_t fingerprint = 0;
    bool running = true;
    std::map<uint64_t, Joined> joined;
    Answer answer;
  };
  static size_t SizeOf(const std::string& request_id, const Entry& entry);
  void Evict();

  std::mutex mutex_;  // guards all below
  size_t max_answers_;
  const size_t max_bytes_;
  std::map<std::string, Entry> entries_;
  std::deque<std::string> settled_;  // the oldest first
  size_t bytes_ = 0;                 // of the settled
};

}  // namespace socketeer::registry
