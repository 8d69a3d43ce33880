// One AttachSocket: between the frames of attach.proto and what is attached to the socket. The frames of bytes are
// handled here; attach_datagrams.h and attach_listener.h are for those of the other kinds.
//
// gRPC's threads find the socket that the first frame names, and hand the frames over; all else happens on that
// socket's loop. Kept by gRPC until that is done with it, and by the attachment while there is one.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <vector>

#include "proto/wire/attach_frame.h"
#include "server/base/chunk.h"
#include "server/net/attachment.h"
#include "server/rpc/bidi_call.h"
#include "socketeer/v1/attach.pb.h"

namespace socketeer::rpc {

using AttachRequest = wire::Frame<v1::AttachSocketRequest>;

// Data, if there are `bytes`; else `message`.
struct AttachResponse {
  v1::AttachSocketResponse message = {};
  size_t size = 0;  // of datagrams
  uint64_t offset = 0;
  std::vector<base::Chunk> bytes = {};

  uint64_t end() const;  // behind the bytes
};

class Attach final : public BidiCall<AttachRequest, AttachResponse>, public net::AttachmentClient {
 public:
  using Request = v1::AttachSocketRequest;
  using Response = v1::AttachSocketResponse;

  Attach(Core& core, const grpc::CallbackServerContext& context) : BidiCall(core, context, Method::kAttachSocket) {}
  ~Attach() override { ReleaseSendWindow(); }

  void Start() {
    if (auto status = Begin(Request()); !status.ok()) End(std::move(status).error());
  }

 private:
  friend class DatagramFrames;
  friend class ListenerFrames;

  // `frame` may not stand where it stands.
  static base::Error OutOfPlace(const AttachRequest& frame, const char* allowed);

  // --- attach_call.cc, on gRPC's threads. ---
  base::Result<AttachRequest> Decode(grpc::ByteBuffer* bytes) override;
  base::Status Check(const AttachRequest& frame);
  base::Status FindSocket(const v1::AttachOpen& open);
  base::Status ReadTerms(const v1::AttachOpen& open);
  base::Status ReadListenerTerms(const v1::AttachOpen& open);
  base::Result<uint64_t> WindowOf(uint64_t given, const char* field);
  base::Status ReserveSendWindow();
  // Nothing waits for the kernel any more.
  void ReleaseSendWindow() {
    core().send_windows.fetch_sub(std::exchange(reserved_, 0));
    window_place_.GiveBack();
  }
  void OnArrived() override;
  Merging Merge(AttachResponse& queued, AttachResponse& next) override;
  grpc::ByteBuffer Encode(const AttachResponse& frame) override;
  void OnEnded() override { PostLeave(); }  // behind all frames, so nothing can attach afterwards
  void PostLeave();

  // --- attach_frames.cc, on the loop's thread. ---
  void HandleArrived();
  base::Status Handle(AttachRequest& frame);
  base::Status HandleOpen();
  base::Status AttachTo(net::Socket& socket);
  // For data or datagrams: may they come now?
  base::Status CheckTurn(const AttachRequest& frame, net::AttachKind kind) const;
  base::Status HandleData(wire::DataFrame& data);
  base::Status HandleDatagrams(v1::AttachOutgoingDatagrams& frame);
  const char* AllowedFrames() const;
  base::Status HandleOptions(const v1::SocketOptions& options);
  void Fail(base::Error error);
  void Leave();

  // As AttachmentClient.
  void SendMessage(Response message);
  void OnReceived(uint64_t offset, base::Chunk bytes) override;
  void OnEndOfStream(uint64_t offset) override;
  void OnReceiveError(base::Error error) override;
  void OnAccepted(uint64_t offset) override;
  void OnShutdown() override;
  void OnSendError(base::Error error) override;
  void OnOptions(base::Result<net::OptionList> options) override;
  void OnDetached(std::optional<base::Error> why) override;
  uint64_t Given() const override { return given_.load(); }
  void Seal() override { StopSending(); }

  std::shared_ptr<Attach> Self() { return std::static_pointer_cast<Attach>(shared_from_this()); }
  std::weak_ptr<Attach> Weak() { return Self(); }

  // Set with the first frame, before the loop knows of the call.
  registry::RecordPtr record_;
  net::AttachKind kind_ = net::AttachKind::kStream;
  net::AttachTerms terms_;
  registry::Labels labels_;   // of what a listener accepts
  uint64_t reserved_ = 0;     // of the daemon's send windows
  quota::Hold window_place_;  // the same, of the caller's buffered bytes

  std::atomic<uint64_t> given_{0};            // what is below is gRPC's, if it is not the caller's
  std::atomic<uint64_t> acknowledged_{0};     // the same of acknowledgements
  std::atomic<bool> options_pending_{false};  // a set_options has no answer yet

  // Of the loop's thread.
  std::shared_ptr<net::Attached> attachment_;  // null before, and after
  bool opened_ = false;
  bool shut_ = false;
  bool detaching_ = false;
};

}  // namespace socketeer::rpc
