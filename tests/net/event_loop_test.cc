#include "server/net/event_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <functional>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "server/base/fd.h"
#include "tests/support/manual_clock.h"

namespace socketeer::net {
namespace {

using ::testing::ElementsAre;
using namespace std::chrono_literals;

// A loop on a thread of its own, with a clock that stands still.
class EventLoopTest : public ::testing::Test {
 protected:
  EventLoopTest() : loop_(*EventLoop::Create(KernelSyscalls(), clock_)), thread_([this] { loop_->Run(); }) {}
  ~EventLoopTest() override { Stop(); }

  void Stop() {
    if (!thread_.joinable()) return;
    loop_->Stop();
    thread_.join();
  }
  // Runs `f` on the loop, and waits for it.
  void Run(std::function<void()> f) {
    auto done = std::make_shared<std::promise<void>>();
    auto future = done->get_future();
    loop_->Post([f = std::move(f), done] {
      f();
      done->set_value();
    });
    future.get();
  }
  // Timers run before tasks: when this returns, those that are due have run.
  void Advance(std::chrono::nanoseconds by) {
    clock_.Advance(by);
    Run([] {});
  }
  Task Note(std::string what) {
    return [this, what = std::move(what)] { notes_.push_back(what); };
  }

  ::socketeer::testing::ManualClock clock_;
  std::unique_ptr<EventLoop> loop_;
  std::thread thread_;
  std::vector<std::string> notes_;  // of the loop's thread while it runs
};

TEST_F(EventLoopTest, RunsTasksInTheirOrder) {
  for (const char* name : {"a", "b", "c"}) loop_->Post(Note(name));
  Stop();
  EXPECT_THAT(notes_, ElementsAre("a", "b", "c"));
}

TEST_F(EventLoopTest, RunsATaskOfATaskInTheNextRound) {
  Run([this] {
    loop_->Post([this] {
      loop_->Post(Note("posted by a task"));
      Note("task")();
    });
    loop_->Post(Note("posted before"));
  });
  Stop();
  EXPECT_THAT(notes_, ElementsAre("task", "posted before", "posted by a task"));
}

TEST_F(EventLoopTest, RunsWhatWasPostedBeforeStopAndWhatThatPosts) {
  Run([this] {
    loop_->Post([this] { loop_->Post([this] { loop_->Post(Note("last")); }); });
    loop_->Stop();
  });
  Stop();
  EXPECT_THAT(notes_, ElementsAre("last"));
}

TEST_F(EventLoopTest, RunsTimersByTimeThenByOrder) {
  Run([this] {
    loop_->RunAt(loop_->Now() + 2s, Note("2 s"));
    loop_->RunAt(loop_->Now() + 1s, Note("1 s"));
    loop_->RunAt(loop_->Now() + 1s, Note("1 s, second"));
  });
  Advance(999'999'999ns);
  EXPECT_THAT(notes_, ElementsAre());
  Advance(1ns);
  EXPECT_THAT(notes_, ElementsAre("1 s", "1 s, second"));
  Advance(5s);
  EXPECT_THAT(notes_, ElementsAre("1 s", "1 s, second", "2 s"));
}

TEST_F(EventLoopTest, DoesNotRunACancelledTimer) {
  Run([this] {
    const TimerId second = loop_->RunAt(loop_->Now() + 1s, Note("cancelled outside"));
    loop_->CancelTimer(second);
    auto third = std::make_shared<TimerId>();
    loop_->RunAt(loop_->Now() + 1s, [this, third] { loop_->CancelTimer(*third); });
    *third = loop_->RunAt(loop_->Now() + 1s, Note("cancelled by a timer of the same moment"));
    loop_->RunAt(loop_->Now() + 1s, Note("kept"));
  });
  Advance(1s);
  EXPECT_THAT(notes_, ElementsAre("kept"));
  Run([this] { loop_->CancelTimer(1); });  // it is gone: no effect
}

TEST_F(EventLoopTest, RunsATimerThatIsDueAtOnce) {
  auto ran = std::make_shared<std::promise<void>>();
  Run([&] { loop_->RunAt(loop_->Now(), [ran] { ran->set_value(); }); });
  ran->get_future().get();  // without the clock having moved
}

TEST_F(EventLoopTest, ATimerMaySetAnother) {
  Run([this] { loop_->RunAt(loop_->Now() + 1s, [this] { loop_->RunAt(loop_->Now(), Note("second")); }); });
  Advance(1s);
  EXPECT_THAT(notes_, ElementsAre("second"));
}

// The read end of a pipe with a byte in it, and who watches it.
struct Watched : EventHandler {
  explicit Watched(std::function<void()> what) : on_event(std::move(what)) {
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    read_end.reset(ends[0]);
    write_end.reset(ends[1]);
  }
  void Write() { EXPECT_EQ(write(write_end.get(), "x", 1), 1); }
  void OnEvents(uint32_t events) override {
    EXPECT_NE(events & EPOLLIN, 0u);
    on_event();
  }
  base::Fd read_end, write_end;
  std::function<void()> on_event;
  WatchId id = 0;
};

class EventLoopInStead : public EventLoopTest {
 protected:
  // `task`, and a first one before it, until it ran before this returned: soon the loop sleeps.
  void RunInStead(std::function<void()> task) {
    for (bool ran = false; !ran;) {
      auto on = std::make_shared<std::promise<std::thread::id>>();
      loop_->RunOrPost([on] { on->set_value(std::this_thread::get_id()); });
      if (on->get_future().get() != std::this_thread::get_id()) continue;
      loop_->RunOrPost([&] {
        ran = true;
        task();
      });
      EXPECT_TRUE(ran) << "nobody has woken it";
    }
  }
};

TEST_F(EventLoopInStead, WhatWasPostedBeforeRunsBefore) {
  std::promise<void> posted;
  loop_->Post([this, go = posted.get_future().share()] {
    go.wait();
    Note("running")();
  });
  loop_->Post(Note("posted"));
  loop_->RunOrPost(Note("last"));  // the loop is awake
  EXPECT_THAT(notes_, ElementsAre());
  posted.set_value();
  Stop();
  EXPECT_THAT(notes_, ElementsAre("running", "posted", "last"));
}

TEST_F(EventLoopInStead, ATimerWakesTheLoop) {
  auto ran = std::make_shared<std::promise<std::thread::id>>();
  RunInStead([&] { loop_->RunAt(loop_->Now(), [ran] { ran->set_value(std::this_thread::get_id()); }); });
  EXPECT_EQ(ran->get_future().get(), thread_.get_id());
}

TEST_F(EventLoopInStead, AnEventIsTheLoops) {
  auto told = std::make_shared<std::promise<std::thread::id>>();
  Watched watched([&] { told->set_value(std::this_thread::get_id()); });
  RunInStead([&] { watched.id = *loop_->Watch(watched.read_end.get(), EPOLLIN, &watched); });
  watched.Write();
  EXPECT_EQ(told->get_future().get(), thread_.get_id());
  Run([&] { loop_->Unwatch(watched.id, watched.read_end.get()); });
}

TEST_F(EventLoopInStead, ATaskOfItIsPosted) {
  auto inner = std::make_shared<std::promise<std::thread::id>>();
  RunInStead([&] {
    loop_->RunOrPost([this, inner] {
      Note("inner")();
      inner->set_value(std::this_thread::get_id());
    });
    Note("outer")();
  });
  EXPECT_EQ(inner->get_future().get(), thread_.get_id());
  Stop();
  EXPECT_THAT(notes_, ElementsAre("outer", "inner"));
}

TEST_F(EventLoopInStead, ThereIsOneTurn) {
  // All tasks, in whatever way they come, change what no lock guards.
  constexpr int kEach = 20'000;
  int count = 0;
  const auto one = [&] { ++count; };
  std::thread others[2];
  for (std::thread& other : others) {
    other = std::thread([&] {
      for (int i = 0; i < kEach; ++i) {
        loop_->RunOrPost([&] {
          one();
          if (count % 8 == 0) loop_->RunAt(loop_->Now(), one);
        });
        if (i % 16 == 0) loop_->Post(one);
      }
    });
  }
  for (std::thread& other : others) other.join();
  Stop();  // with timers that have not run
  EXPECT_GT(count, 2 * kEach + 2 * kEach / 16);
}

TEST_F(EventLoopTest, TellsOfEventsEdgeTriggered) {
  auto told = std::make_shared<std::promise<void>>();
  int count = 0;
  Watched watched([&] {
    ++count;
    told->set_value();
  });
  Run([&] { watched.id = *loop_->Watch(watched.read_end.get(), EPOLLIN, &watched); });
  watched.Write();
  told->get_future().get();
  Run([] {});
  Run([] {});  // rounds in which the byte is still there
  EXPECT_EQ(count, 1);
  auto again = std::make_shared<std::promise<void>>();
  Run([&] {
    told = again;
    watched.Write();
  });
  again->get_future().get();
  Run([&] { loop_->Unwatch(watched.id, watched.read_end.get()); });
  EXPECT_EQ(count, 2);
}

TEST_F(EventLoopTest, AnEventForARemovedWatchMeetsNobody) {
  // Both are ready in one round; whoever comes first removes the other, in the middle of that round.
  int events = 0;
  auto told = std::make_shared<std::promise<void>>();
  Watched* pair[2];
  const auto on_event = [&](int other) {
    ++events;
    loop_->Unwatch(pair[other]->id, pair[other]->read_end.get());
    if (events == 1) told->set_value();
  };
  Watched first([&] { on_event(1); });
  Watched second([&] { on_event(0); });
  pair[0] = &first;
  pair[1] = &second;
  Run([&] {
    for (Watched* each : pair) each->id = *loop_->Watch(each->read_end.get(), EPOLLIN, each);
    for (Watched* each : pair) each->Write();
  });
  told->get_future().get();
  Run([] {});
  Run([&] {
    for (Watched* each : pair) loop_->Unwatch(each->id, each->read_end.get());  // for one of them the second time
  });
  EXPECT_EQ(events, 1);
}

TEST_F(EventLoopTest, AWatchIsNeverUsedAgain) {
  Watched watched([] {});
  Run([&] {
    const WatchId first = *loop_->Watch(watched.read_end.get(), EPOLLIN, &watched);
    loop_->Unwatch(first, watched.read_end.get());
    const WatchId second = *loop_->Watch(watched.read_end.get(), EPOLLIN, &watched);
    EXPECT_NE(first, second);
    loop_->Unwatch(first, watched.read_end.get());  // not the present one
    EXPECT_FALSE(loop_->Watch(watched.read_end.get(), EPOLLIN, &watched).ok()) << "it is still watched";
    loop_->Unwatch(second, watched.read_end.get());
  });
}

TEST_F(EventLoopTest, CountsHowLateItRunsWhatIsDueOrPosted) {
  base::Durations::Reading before, after;
  const base::MonotonicTime when = clock_.Now() + 1s;
  Run([&] {
    loop_->RunAt(when, Note("timer"));
    clock_.Advance(3s);  // it is busy for so long
    loop_->Post(Note("task"));
    clock_.Advance(5s);
    loop_->counters().lag.ReadInto(&before);
  });
  Run([] {});
  Stop();
  loop_->counters().lag.ReadInto(&after);
  EXPECT_THAT(notes_, ElementsAre("timer", "task"));
  EXPECT_EQ(after.sum - before.sum, 7s + 5s) << "the timer's, and the task's";
}

}  // namespace
}  // namespace socketeer::net
