// The proof of resumed streams: the control channel is cut again and again, anywhere, while bytes go both ways at once
// through one attached socket; all of them arrive, once and in order.
//
// SOCKETEER_CHAOS_MIB (each way) and SOCKETEER_CHAOS_CUTS say how much.
#include <netinet/in.h>
#include <openssl/evp.h>
#include <sys/socket.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "server/base/fd.h"
#include "socketeer/error.h"
#include "socketeer/host.h"
#include "socketeer/stream.h"
#include "tests/support/cutting_proxy.h"
#include "tests/support/test_server.h"

namespace socketeer {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr uint64_t kMiB = 64, kCuts = 40;
#else
constexpr uint64_t kMiB = 1024, kCuts = 200;
#endif

uint64_t Setting(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// The library's own: tests/support/sha256.h would take a minute here.
class Sha {
 public:
  Sha() { EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr); }
  void Add(std::string_view bytes) { EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()); }
  // Call it last.
  std::string Finish() {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    EVP_DigestFinal_ex(context_.get(), digest, &size);
    std::string hex;
    for (unsigned int i = 0; i < size; ++i)
      hex += "0123456789abcdef"[digest[i] >> 4], hex += "0123456789abcdef"[digest[i] & 15];
    return hex;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_{EVP_MD_CTX_new(), &EVP_MD_CTX_free};
};

// A stream of so many bytes in blocks, no two of which are alike.
class Blocks {
 public:
  Blocks(uint64_t seed, uint64_t total) : random_(seed), left_(total) {
    for (char& byte : block_) byte = static_cast<char>(random_());
  }
  // Valid until the next one; empty: that was all.
  std::string_view Next() {
    const uint64_t number = random_();
    std::memcpy(block_.data(), &number, sizeof(number));
    const size_t size = std::min<uint64_t>(block_.size(), left_);
    left_ -= size;
    return std::string_view(block_).substr(0, size);
  }

 private:
  std::mt19937_64 random_;
  uint64_t left_;
  std::string block_ = std::string(250'007, '\0');
};

// The far end of the socket, a plain one.
class Peer {
 public:
  explicit Peer(uint64_t total) : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), total_(total) {
    EXPECT_EQ(::listen(listener_.get(), 1), 0);
  }
  int port() const {
    sockaddr_in address{};
    socklen_t size = sizeof(address);
    EXPECT_EQ(::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    return ntohs(address.sin_port);
  }
  // Both ways at once, from now on.
  void Run() {
    fd_.reset(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    sender_ = std::jthread([this] { Send(); });
    receiver_ = std::jthread([this] { Receive(); });
  }
  void Join() {
    sender_.join();
    receiver_.join();
    fd_.reset();
  }

  Sha sent, received;  // after Join
  uint64_t received_bytes = 0;

 private:
  void Send() {
    Blocks blocks(2, total_);
    for (std::string_view block = blocks.Next(); !block.empty(); block = blocks.Next()) {
      sent.Add(block);
      while (!block.empty()) {
        const ssize_t count = ::send(fd_.get(), block.data(), block.size(), MSG_NOSIGNAL);
        ASSERT_GT(count, 0);
        block.remove_prefix(static_cast<size_t>(count));
      }
    }
    ::shutdown(fd_.get(), SHUT_WR);
  }
  void Receive() {
    std::string buffer(1 << 18, '\0');
    while (true) {
      const ssize_t count = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
      ASSERT_GE(count, 0);
      if (count == 0) return;
      received.Add({buffer.data(), static_cast<size_t>(count)});
      received_bytes += static_cast<uint64_t>(count);
    }
  }

  const base::Fd listener_;
  const uint64_t total_;
  base::Fd fd_;
  std::jthread sender_, receiver_;
};

TEST(StreamChaos, NothingIsLostAndNothingComesTwice) {
  const uint64_t total = Setting("SOCKETEER_CHAOS_MIB", kMiB) << 20;
  const uint64_t cuts = Setting("SOCKETEER_CHAOS_CUTS", kCuts);
  constexpr unsigned kSeed = 20'261'123;
  std::mt19937_64 random(kSeed);
  testing::TestServer server({.loops = 2});
  testing::CuttingProxy proxy(server.dir().File("proxy"), server.dir().File("daemon"));
  Peer peer(total);
  const Host host = Host::Connect("unix:" + server.dir().File("proxy")).value();
  v1::OpenSocketRequest request;
  request.set_type(v1::SOCKET_TYPE_STREAM);
  request.mutable_connect()->mutable_inet()->set_ip("127.0.0.1");
  request.mutable_connect()->mutable_inet()->set_port(static_cast<uint32_t>(peer.port()));
  RemoteSocket socket = host.Open(request).value();
  peer.Run();
  {
    Stream stream = socket.Attach().value();
    Sha sent, received;
    std::jthread sender([&] {
      Blocks blocks(1, total);
      for (std::string_view block = blocks.Next(); !block.empty(); block = blocks.Next()) {
        sent.Add(block);
        ASSERT_TRUE(stream.Send(block).ok());
      }
      ASSERT_TRUE(stream.Shutdown().ok());
    });
    // Two cuts are at most so far apart that there is room for all of them, twice over.
    std::uniform_int_distribution<int64_t> gap(0, static_cast<int64_t>(total / cuts));
    while (true) {
      const absl::StatusOr<absl::Cord> bytes = stream.Receive();
      ASSERT_TRUE(bytes.ok()) << bytes.status();
      if (bytes->empty()) break;
      for (const absl::string_view piece : bytes->Chunks()) received.Add({piece.data(), piece.size()});
      if (!proxy.armed() && proxy.cuts() < cuts) proxy.CutAfter(gap(random));
    }
    sender.join();
    peer.Join();
    EXPECT_EQ(stream.received(), total);
    EXPECT_EQ(stream.accepted(), total);
    EXPECT_EQ(peer.received_bytes, total);
    EXPECT_EQ(peer.received.Finish(), sent.Finish());
    EXPECT_EQ(received.Finish(), peer.sent.Finish());
    proxy.CutAfter(-1);
    EXPECT_TRUE(stream.Detach().ok());
  }
  EXPECT_GE(proxy.cuts(), cuts);
  EXPECT_TRUE(socket.Close().ok());
  std::printf("seed %u: %lu MiB each way, %lu cuts\n", kSeed, static_cast<unsigned long>(total >> 20),
              static_cast<unsigned long>(proxy.cuts()));
}

}  // namespace
}  // namespace socketeer
