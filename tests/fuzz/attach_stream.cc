// The frames of attach.proto in any order: a client writes what the input says to a real daemon, on a socket whose peer
// has sent a few bytes. A model says what must come of it: which bytes arrive at either side, and how the stream ends.
#include <grpcpp/grpcpp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "server/base/fd.h"
#include "server/rpc/server.h"
#include "socketeer/v1/socket_service.grpc.pb.h"
#include "tests/support/temp_dir.h"

namespace socketeer {
namespace {

using Request = v1::AttachSocketRequest;
using Response = v1::AttachSocketResponse;

[[noreturn]] void Wrong(const std::string& what) {
  std::fprintf(stderr, "wrong: %s\n", what.c_str());
  std::abort();
}
void Must(bool holds, const char* what) {
  if (!holds) Wrong(what);
}

std::string Bytes(uint64_t from, size_t count) {
  std::string bytes(count, '\0');
  for (size_t i = 0; i < count; ++i) bytes[i] = static_cast<char>((from + i) * 31 >> 2);
  return bytes;
}

// Small enough that every kernel takes all at once.
constexpr uint64_t kSendWindow = 300, kReceiveWindow = 100;

// What the daemon must make of the frames, one behind the other.
class Model {
 public:
  Model(uint64_t arrived, bool ended) : arrived_(arrived), ended_(ended) { Advance(); }

  // The reason that this frame ends the stream with.
  std::optional<std::string> Take(const Request& frame) {
    switch (frame.frame_case()) {
      case Request::kData:
        if (shut_ || frame.data().data().empty()) return "INVALID_FIELD";
        if (frame.data().offset() != sent_) return "OFFSET_OUT_OF_RANGE";
        if (frame.data().data().size() > kSendWindow) return "CREDIT_EXCEEDED";
        sent_ += frame.data().data().size();
        return std::nullopt;
      case Request::kAcknowledge:
        if (frame.acknowledge().offset() < acknowledged_ || frame.acknowledge().offset() > next_) {
          return "OFFSET_OUT_OF_RANGE";
        }
        acknowledged_ = frame.acknowledge().offset();
        Advance();
        return std::nullopt;
      case Request::kShutdown:
        if (std::exchange(shut_, true)) return "INVALID_FIELD";
        return std::nullopt;
      case Request::kSetOptions:
      case Request::kDetach:
        return std::nullopt;
      default:
        return "INVALID_FIELD";
    }
  }

  uint64_t sent() const { return sent_; }
  uint64_t next() const { return next_; }
  uint64_t acknowledged() const { return acknowledged_; }
  bool shut() const { return shut_; }
  bool end_told() const { return ended_ && next_ == arrived_ && next_ < acknowledged_ + kReceiveWindow; }

 private:
  void Advance() { next_ = std::min(arrived_, acknowledged_ + kReceiveWindow); }

  const uint64_t arrived_;
  const bool ended_;
  uint64_t sent_ = 0, acknowledged_ = 0, next_ = 0;
  bool shut_ = false;
};

// The frame that the next two bytes of the input mean: mostly one that fits.
Request FrameOf(uint8_t kind, uint8_t much, const Model& model) {
  Request frame;
  switch (kind % 16) {
    default:
      frame.mutable_data()->set_offset(model.sent());
      frame.mutable_data()->set_data(Bytes(model.sent(), much));
      break;
    case 8:
      frame.mutable_data()->set_offset(much);
      frame.mutable_data()->set_data(Bytes(much, 1));
      break;
    case 9:
      frame.mutable_data()->set_offset(model.sent());
      frame.mutable_data()->set_data(Bytes(model.sent(), 200 + much));
      break;
    case 10:
      frame.mutable_acknowledge()->set_offset(much % 4 == 0 ? model.next() : model.acknowledged() + much);
      break;
    case 11:
      frame.mutable_acknowledge()->set_offset(much % 2 == 0 ? much : UINT64_MAX - much);
      break;
    case 12:
      frame.mutable_shutdown();
      break;
    case 13:
      frame.mutable_set_options()->set_rcvlowat(1);
      break;
    case 14:
      if (much % 2 == 0) frame.mutable_open()->set_name("sockets/x");
      break;  // or no frame at all
    case 15:
      frame.mutable_detach();
      break;
  }
  return frame;
}

class Daemon {
 public:
  Daemon() {
    rlimit files{};
    getrlimit(RLIMIT_NOFILE, &files);
    rpc::ServerSettings settings{.listen = {"unix:" + dir_.File("daemon")},
                                 .limits = base::DefaultLimits(files.rlim_cur),
                                 .descriptors = static_cast<int>(files.rlim_cur)};
    auto server = rpc::Server::Start(settings);
    if (!server.ok()) Wrong(server.error().message);
    server_ = *std::move(server);
    stub_ =
        v1::SocketService::NewStub(grpc::CreateChannel(server_->addresses()[0], grpc::InsecureChannelCredentials()));
    listener_.reset(::socket(AF_UNIX, SOCK_STREAM, 0));
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    std::strncpy(address.sun_path, dir_.File("peer").c_str(), sizeof(address.sun_path) - 1);
    Must(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0, "bind");
    Must(::listen(listener_.get(), 1) == 0, "listen");
  }

