// The proof of offsets: calls are cancelled, run out of time, and lose their channels in the middle of an answer; those
// who name their offset and ask again lose nothing and get nothing twice.
#include <netinet/in.h>

#include <atomic>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <thread>

#include "server/base/fd.h"
#include "tests/support/cutting_proxy.h"
#include "tests/support/sha256.h"
#include "tests/support/test_server.h"

namespace socketeer {
namespace {

using testing::AsyncStub;
using testing::Caller;
using testing::Ok;
using testing::Reply;
using testing::Stub;

// The byte at `offset` of every stream here.
char ByteAt(uint64_t offset) { return static_cast<char>((offset * 2'654'435'761u) >> 13 ^ offset >> 21); }
std::string BytesAt(uint64_t offset, size_t count) {
  std::string bytes(count, ' ');
  for (size_t i = 0; i < count; ++i) bytes[i] = ByteAt(offset + i);
  return bytes;
}

class OffsetChaos : public ::testing::Test {
 protected:
  explicit OffsetChaos(uint64_t budget = 64 << 10) : budget_(budget) {
    std::printf("seed %u\n", kSeed);
    // Looks while a call is under way.
    sampler_ = std::thread([this] {
      for (int turn = 0; turn >= 0; ++samples_) {
        most_retained_ = std::max(most_retained_, server_->GetHost()->usage().retained_bytes());
        turns_.wait(turn);
        turn = turns_.load();
      }
    });
  }
  ~OffsetChaos() override {
    turns_.store(-1);
    turns_.notify_all();
    sampler_.join();
    EXPECT_LE(most_retained_, budget_);
    server_.CloseAll();
    EXPECT_EQ(server_->GetHost()->usage().retained_bytes(), 0u);
    std::printf("%d calls, %d lost, %d replayed; retained at most %lu of %lu bytes in %d samples\n", calls_, lost_,
                replayed_, static_cast<unsigned long>(most_retained_), static_cast<unsigned long>(budget_), samples_);
  }

  // The sampler takes one more look, beside what follows.
  void Sample() {
    turns_.fetch_add(1);
    turns_.notify_all();
  }
  uint32_t Random(uint32_t from, uint32_t to) { return std::uniform_int_distribution<uint32_t>(from, to)(random_); }

  // A call that may go wrong in one of three ways. What went wrong is the only error that there may be.
  template <typename Request, typename Response>
  Reply<Response> Try(void (AsyncStub::*method)(grpc::ClientContext*, const Request*, Response*,
                                                std::function<void(grpc::Status)>),
                      const Request& request) {
    enum { kDeadline, kCut, kCancel, kNothing } trouble = kNothing;
    const uint32_t dice = Random(0, 99);
    if (dice < 30) trouble = dice < 6 ? kDeadline : dice < 14 ? kCut : kCancel;
    if (trouble == kCut) proxy_.CutAfter(Random(0, 300));
    if (dice % 4 == 0) Sample();
    const auto deadline = std::chrono::milliseconds(trouble == kDeadline ? Random(1, 2) : 0);
    const auto call = caller_->Start(method, request, deadline);
    if (trouble == kCancel) {
      for (uint32_t i = Random(0, 60); i > 0; --i) std::this_thread::yield();
      call.Cancel();
    }
    auto reply = call.Wait();
    if (trouble == kCut) {
      proxy_.CutAfter(-1);
      caller_ = NewCaller();
    }
    ++calls_;
    if (reply.ok()) return reply;
    ++lost_;
    const grpc::StatusCode expected = trouble == kDeadline ? grpc::StatusCode::DEADLINE_EXCEEDED
                                      : trouble == kCut    ? grpc::StatusCode::UNAVAILABLE
                                      : trouble == kCancel ? grpc::StatusCode::CANCELLED
                                                           : grpc::StatusCode::OK;
    EXPECT_EQ(reply.status.error_code(), expected) << reply;
    return reply;
  }

  // So many calls were made, and gave things a second time as often as it takes to be a proof. A busy machine loses
  // fewer answers: then it takes more calls, within reason.
  bool Enough(int calls) const { return calls_ >= calls && (replayed_ >= 100 || calls_ >= 5 * calls); }

  std::unique_ptr<Caller> NewCaller() { return std::make_unique<Caller>("unix:" + server_.dir().File("proxy")); }

  // "sockets/s" at the daemon, connected to what is returned.
  base::Fd Connect() {
    const base::Fd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int small = 16'384;  // accepted sockets have it too: what is on the way when the test ends is little
    EXPECT_EQ(::setsockopt(listener.get(), SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
    EXPECT_EQ(::listen(listener.get(), 1), 0);
    sockaddr_in address{};
    socklen_t size = sizeof(address);
    EXPECT_EQ(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    EXPECT_TRUE(Ok(server_->Ask(
        &Stub::OpenSocket,
        "socket_id: 's' type: SOCKET_TYPE_STREAM options { rcvbuf: 16384 } connect { inet { ip: '127.0.0.1' port: " +
            std::to_string(ntohs(address.sin_port)) + " } }")));
    return base::Fd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  }

  static constexpr uint32_t kSeed = 20'260'722;
  const uint64_t budget_;
  std::mt19937 random_{kSeed};
  testing::TestServer server_{
      {.loops = 2, .limits = [this](base::Limits& limits) { limits.max_retained_bytes = budget_; }}};
  testing::CuttingProxy proxy_{server_.dir().File("proxy"), server_.dir().File("daemon")};
  std::unique_ptr<Caller> caller_ = NewCaller();
  int calls_ = 0, lost_ = 0, replayed_ = 0;
  std::atomic<int> turns_{0};  // -1: enough
  std::thread sampler_;
  uint64_t most_retained_ = 0;  // of the sampler, until it is joined
  int samples_ = 0;
};

// The peer of "sockets/s" sends a stream without end, until it is told to end it.
class Source {
 public:
  explicit Source(base::Fd fd) : fd_(std::move(fd)), thread_([this] { Run(); }) {}
  ~Source() {
    if (thread_.joinable()) thread_.join();
  }
  void End() { end_.store(true); }
  // When the stream has been received to its end.
  std::string Sha() {
    thread_.join();
    return sha_.Finish();
  }

 private:
  void Run() {
    for (uint64_t offset = 0; !end_.load();) {
      const std::string bytes = BytesAt(offset, 4'096);
      const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      sha_.Add(std::string_view(bytes).substr(0, static_cast<size_t>(sent)));
      offset += static_cast<uint64_t>(sent);
    }
    ::shutdown(fd_.get(), SHUT_WR);
  }
  const base::Fd fd_;
  std::atomic<bool> end_{false};
  testing::Sha256 sha_;
  std::thread thread_;
};

// With a budget of what one call may take: it is met all the time, and is enough.
class OffsetChaosAtTheBound : public OffsetChaos {
 protected:
  static constexpr uint32_t kLargest = 2'000;
  OffsetChaosAtTheBound() : OffsetChaos(kLargest) {}
};

TEST_F(OffsetChaosAtTheBound, TenThousandReceivesJoinToTheStream) {
  Source source(Connect());
  testing::Sha256 sha;
  v1::ReceiveDataRequest request;
  request.set_name("sockets/s");
  for (bool end = false; !end && !HasFailure();) {
    const bool enough = Enough(10'000);
    if (enough) source.End();
    const uint32_t max = enough ? kLargest : Random(1, kLargest);
    request.set_max_bytes(max);
    const bool whole = Random(0, 3) == 0;
    request.set_mode(whole ? v1::MODE_WHOLE : v1::MODE_WAIT);
    request.set_min_bytes(whole ? Random(1, max) : 0);
    const auto reply = Try(&AsyncStub::ReceiveData, request);
    if (!reply.ok()) continue;
    ASSERT_EQ(reply->offset(), request.offset());
    sha.Add(reply->data());
    request.set_offset(request.offset() + reply->data().size());
    replayed_ += reply->replayed() ? 1 : 0;
    end = reply->end_of_stream();
  }
  EXPECT_EQ(sha.Finish(), source.Sha());
  EXPECT_GE(calls_, 10'000);
  EXPECT_GE(replayed_, 100);
  std::printf("%lu bytes\n", static_cast<unsigned long>(request.offset()));
}

TEST_F(OffsetChaos, SendsArriveOnce) {
  base::Fd peer = Connect();
  testing::Sha256 arrived, sent;
  uint64_t total = 0;
  std::thread sink([&] {
    char buffer[16'384];
    for (ssize_t got = 1; got > 0;) {
      got = ::recv(peer.get(), buffer, sizeof(buffer), 0);
      if (got <= 0) break;
      arrived.Add({buffer, static_cast<size_t>(got)});
      total += static_cast<uint64_t>(got);
    }
  });
  v1::SendDataRequest request;
  request.set_name("sockets/s");
  request.set_offset(0);
  request.set_data(BytesAt(0, 1'000));
  while (!Enough(4'000) && !HasFailure()) {
    request.set_mode(Random(0, 1) == 0 ? v1::MODE_WHOLE : v1::MODE_WAIT);
    const auto reply = Try(&AsyncStub::SendData, request);
    if (!reply.ok()) continue;
    EXPECT_EQ(reply->next_offset(), request.offset() + reply->bytes_sent());
    replayed_ += reply->bytes_skipped() > 0 ? 1 : 0;
    sent.Add(std::string_view(request.data()).substr(0, reply->bytes_sent()));
    request.set_offset(reply->next_offset());
    request.set_data(BytesAt(request.offset(), Random(1, 3'000)));
  }
  // What a lost call may have sent beyond: once more, whole.
  request.set_mode(v1::MODE_WHOLE);
  const auto last = server_->Ask(&Stub::SendData, request);
  EXPECT_TRUE(Ok(last));
  sent.Add(request.data());
  EXPECT_TRUE(Ok(server_->Ask(&Stub::ShutdownSocket, "name: 'sockets/s' direction: DIRECTION_WRITE")));
  sink.join();
  EXPECT_EQ(total, last->next_offset());
  EXPECT_EQ(arrived.Finish(), sent.Finish());
  EXPECT_GE(replayed_, 100);
}

TEST_F(OffsetChaos, TwoReceiversGetDisjointBytes) {
  Source source(Connect());
  std::map<uint64_t, std::string> parts[2];
  std::atomic<int> calls{0};
  const auto receive = [&](std::map<uint64_t, std::string>& mine) {
    for (bool end = false; !end;) {
      Sample();
      const auto reply = server_->Ask(&Stub::ReceiveData, "name: 'sockets/s' max_bytes: 1000");
      ASSERT_TRUE(Ok(reply));
      if (calls.fetch_add(1) == 2'000) source.End();
      if (!reply->data().empty()) mine[reply->offset()] = reply->data();
      end = reply->end_of_stream();
    }
  };
  std::thread other(receive, std::ref(parts[1]));
  receive(parts[0]);
  other.join();
  EXPECT_GT(parts[0].size(), 100u);
  EXPECT_GT(parts[1].size(), 100u);
  parts[0].merge(parts[1]);
  EXPECT_TRUE(parts[1].empty());
  testing::Sha256 sha;
  uint64_t offset = 0;
  for (const auto& [at, bytes] : parts[0]) {
    ASSERT_EQ(at, offset);
    sha.Add(bytes);
    offset += bytes.size();
  }
  EXPECT_EQ(sha.Finish(), source.Sha());
}

TEST_F(OffsetChaos, DatagramsByTheirNumber) {
  const std::string path = server_.dir().File("datagrams");
  EXPECT_TRUE(Ok(server_->Ask(&Stub::OpenSocket,
                              "socket_id: 's' family: FAMILY_UNIX type: SOCKET_TYPE_DGRAM "
                              "bind { unix_domain { path: '" +
                                  path + "' } }")));
  // A sender that waits for room: nothing gets lost on the way.
  std::thread sender([&path] {
    const base::Fd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    EXPECT_EQ(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    for (uint64_t number = 0;; ++number) {
      const std::string payload = std::to_string(number) + BytesAt(number, number % 1'000);
      if (::send(fd.get(), payload.data(), payload.size(), MSG_NOSIGNAL) < 0) return;  // the socket was closed
    }
  });
  v1::ReceiveDatagramsRequest request;
  request.set_name("sockets/s");
  request.set_sequence(0);
  while (!Enough(4'000) && !HasFailure()) {
    request.set_max_datagrams(Random(1, 8));
    request.set_mode(Random(0, 3) == 0 ? v1::MODE_WHOLE : v1::MODE_WAIT);
    const auto reply = Try(&AsyncStub::ReceiveDatagrams, request);
    if (!reply.ok()) continue;
    EXPECT_EQ(reply->sequence(), request.sequence());
    replayed_ += reply->replayed() ? 1 : 0;
    uint64_t number = request.sequence();
    for (const v1::IncomingDatagram& each : reply->datagrams()) {
      EXPECT_TRUE(each.payload() == std::to_string(number) + BytesAt(number, number % 1'000)) << number;
      ++number;
    }
    request.set_sequence(number);
  }
  EXPECT_TRUE(Ok(server_->Ask(&Stub::CloseSocket, "name: 'sockets/s'")));
  sender.join();
  EXPECT_GE(replayed_, 100);
  std::printf("%lu datagrams\n", static_cast<unsigned long>(request.sequence()));
}

TEST_F(OffsetChaos, ConnectionsByTheirNumber) {
  auto listener = server_->Ask(&Stub::OpenSocket,
                               "socket_id: 'l' type: SOCKET_TYPE_STREAM bind { inet { ip: '127.0.0.1' } } listen {}");
  ASSERT_TRUE(Ok(listener));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(listener->socket().local().inet().port()));
  v1::AcceptSocketRequest request;
  request.set_name("sockets/l");
  std::set<std::string> uids;
  constexpr uint64_t kConnections = 1'500;
  for (uint64_t number = 0; number < kConnections && !HasFailure(); ++number) {
    const base::Fd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    const std::string hello = std::to_string(number);
    ASSERT_EQ(::send(client.get(), hello.data(), hello.size(), MSG_NOSIGNAL), static_cast<ssize_t>(hello.size()));
    request.set_sequence(number);
    request.set_socket_id("c-" + hello);
    Reply<v1::AcceptSocketResponse> reply;
    do {
      reply = Try(&AsyncStub::AcceptSocket, request);
    } while (!reply.ok() && !HasFailure());
    EXPECT_EQ(reply->sequence(), number);
    EXPECT_EQ(reply->socket().name(), "sockets/c-" + hello);
    EXPECT_TRUE(uids.insert(reply->socket().uid()).second);
    replayed_ += reply->replayed() ? 1 : 0;
    auto got = server_->Ask(&Stub::ReceiveData, "name: 'sockets/c-" + hello + "'");
    EXPECT_EQ(got->data(), hello) << "connections come in order, and none is lost";
    EXPECT_TRUE(Ok(server_->Ask(&Stub::CloseSocket, "name: 'sockets/c-" + hello + "'")));
  }
  EXPECT_EQ(server_->Ask(&Stub::GetSocket, "name: 'sockets/l'")->counters().accepted(), kConnections);
  EXPECT_GE(replayed_, 25);
}

}  // namespace
}  // namespace socketeer
