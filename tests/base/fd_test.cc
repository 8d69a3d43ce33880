#include "server/base/fd.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <type_traits>
#include <utility>

namespace socketeer::base {
namespace {

bool IsOpen(int fd) { return fcntl(fd, F_GETFD) != -1; }

int OpenSomething() { return open("/dev/null", O_RDONLY | O_CLOEXEC); }

static_assert(!std::is_copy_constructible_v<Fd> && !std::is_copy_assignable_v<Fd>);
static_assert(std::is_nothrow_move_constructible_v<Fd> && std::is_nothrow_move_assignable_v<Fd>);

TEST(Fd, IsNoneByDefault) {
  Fd fd;
  EXPECT_EQ(fd.get(), -1);
  EXPECT_FALSE(fd);
}

TEST(Fd, ClosesAtItsEnd) {
  const int number = OpenSomething();
  {
    Fd fd(number);
    EXPECT_TRUE(fd);
    EXPECT_EQ(fd.get(), number);
    EXPECT_TRUE(IsOpen(number));
  }
  EXPECT_FALSE(IsOpen(number));
}

TEST(Fd, DescriptorZeroIsOne) {
  const int saved = fcntl(0, F_DUPFD_CLOEXEC, 3);
  ASSERT_EQ(dup2(OpenSomething(), 0), 0);
  { EXPECT_TRUE(Fd(0)); }
  EXPECT_FALSE(IsOpen(0));
  if (saved >= 0) {
    dup2(saved, 0);
    close(saved);
  }
}

TEST(Fd, ReleaseGivesItAwayOpen) {
  Fd fd(OpenSomething());
  const int number = fd.release();
  EXPECT_EQ(fd.get(), -1);
  EXPECT_TRUE(IsOpen(number));
  close(number);
}

TEST(Fd, ResetClosesTheOldOne) {
  const int first = OpenSomething();
  const int second = OpenSomething();
  Fd fd(first);
  fd.reset(second);
  EXPECT_FALSE(IsOpen(first));
  EXPECT_EQ(fd.get(), second);
  fd.reset();
  EXPECT_FALSE(IsOpen(second));
  EXPECT_FALSE(fd);
}

TEST(Fd, MovingMovesTheDuty) {
  const int number = OpenSomething();
  Fd from(number);
  Fd to(std::move(from));
  EXPECT_EQ(from.get(), -1);  // NOLINT: moved-from is none
  EXPECT_EQ(to.get(), number);

  const int other = OpenSomething();
  Fd target(other);
  target = std::move(to);
  EXPECT_FALSE(IsOpen(other));
  EXPECT_EQ(target.get(), number);
  EXPECT_TRUE(IsOpen(number));
}

TEST(Fd, SurvivesAMoveToItself) {
  Fd fd(OpenSomething());
  Fd& same = fd;
  fd = std::move(same);
  EXPECT_TRUE(IsOpen(fd.get()));
}

}  // namespace
}  // namespace socketeer::base
