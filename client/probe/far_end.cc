#include "client/probe/far_end.h"

#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "socketeer/endpoint.h"
#include "socketeer/error.h"
#include "socketeer/kind.h"
#include "socketeer/status_macros.h"

namespace socketeer::probe {
namespace {

// Strangers connect, too: beyond so many the far end takes nobody any more.
constexpr size_t kMaxConnections = 1'000;

// In words, for who finds it in the log of a server that it was sent to.
constexpr std::string_view kToken = "socketeer probe ";
constexpr std::string_view kReply = "socketeer reply ";
constexpr uint32_t kTokenBytes = kToken.size() + 32 + 1;  // digits, an end of line

std::string RandomHex() {
  std::random_device random;  // of the kernel
  return absl::StrCat(absl::Hex(random(), absl::kZeroPad8), absl::Hex(random(), absl::kZeroPad8),
                      absl::Hex(random(), absl::kZeroPad8), absl::Hex(random(), absl::kZeroPad8));
}

absl::StatusOr<RemoteSocket> Listen(const Host& host, const v1::Endpoint& at, Protocol protocol,
                                    const CallOptions& calls) {
  v1::OpenSocketRequest request;
  *request.mutable_bind() = at;
  SOCKETEER_RETURN_IF_ERROR(ApplyKind(protocol == Protocol::kTcp ? "tcp" : "udp", &request));
  if (protocol == Protocol::kTcp) {
    request.mutable_listen();
    // What an earlier probe left in TIME_WAIT is nobody's.
    request.mutable_options()->set_reuseaddr(true);
  }
  return host.Open(std::move(request), calls);
}

// Every address of the family, with the same port.
v1::Endpoint Wildcard(const v1::Endpoint& at) {
  v1::Endpoint every;
  if (at.has_inet()) {
    const bool v6 = at.inet().ip().find(':') != std::string::npos;
    every.mutable_inet()->set_ip(v6 ? "::" : "0.0.0.0");
    every.mutable_inet()->set_port(at.inet().port());
  } else {
    every.mutable_named()->set_port(at.named().port());
  }
  return every;
}

}  // namespace

absl::StatusOr<std::unique_ptr<FarEnd>> FarEnd::Open(const Host& host, const v1::Endpoint& at, Protocol protocol,
                                                     const CallOptions& calls) {
  // A name may lead elsewhere on the host itself than on those that ask for it: often to its loopback.
  absl::StatusOr<RemoteSocket> socket = Listen(host, at.has_inet() ? at : Wildcard(at), protocol, calls);
  if (at.has_inet() && ReasonOf(socket.status()) == "EADDRNOTAVAIL")
    socket = Listen(host, Wildcard(at), protocol, calls);
  if (!socket.ok()) return socket.status();
  return std::make_unique<FarEnd>(*std::move(socket), protocol);
}

FarEnd::FarEnd(RemoteSocket socket, Protocol protocol) : socket_(std::move(socket)) {
  thread_ = std::thread([this, protocol] { protocol == Protocol::kTcp ? Accept() : Answer(); });
}

FarEnd::~FarEnd() {
  over_.Cancel();
  thread_.join();
  for (std::thread& each : served_) each.join();
}

FarEnd::Words FarEnd::NewWords() {
  return {std::string(kToken) + RandomHex() + "\n", std::string(kReply) + RandomHex() + "\n"};
}

FarEnd::Words FarEnd::Issue() {
  const Words words = NewWords();
  const std::lock_guard lock(mutex_);
  issued_.emplace(words.token, words.reply);
  return words;
}

std::optional<absl::Status> FarEnd::Arrival(const std::string& token) const {
  const std::lock_guard lock(mutex_);
  const auto found = arrived_.find(token);
  if (found == arrived_.end()) return std::nullopt;
  return found->second;
}

bool FarEnd::HasPeer(const std::string& address) const {
  const std::lock_guard lock(mutex_);
  return peers_.count(address) > 0;
}

absl::Status FarEnd::Health() const {
  const std::lock_guard lock(mutex_);
  return health_;
}

std::optional<std::string> FarEnd::Take(const std::string& token) {
  const std::lock_guard lock(mutex_);
  const auto found = issued_.find(token);
  if (found == issued_.end()) return std::nullopt;
  arrived_.emplace(token, absl::OkStatus());
  return found->second;
}

void FarEnd::NoteReply(const std::string& token, const absl::Status& status) {
  const std::lock_guard lock(mutex_);
  if (!status.ok()) arrived_[token] = status;
}

void FarEnd::End(const absl::Status& status) {
  const std::lock_guard lock(mutex_);
  if (!absl::IsCancelled(status)) health_ = status;
}

void FarEnd::Accept() {
  while (served_.size() < kMaxConnections) {
    absl::StatusOr<RemoteSocket> accepted = socket_.Accept({.cancellation = &over_});
    if (!accepted.ok()) return End(accepted.status());
    {
      const std::lock_guard lock(mutex_);
      peers_.insert(FormatEndpoint(accepted->peer()));
    }
    served_.emplace_back([this](RemoteSocket socket) { Serve(std::move(socket)); }, *std::move(accepted));
  }
  End(absl::ResourceExhaustedError("more connections came than a probe takes"));
}

void FarEnd::Serve(RemoteSocket socket) {
  v1::ReceiveDataRequest request;
  request.set_mode(v1::MODE_WHOLE);
  request.set_max_bytes(kTokenBytes);
  const auto received = socket.Receive(std::move(request), {.cancellation = &over_});
  if (!received.ok()) return;
  const std::optional<std::string> reply = Take(received->data());
  if (!reply.has_value()) return;
  NoteReply(received->data(), socket.SendAll(*reply, {.cancellation = &over_}).status());
  // The peer closes first: its port stays in TIME_WAIT, ours is free at once for whom it belongs to.
  socket.Receive(1, {.cancellation = &over_}).IgnoreError();
}

void FarEnd::Answer() {
  while (true) {
    const auto received = socket_.ReceiveDatagrams({}, {.cancellation = &over_});
    if (!received.ok()) return End(received.status());
    for (const v1::IncomingDatagram& each : received->datagrams()) {
      const std::optional<std::string> reply = Take(each.payload());
      if (!reply.has_value()) continue;
      v1::SendDatagramsRequest request;
      v1::OutgoingDatagram& answer = *request.add_datagrams();
      answer.set_payload(*reply);
      *answer.mutable_destination() = each.source();
      NoteReply(each.payload(), socket_.SendDatagrams(std::move(request), {.cancellation = &over_}).status());
    }
  }
}

}  // namespace socketeer::probe
