// Connections that wait for their handshake, served by turns among those who made them: whoever opens many waits behind
// his own.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "server/base/fd.h"

namespace socketeer::rpc {

class FairQueue {
 public:
  // When more than `most` wait, one of the source that has most of them is closed; any, see ChooseVictim(). `below`
  // gives a random number below its argument.
  FairQueue(size_t most, std::function<size_t(size_t)> below) : most_(most), below_(std::move(below)) {}

  void Push(const std::string& source, base::Fd connection);
  // Of the source whose turn it is, any. Precondition: not empty().
  base::Fd Pop();
  bool empty() const { return size_ == 0; }

 private:
  using Waiting = std::unordered_map<std::string, std::vector<base::Fd>>;

  base::Fd Take(Waiting::iterator of);

  const size_t most_;
  const std::function<size_t(size_t)> below_;
  Waiting waiting_;                // none is empty
  std::deque<std::string> turns_;  // its keys
  size_t size_ = 0;
};

}  // namespace socketeer::rpc
