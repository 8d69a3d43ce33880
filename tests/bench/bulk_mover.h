// One connection through which bytes are moved, in one direction, as fast as they go (bulk.cc).
#pragma once

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <future>
#include <memory>
#include <string>

namespace socketeer::bench {

// Of what is attached: unacknowledged bytes, either way.
inline constexpr uint64_t kWindowBytes = 256 << 10;
inline constexpr size_t kMaxPieceBytes = 1 << 20;

// What is sent, over and over.
inline const std::array<char, kMaxPieceBytes> kZeros{};

[[noreturn]] inline void Fail(const std::string& what) {
  std::fprintf(stderr, "bulk: %s\n", what.c_str());
  std::exit(1);
}

struct Load {
  bool up = true;      // from here to the far end; else from there to here
  size_t frame = 0;    // bytes that are given to the transport at once; at most kMaxPieceBytes
  uint64_t bytes = 0;  // through this connection
};

// Connected when the constructor returns. One Start() and one Wait().
class Mover {
 public:
  virtual ~Mover() = default;
  // Bytes begin to move.
  virtual void Start() = 0;
  // Returns when all bytes have arrived, here or at the far end, which says so.
  void Wait() { finished_.get_future().wait(); }

 protected:
  // The last thing that the mover does on a thread of its own.
  void Finished() { finished_.set_value(); }

 private:
  std::promise<void> finished_;
};

// Makes one that goes through what is measured.
using MakeMover = std::function<std::unique_ptr<Mover>(const Load&)>;

}  // namespace socketeer::bench
