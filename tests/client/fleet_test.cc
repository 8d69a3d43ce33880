// Many hosts at once. Where a function does not ask its host, there need not be a daemon: Host::Connect makes no call.
#include "socketeer/fleet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "socketeer/error.h"
#include "tests/support/temp_dir.h"

namespace socketeer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<HostEntry> Entries(int count, const std::string& address = "unix:/nowhere/d.sock") {
  std::vector<HostEntry> entries;
  for (int i = 0; i < count; ++i) entries.push_back({.name = "h" + std::to_string(i), .address = address});
  return entries;
}

// Lets those who arrive wait until so many have.
class Gate {
 public:
  explicit Gate(int expected) : expected_(expected) {}
  void Arrive() {
    std::unique_lock<std::mutex> lock(mutex_);
    ++arrived_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return arrived_ >= expected_; });
  }

 private:
  const int expected_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int arrived_ = 0;
};

// A UNIX socket that takes connections and never says anything.
class SilentListener {
 public:
  explicit SilentListener(const std::string& path) : fd_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    EXPECT_EQ(listen(fd_, 64), 0);
  }
  ~SilentListener() { close(fd_); }

 private:
  const int fd_;
};

TEST(Fleet, AnswersAreInTheOrderOfTheHosts) {
  const Fleet fleet(Entries(20));
  const std::vector<absl::StatusOr<std::string>> answers =
      fleet.ForEach([](const HostEntry& entry, const Host& host, const CallOptions&) -> absl::StatusOr<std::string> {
        if (entry.name == "h7") return absl::AbortedError("seven");
        return entry.name + " at " + host.endpoint();
      });
  ASSERT_EQ(answers.size(), 20u);
  EXPECT_EQ(*answers[0], "h0 at unix:/nowhere/d.sock");
  EXPECT_EQ(*answers[19], "h19 at unix:/nowhere/d.sock");
  EXPECT_EQ(answers[7].status(), absl::AbortedError("seven"));
  EXPECT_EQ(fleet.hosts()[7].name, "h7");
}

TEST(Fleet, NoHostIsNoWork) {
  const Fleet fleet({});
  EXPECT_TRUE(
      fleet.ForEach([](const HostEntry&, const Host&, const CallOptions&) { return absl::OkStatus(); }).empty());
}

TEST(Fleet, AnAnswerMayBeMovedOnly) {
  const Fleet fleet(Entries(2));
  const auto answers = fleet.ForEach([](const HostEntry& entry, const Host&, const CallOptions&) {
    return absl::StatusOr<std::unique_ptr<std::string>>(std::make_unique<std::string>(entry.name));
  });
  EXPECT_EQ(**answers[1], "h1");
}

TEST(Fleet, HostsAreAskedAtOnce) {
  const Fleet fleet(Entries(64));
  Gate gate(64);
  const auto answers = fleet.ForEach([&](const HostEntry&, const Host&, const CallOptions&) {
    gate.Arrive();
    return absl::OkStatus();
  });
  EXPECT_THAT(answers, ::testing::Each(absl::OkStatus()));
}

TEST(Fleet, NeverMoreHostsAtOnceThanWasSaid) {
  const Fleet fleet(Entries(300), {.hosts_at_once = 3});
  Gate gate(3);
  std::atomic<int> under_way{0};
  std::atomic<int> most{0};
  std::mutex mutex;
  std::set<std::thread::id> threads;
  fleet.ForEach([&](const HostEntry& entry, const Host&, const CallOptions&) {
    const int now = ++under_way;
    for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) continue;
    if (entry.name.size() == 2 && entry.name < "h3") gate.Arrive();
    {
      const std::lock_guard<std::mutex> lock(mutex);
      threads.insert(std::this_thread::get_id());
    }
    --under_way;
    return absl::OkStatus();
  });
  EXPECT_EQ(most, 3);
  EXPECT_EQ(threads.size(), 3u);
}

TEST(Fleet, CredentialsThatCannotBeReadAreTheirHostsMatter) {
  std::vector<HostEntry> entries = Entries(3);
  entries[1].credentials.token_file = "/nowhere/token";
  const Fleet fleet(entries);
  std::atomic<int> asked{0};
  const auto answers = fleet.ForEach([&](const HostEntry&, const Host&, const CallOptions&) {
    ++asked;
    return absl::OkStatus();
  });
  EXPECT_EQ(asked, 2);
  EXPECT_THAT(answers,
              ElementsAre(absl::OkStatus(), absl::InvalidArgumentError("/nowhere/token: No such file or directory"),
                          absl::OkStatus()));
}

