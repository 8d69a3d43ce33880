// A watch of the sockets, read as a caller does.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "tests/support/rpc.h"

namespace socketeer::testing {

class Watcher {
 public:
  explicit Watcher(const Caller& caller, std::optional<uint64_t> revision = std::nullopt) {
    v1::WatchSocketsRequest request;
    if (revision) request.set_revision(*revision);
    caller.Prepare(context_);
    reader_ = caller.stub().WatchSockets(&context_, request);
  }
  ~Watcher() {
    if (reader_) Cut();
  }

  // The next message; absent when the watch has ended.
  std::optional<v1::WatchSocketsResponse> Next() {
    v1::WatchSocketsResponse response;
    if (!reader_->Read(&response)) return std::nullopt;
    return response;
  }
  // The next message's one change.
  v1::SocketChange NextChange() {
    const auto response = Next();
    EXPECT_TRUE(response && response->changes_size() == 1) << (response ? response->ShortDebugString() : "ended");
    return response && response->changes_size() > 0 ? response->changes(0) : v1::SocketChange();
  }
  // How it ended; waits for that.
  Problem End() {
    while (Next()) {
    }
    const grpc::Status status = std::exchange(reader_, nullptr)->Finish();
    Problem problem = ProblemOf(status);
    problem.code = status.error_code();
    return problem;
  }
  // As a connection that breaks.
  void Cut() {
    context_.TryCancel();
    End();
  }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::WatchSocketsResponse>> reader_;
};

}  // namespace socketeer::testing
