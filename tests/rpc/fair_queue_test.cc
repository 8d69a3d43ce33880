#include "server/rpc/fair_queue.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <map>

namespace socketeer::rpc {
namespace {

class FairQueueTest : public ::testing::Test {
 protected:
  void Push(const std::string& source) {
    base::Fd made(open("/dev/null", O_RDONLY | O_CLOEXEC));
    of_[made.get()] = source;
    queue_.Push(source, std::move(made));
  }
  std::string Pop() {
    popped_.push_back(queue_.Pop());
    return of_[popped_.back().get()];
  }
  std::string PopAll() {
    std::string all;
    while (!queue_.empty()) all += Pop();
    return all;
  }

  FairQueue queue_{6, [](size_t) { return 0; }};
  std::map<int, std::string> of_;
  std::vector<base::Fd> popped_;  // open, so that no number comes again
};

TEST_F(FairQueueTest, ServesByTurns) {
  for (const char* source : {"a", "a", "a", "b", "c", "b"}) Push(source);
  EXPECT_EQ(PopAll(), "abcaba");
}

TEST_F(FairQueueTest, LetsANewSourceInBeforeTheOthersRest) {
  for (int i = 0; i < 5; ++i) Push("a");
  EXPECT_EQ(Pop(), "a");
  Push("b");
  EXPECT_EQ(PopAll(), "abaaa");
}

TEST_F(FairQueueTest, DropsOfWhoHasMost) {
  Push("b");
  for (int i = 0; i < 20; ++i) Push("a");
  Push("c");
  EXPECT_EQ(PopAll(), "bacaaa");
}

TEST_F(FairQueueTest, DropsTheFirstWhenEachHasOne) {
  for (const char* source : {"a", "b", "c", "d", "e", "f", "g"}) Push(source);
  EXPECT_EQ(PopAll(), "bcdefg");
}

TEST_F(FairQueueTest, TakesAnyOfASource) {
  FairQueue queue(6, [](size_t count) { return count - 1; });
  for (int i = 0; i < 3; ++i) queue.Push("a", base::Fd(open("/dev/null", O_RDONLY | O_CLOEXEC)));
  const base::Fd last = queue.Pop(), middle = queue.Pop(), first = queue.Pop();
  EXPECT_GT(last.get(), middle.get());
  EXPECT_GT(middle.get(), first.get());
  EXPECT_TRUE(queue.empty());
}

}  // namespace
}  // namespace socketeer::rpc