TEST(Fleet, ConnectionsStayOrNot) {
  for (const bool keep : {true, false}) {
    std::atomic<int> made{0};
    const Fleet fleet(Entries(5),
                      [&made](const HostEntry& entry) {
                        ++made;
                        return Host::Connect(entry.address);
                      },
                      {.keep_connections = keep});
    EXPECT_EQ(made, 0) << "before it is needed";
    for (int i = 0; i < 2; ++i) {
      fleet.ForEach([](const HostEntry&, const Host&, const CallOptions&) { return absl::OkStatus(); });
    }
    EXPECT_EQ(made, keep ? 5 : 10);
  }
}

TEST(Fleet, WhatFailedIsMadeAnewTheNextTime) {
  std::atomic<int> made{0};
  const Fleet fleet(Entries(1), [&made](const HostEntry& entry) -> absl::StatusOr<Host> {
    if (++made == 1) return absl::InvalidArgumentError("not yet");
    return Host::Connect(entry.address);
  });
  const auto ask = [](const HostEntry&, const Host&, const CallOptions&) { return absl::OkStatus(); };
  EXPECT_EQ(fleet.ForEach(ask)[0], absl::InvalidArgumentError("not yet"));
  EXPECT_EQ(fleet.ForEach(ask)[0], absl::OkStatus());
}

TEST(Fleet, CancellingEndsWhatIsUnderWayAndBeginsNothingMore) {
  const testing::TempDir directory;
  const SilentListener silent(directory.path() + "/s.sock");
  // Nothing but the cancellation ends a call within an hour.
  const HostOptions patient{.answer_time = absl::Hours(1), .connect_time = absl::Hours(1)};
  const Fleet fleet(Entries(10, "unix:" + directory.path() + "/s.sock"), {.host = patient, .hosts_at_once = 2});
  Cancellation cancellation;
  std::atomic<int> asked{0};
  Gate both(3);
  std::thread canceller([&] {
    both.Arrive();
    EXPECT_TRUE(cancellation.Cancel());
  });
  const auto answers = fleet.ForEach(
      [&](const HostEntry&, const Host& host, const CallOptions& calls) {
        ++asked;
        both.Arrive();
        return host.GetHost(calls).status();
      },
      {.cancellation = &cancellation});
  canceller.join();
  EXPECT_EQ(asked, 2);
  for (const absl::Status& answer : answers) EXPECT_EQ(Classify(answer), ErrorKind::kCancelled) << answer;
}

TEST(Fleet, CancellingBetweenCallsMeetsSomethingUnderWay) {
  const Fleet fleet(Entries(2), {.hosts_at_once = 1});
  Cancellation cancellation;
  const auto answers = fleet.ForEach(
      [&](const HostEntry&, const Host&, const CallOptions& calls) {
        EXPECT_TRUE(calls.cancellation->Cancel());
        return absl::OkStatus();
      },
      {.cancellation = &cancellation});
  EXPECT_THAT(answers, ElementsAre(absl::OkStatus(), absl::CancelledError("cancelled")));
}

TEST(Fleet, ASilentHostTakesItsTimeAndNoMore) {
  const testing::TempDir directory;
  const SilentListener silent(directory.path() + "/s.sock");
  const HostOptions patient{.answer_time = absl::Hours(1), .connect_time = absl::Hours(1)};
  const Fleet fleet(Entries(4, "unix:" + directory.path() + "/s.sock"),
                    {.host = patient, .time_per_host = absl::Milliseconds(50)});
  for (const absl::Status& answer : fleet.ForEach(
           [](const HostEntry&, const Host&host, const CallOptions&calls) { return host.GetHost(calls).status(); })) {
    EXPECT_EQ(Classify(answer), ErrorKind::kUnreachable);
    EXPECT_THAT(std::string(answer.message()), HasSubstr("/s.sock does not answer"));
  }
}

TEST(Fleet, TheCallersDeadlineCountsIfItIsBefore) {
  const absl::Time deadline = absl::FromUnixSeconds(2'000'000'000);
  const Fleet fleet(Entries(1));
  fleet.ForEach(
      [&](const HostEntry&, const Host&, const CallOptions& calls) {
        EXPECT_EQ(calls.deadline, deadline);
        EXPECT_EQ(calls.timeout, absl::Seconds(3));
        return absl::OkStatus();
      },
      {.timeout = absl::Seconds(3), .deadline = deadline});
}

}  // namespace
}  // namespace socketeer