  v1::SocketService::Stub& stub() { return *stub_; }
  // A socket of the daemon, whose peer is `peer`.
  std::string Open(base::Fd* peer) {
    v1::OpenSocketRequest request;
    request.set_family(v1::FAMILY_UNIX);
    request.set_type(v1::SOCKET_TYPE_STREAM);
    request.mutable_connect()->mutable_unix_domain()->set_path(dir_.File("peer"));
    v1::OpenSocketResponse response;
    grpc::ClientContext context;
    const grpc::Status status = stub_->OpenSocket(&context, request, &response);
    if (!status.ok()) Wrong(status.error_message());
    peer->reset(::accept(listener_.get(), nullptr, nullptr));
    return response.socket().name();
  }
  void Close(const std::string& name) {
    v1::CloseSocketRequest request;
    request.set_name(name);
    v1::CloseSocketResponse response;
    grpc::ClientContext context;
    Must(stub_->CloseSocket(&context, request, &response).ok(), "the socket is not there");
  }

 private:
  testing::TempDir dir_;
  std::unique_ptr<rpc::Server> server_;
  std::unique_ptr<v1::SocketService::Stub> stub_;
  base::Fd listener_;
};

std::string ReasonOf(const grpc::Status& status) {
  google::rpc::Status rich;
  google::rpc::ErrorInfo info;
  if (!rich.ParseFromString(status.error_details()) || rich.details_size() == 0) return "";
  return rich.details(0).UnpackTo(&info) ? info.reason() : "";
}

// Checks what the daemon says against what it may say.
class Listener {
 public:
  void Hear(const Response& frame, const Model& model) {
    Must(frame.has_opened() == std::exchange(first_, false), "opened is the first frame, and comes once");
    if (frame.has_data()) {
      Must(frame.data().offset() == received_, "data does not follow");
      Must(!frame.data().data().empty(), "data without bytes");
      Must(frame.data().data() == Bytes(received_, frame.data().data().size()), "other bytes came");
      received_ += frame.data().data().size();
      Must(received_ <= model.next(), "more than the window came");
      Must(!ended_, "data behind the end");
    } else if (frame.has_acknowledge()) {
      Must(frame.acknowledge().offset() >= accepted_ && frame.acknowledge().offset() <= model.sent(), "acknowledge");
      accepted_ = frame.acknowledge().offset();
    } else if (frame.has_end_of_stream()) {
      ended_ = true;
      Must(frame.end_of_stream().offset() == received_, "the end is elsewhere");
    } else if (frame.has_shutdown()) {
      Must(!std::exchange(shut_, true) && model.shut(), "shutdown");
    } else {
      Must(frame.has_opened() || frame.has_options(), "nothing failed");
    }
  }
  uint64_t received() const { return received_; }
  // All is said, and the stream ended in order.
  void Finish(const Model& model) const {
    Must(received_ == model.next(), "bytes are missing");
    Must(accepted_ == model.sent(), "an acknowledgement is missing");
    Must(shut_ == model.shut(), "shutdown is missing");
    Must(ended_ == model.end_told(), "the end of the stream");
  }

 private:
  bool first_ = true, ended_ = false, shut_ = false;
  uint64_t received_ = 0, accepted_ = 0;
};

void ExpectAtPeer(int peer, const Model& model) {
  std::string got(model.sent() + 1, '\0');
  size_t count = 0;
  ssize_t some = 1;
  while (some > 0 && count < got.size()) {
    some = ::recv(peer, got.data() + count, got.size() - count, 0);
    if (some > 0) count += static_cast<size_t>(some);
  }
  got.resize(count);
  Must(got == Bytes(0, model.sent()), "the peer got other bytes");
}

}  // namespace
}  // namespace socketeer

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace socketeer;
  static auto& daemon = *new Daemon;
  if (size < 2) return 0;
  base::Fd peer;
  const std::string name = daemon.Open(&peer);
  const std::string arrived = Bytes(0, data[0]);
  const bool ended = data[1] % 2 == 1;
  Must(::send(peer.get(), arrived.data(), arrived.size(), 0) == static_cast<ssize_t>(arrived.size()), "send");
  if (ended) ::shutdown(peer.get(), SHUT_WR);

  Model model(arrived.size(), ended);
  grpc::ClientContext context;
  const auto stream = daemon.stub().AttachSocket(&context);
  Request open;
  open.mutable_open()->set_name(name);
  open.mutable_open()->set_send_window(kSendWindow);
  open.mutable_open()->set_receive_window(kReceiveWindow);
  stream->Write(open);
  Listener listener;
  Response response;
  std::optional<std::string> reason;
  bool options = false;  // the answer to the last ones may not have come
  for (size_t i = 2; i + 1 < size && i < 80 && !reason; i += 2) {
    const Request frame = FrameOf(data[i], data[i + 1], model);
    if (frame.has_set_options() && std::exchange(options, true)) continue;
    // What did not come may not be acknowledged.
    while (frame.has_acknowledge() && listener.received() < model.next()) {
      if (!stream->Read(&response)) Wrong("the stream ended: " + stream->Finish().error_message());
      listener.Hear(response, model);
    }
    reason = model.Take(frame);
    stream->Write(frame);
    if (frame.has_detach()) break;  // what comes behind it may come too late to be wrong
  }
  stream->WritesDone();
  while (stream->Read(&response)) listener.Hear(response, model);
  const grpc::Status status = stream->Finish();
  if (status.ok() ? reason.has_value() : ReasonOf(status) != reason) {
    Wrong("it ended with " + ReasonOf(status) + ", and " + reason.value_or("OK") +
          " was to be: " + status.error_message());
  }
  if (status.ok()) listener.Finish(model);
  daemon.Close(name);
  ExpectAtPeer(peer.get(), model);
  return 0;
}
