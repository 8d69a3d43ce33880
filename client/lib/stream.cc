#include "socketeer/stream.h"

#include <string>
#include <utility>

#include "client/lib/stream_impl.h"
#include "socketeer/remote_socket.h"
#include "socketeer/status_macros.h"

namespace socketeer {

Stream::Stream(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Stream::Stream(Stream&& other) noexcept = default;
Stream& Stream::operator=(Stream&& other) noexcept = default;
Stream::~Stream() = default;

const v1::Socket& Stream::socket() const { return impl_->socket(); }

absl::Status Stream::Send(absl::Cord data, const CallOptions& options) { return impl_->Send(std::move(data), options); }

// A string of its own that the Cord takes over: in the pieces of a Cord that copies, large data would be many.
absl::Status Stream::Send(std::string_view data, const CallOptions& options) {
  return impl_->Send(absl::Cord(std::string(data)), options);
}

absl::Status Stream::Flush(const CallOptions& options) { return impl_->Flush(options); }
absl::Status Stream::Shutdown(const CallOptions& options) { return impl_->Shutdown(options); }

absl::StatusOr<v1::SocketOptions> Stream::SetOptions(const v1::SocketOptions& set, const CallOptions& options) {
  return impl_->SetOptions(set, options);
}

absl::StatusOr<absl::Cord> Stream::Receive(size_t max_bytes, const CallOptions& options) {
  return impl_->Receive(max_bytes, options);
}

absl::Status Stream::Detach(const CallOptions& options) { return impl_->Detach(options); }
void Stream::Cancel() { impl_->stream().Cancel(); }
uint64_t Stream::sent() const { return impl_->stream().sent(); }
uint64_t Stream::accepted() const { return impl_->stream().accepted(); }
uint64_t Stream::received() const { return impl_->stream().received(); }

absl::StatusOr<Stream> RemoteSocket::Attach(const StreamOptions& options) const {
  auto impl = std::make_unique<Stream::Impl>(connection_->options().default_timeout);
  Stream::Impl* const waiting = impl.get();
  Stream stream(std::move(impl));
  SOCKETEER_RETURN_IF_ERROR(waiting->Start(AttachAsync(options, waiting)));
  return stream;
}

}  // namespace socketeer
