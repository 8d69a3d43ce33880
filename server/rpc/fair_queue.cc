#include "server/rpc/fair_queue.h"

#include <algorithm>
#include <utility>

namespace socketeer::rpc {

void FairQueue::Push(const std::string& source, base::Fd connection) {
  const auto [of, fresh] = waiting_.try_emplace(source);
  if (fresh) turns_.push_back(source);
  of->second.push_back(std::move(connection));
  if (++size_ <= most_) return;
  const auto has_most = std::ranges::max_element(waiting_, {}, [](const auto& each) { return each.second.size(); });
  if (has_most->second.size() > 1) return Take(has_most).reset();
  Pop().reset();  // of each source is one
}

base::Fd FairQueue::Pop() {
  const std::string source = std::move(turns_.front());
  turns_.pop_front();
  const auto of = waiting_.find(source);
  if (of->second.size() > 1) turns_.push_back(source);
  base::Fd taken = Take(of);
  if (of->second.empty()) waiting_.erase(of);
  return taken;
}

base::Fd FairQueue::Take(Waiting::iterator of) {
  std::vector<base::Fd>& all = of->second;
  std::swap(all[below_(all.size())], all.back());
  base::Fd taken = std::move(all.back());
  all.pop_back();
  --size_;
  return taken;
}

}  // namespace socketeer::rpc
