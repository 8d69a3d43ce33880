// A daemon of the methods that stream, over real gRPC: the test says what each stream answers and how it ends.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "socketeer/v1/session_service.grpc.pb.h"
#include "socketeer/v1/socket_service.grpc.pb.h"
#include "tests/client/fake_attach.h"

namespace socketeer {

// What a call was begun with.
template <typename Request>
struct Begun {
  Request request;
  std::string session;  // in its metadata
};

// A stream is begun by a client, answers once, and stays open until End or until the client cancels it.
template <typename Request, typename Response>
class FakeStreams {
 public:
  // The answer of the next stream that begins, unless one comes first that is refused.
  void Answer(Response response) {
    const std::lock_guard<std::mutex> lock(mutex_);
    answers_.push_back(std::move(response));
  }
  // Waits for the next stream to begin.
  Begun<Request> AwaitBegun() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return !begun_.empty(); });
    Begun<Request> first = std::move(begun_.front());
    begun_.pop_front();
    return first;
  }
  // Ends the stream that is open.
  void End(const grpc::Status& status) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return open_ != nullptr; });
    std::exchange(open_, nullptr)->End(status);
  }
  // Waits until a client has left a stream that was open; each is told once.
  void AwaitLeft() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return left_ > 0; });
    --left_;
  }

  // Of a service's method.
  grpc::ServerWriteReactor<Response>* Begin(grpc::CallbackServerContext* context, const Request* request) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto session = context->client_metadata().find("socketeer-session");
    const bool given = session != context->client_metadata().end();
    begun_.push_back({*request, given ? std::string(session->second.data(), session->second.size()) : ""});
    Response answer;
    if (!answers_.empty()) {
      answer = std::move(answers_.front());
      answers_.pop_front();
    }
    open_ = new Reactor(*this, std::move(answer));
    changed_.notify_all();
    return open_;
  }

 private:
  class Reactor : public grpc::ServerWriteReactor<Response> {
   public:
    Reactor(FakeStreams& streams, Response answer) : streams_(streams), answer_(std::move(answer)) {
      this->StartWrite(&answer_);
    }
    void OnCancel() override {
      const std::lock_guard<std::mutex> lock(streams_.mutex_);
      if (ended_) return;
      if (streams_.open_ == this) streams_.open_ = nullptr;
      ++streams_.left_;
      streams_.changed_.notify_all();
      End(grpc::Status::CANCELLED);
    }
    void OnDone() override { delete this; }
    // Under the mutex.
    void End(const grpc::Status& status) {
      ended_ = true;
      this->Finish(status);
    }

   private:
    FakeStreams& streams_;
    const Response answer_;
    bool ended_ = false;
  };

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Response> answers_;
  std::deque<Begun<Request>> begun_;
  Reactor* open_ = nullptr;  // the last one that began, until it ends
  int left_ = 0;
};

// Serves on a port of its own for as long as it lives.
class FakeDaemon {
 public:
  FakeDaemon() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(&sockets_);
    builder.RegisterService(&sessions_);
    server_ = builder.BuildAndStart();
  }
  ~FakeDaemon() {
    sockets_.attaches.Close();
    server_->Shutdown();
  }

  std::string endpoint() const { return "127.0.0.1:" + std::to_string(port_); }
  auto& watches() { return sockets_.watches; }
  auto& holds() { return sessions_.holds; }
  FakeAttach& attaches() { return sockets_.attaches; }
  // Names of sessions that were ended.
  std::vector<std::string> ended() {
    const std::lock_guard<std::mutex> lock(sessions_.mutex);
    return sessions_.ended;
  }

 private:
  struct Sockets : v1::SocketService::WithCallbackMethod_WatchSockets<v1::SocketService::Service> {
    grpc::ServerWriteReactor<v1::WatchSocketsResponse>* WatchSockets(grpc::CallbackServerContext* context,
                                                                     const v1::WatchSocketsRequest* request) override {
      return watches.Begin(context, request);
    }
    grpc::Status AttachSocket(grpc::ServerContext* context, FakeAttach::Stream* stream) override {
      return attaches.Serve(context, stream);
    }
    FakeStreams<v1::WatchSocketsRequest, v1::WatchSocketsResponse> watches;
    FakeAttach attaches;
  };

  struct Sessions : v1::SessionService::WithCallbackMethod_HoldSession<v1::SessionService::Service> {
    grpc::Status CreateSession(grpc::ServerContext*, const v1::CreateSessionRequest* request,
                               v1::Session* session) override {
      session->set_name("sessions/" + request->session_id());
      return grpc::Status::OK;
    }
    grpc::ServerWriteReactor<v1::HoldSessionResponse>* HoldSession(grpc::CallbackServerContext* context,
                                                                   const v1::HoldSessionRequest* request) override {
      return holds.Begin(context, request);
    }
    grpc::Status EndSession(grpc::ServerContext*, const v1::EndSessionRequest* request,
                            v1::EndSessionResponse* response) override {
      const std::lock_guard<std::mutex> lock(mutex);
      ended.push_back(request->name());
      response->mutable_session()->set_name(request->name());
      return grpc::Status::OK;
    }
    FakeStreams<v1::HoldSessionRequest, v1::HoldSessionResponse> holds;
    std::mutex mutex;
    std::vector<std::string> ended;  // guarded by mutex
  };

  int port_ = 0;
  Sockets sockets_;
  Sessions sessions_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace socketeer
