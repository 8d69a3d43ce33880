#include "server/rpc/watch.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "server/rpc/convert.h"
#include "server/rpc/stream_call.h"

namespace socketeer::rpc {
namespace {

// Changes in one message: with all the labels there may be, it stays below a client's 4 MiB.
constexpr size_t kChangesPerMessage = 512;

// One watcher. It has no queue: its place is a revision in the registry's log, and it reads on from there when its
// last message is on its way. So a slow one costs one message, and holds up nobody; when the log has passed it, it
// ends. One thread at a time: whoever started the write, or was woken, or took the wait away, goes on.
class Watch final : public StreamCall<v1::WatchSocketsResponse> {
 public:
  Watch(Core& core, const grpc::CallbackServerContext& context) : StreamCall(core, context, Method::kWatchSockets) {}

  void Start(const v1::WatchSocketsRequest& request) {
    if (auto status = Begin(request); !status.ok()) return End(std::move(status).error());
    if (quota::Account* const account = scope().session()->account().get()) {
      auto taken = account->Take(quota::Count::kWatchers);
      if (!taken.ok()) return End(std::move(taken).error());
      place_ = *std::move(taken);
    }
    if (request.has_revision()) {
      revision_ = request.revision();  // and nothing is told: the first answer comes at once, which says that it stands
      return TellChanges();
    }
    std::tie(snapshot_, revision_) = core().registry.Snapshot(scope().identity());
    TellSnapshot();
  }

 private:
  void OnWritten() override {
    if (response_.revision() == 0) return TellSnapshot();
    TellChanges();
  }
  // A daemon that stops tells first what it closed.
  void OnCancelled(const base::Error& why) override {
    if (why.reason != "DRAINING") return End(why);
    draining_.store(true);
    if (core().registry.StopWaitingForChange(scope().id())) TellChanges();
  }
  void OnEnded() override {
    core().registry.StopWaitingForChange(scope().id());
    place_.GiveBack();
  }

  void TellSnapshot() {
    response_.Clear();
    const size_t end = std::min(snapshot_.size(), at_ + kChangesPerMessage);
    for (; at_ < end; ++at_) Add(snapshot_[at_]);
    if (at_ == snapshot_.size()) {
      response_.set_snapshot_complete(true);
      response_.set_revision(revision_);
      told_ = revision_;
      snapshot_ = {};
    }
    Write(response_);
  }

  void TellChanges() {
    auto changes = core().registry.ChangesBehind(&revision_, scope().identity(), kChangesPerMessage);
    if (!changes.ok()) return End(std::move(changes).error());
    // When many changes of others have passed, the revision alone is told, so that the caller can resume there.
    const uint64_t passed = revision_ - told_.value_or(0);
    if (told_ && changes->empty() && passed < core().limits.max_remembered_changes / 4) return WaitForMore();
    response_.Clear();
    for (const registry::Change& change : *changes) Add(change);
    response_.set_revision(revision_);
    told_ = revision_;
    Write(response_);
  }

  void WaitForMore() {
    const auto weak = std::weak_ptr(std::static_pointer_cast<Watch>(shared_from_this()));
    // Not on the thread of the socket that changed.
    core().registry.WaitForChange(scope().id(), revision_, [weak, &control = core().control] {
      control.Post([weak] {
        if (const auto self = weak.lock()) self->TellChanges();
      });
    });
    if (draining_.load() && core().registry.StopWaitingForChange(scope().id())) End(base::Draining());
  }

  void Add(const registry::Change& change) {
    // A snapshot is told piece by piece, and a change after it was read: it may be no business of the caller's by now.
    const auto view = core().registry.Look(change, scope().identity());
    if (!view) return;
    v1::SocketChange* const out = response_.add_changes();
    out->set_kind(static_cast<v1::ChangeKind>(change.kind));
    out->set_revision(change.revision);
    if (change.kind == registry::ChangeKind::kUnshared) {
      out->mutable_socket()->set_name(view->name);
      out->mutable_socket()->set_uid(view->uid);
    } else {
      ToProto(*view, out->mutable_socket());
    }
  }

  std::vector<registry::Change> snapshot_;  // still to be told, from at_ on
  size_t at_ = 0;
  uint64_t revision_ = 0;         // read up to here
  std::optional<uint64_t> told_;  // told up to here
  std::atomic<bool> draining_{false};
  quota::Hold place_;  // among the caller's watchers
  v1::WatchSocketsResponse response_;
};

}  // namespace

grpc::ServerWriteReactor<v1::WatchSocketsResponse>* StartWatch(Core& core, const grpc::CallbackServerContext& context,
                                                               const v1::WatchSocketsRequest& request) {
  const auto watch = std::make_shared<Watch>(core, context);
  watch->Start(request);
  return watch.get();
}

}  // namespace socketeer::rpc
