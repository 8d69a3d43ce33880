#include "socketeer/async_stream.h"

#include <utility>

#include "client/lib/fill.h"
#include "client/lib/stream_core.h"
#include "socketeer/remote_socket.h"

namespace socketeer {

AsyncStream::AsyncStream(std::shared_ptr<internal::StreamCore> core) : core_(std::move(core)) {}
AsyncStream::AsyncStream(AsyncStream&& other) noexcept = default;

AsyncStream& AsyncStream::operator=(AsyncStream&& other) noexcept {
  if (this == &other) return *this;
  End();
  core_ = std::move(other.core_);
  return *this;
}

AsyncStream::~AsyncStream() { End(); }

void AsyncStream::End() {
  if (core_ == nullptr) return;
  core_->Cancel();
  core_->AwaitEnd();
}

void AsyncStream::Start() { core_->Start(); }
absl::StatusOr<size_t> AsyncStream::Send(const absl::Cord& data) { return core_->Send(data); }
void AsyncStream::Shutdown() { core_->Shutdown(); }
absl::Status AsyncStream::SetOptions(const v1::SocketOptions& set) { return core_->SetOptions(set); }
void AsyncStream::Consume(size_t bytes) { core_->Consume(bytes); }
void AsyncStream::Detach() { core_->Detach(); }
void AsyncStream::Cancel() { core_->Cancel(); }
uint64_t AsyncStream::sent() const { return core_->sent(); }
uint64_t AsyncStream::accepted() const { return core_->accepted(); }
uint64_t AsyncStream::received() const { return core_->received(); }

AsyncStream RemoteSocket::AttachAsync(const StreamOptions& options, StreamObserver* observer) const {
  return AsyncStream(std::make_shared<internal::StreamCore>(connection_, internal::Filled<v1::AttachOpen>(socket_),
                                                            options, observer));
}

}  // namespace socketeer
