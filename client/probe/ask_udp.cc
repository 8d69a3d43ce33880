// Datagrams are lost in silence: they are sent several times, and silence is told as what it is.
#include "absl/time/clock.h"
#include "client/probe/ask.h"
#include "socketeer/error.h"
#include "socketeer/kind.h"
#include "socketeer/status_macros.h"

namespace socketeer::probe {
namespace {

absl::StatusOr<v1::ReceiveDatagramsResponse> SendAndHear(const RemoteSocket& socket, const std::string& payload,
                                                         const CallOptions& calls) {
  v1::SendDatagramsRequest request;
  request.add_datagrams()->set_payload(payload);
  SOCKETEER_RETURN_IF_ERROR(socket.SendDatagrams(std::move(request), calls).status());
  return socket.ReceiveDatagrams({}, calls);
}

// With `far` what a reply must be, else anything.
absl::StatusOr<Answer> Converse(const Question& question, const RemoteSocket& socket, FarEnd* far,
                                Cancellation* cancellation) {
  const FarEnd::Words words = far == nullptr ? FarEnd::NewWords() : far->Issue();
  for (int i = 0; i < kDatagrams; ++i) {
    const auto received = SendAndHear(
        socket, words.token,
        {.timeout = question.timeout / kDatagrams, .cancellation = cancellation, .deadline = question.deadline});
    if (absl::IsCancelled(received.status())) return received.status();
    if (!received.ok()) {
      Answer answer = AnswerOf(received.status(), question.from_name, far != nullptr);
      if (far != nullptr && IsBlocked(answer.reason))
        answer.detail = question.far_name + " has the port; " + answer.detail;
      return answer;
    }
    if (received->datagrams_size() == 0) continue;
    if (far == nullptr || received->datagrams(0).payload() == words.reply) return Answer{.reason = Reason::kOpen};
    return Answer{.reason = Reason::kSomebodyElse,
                  .detail = "answered, but not by what the probe opened on " + question.far_name};
  }
  const std::string sent = std::to_string(kDatagrams) + " datagrams within " + Within(question.timeout);
  if (far == nullptr) {
    return Answer{.reason = Reason::kNoAnswer, .detail = "open or filtered: no answer to " + sent};
  }
  return WithoutReply(question, *far, words.token, Reason::kDropped,
                      question.far_name + " has the port, and got none of " + sent);
}

}  // namespace

absl::StatusOr<Answer> AskUdp(const Question& question, const Host& host, FarEnd* far, Cancellation* cancellation) {
  v1::OpenSocketRequest request;
  *request.mutable_connect() = question.to;
  SOCKETEER_RETURN_IF_ERROR(ApplyKind("udp", &request));
  const absl::StatusOr<RemoteSocket> socket = host.Open(
      std::move(request), {.timeout = question.timeout, .cancellation = cancellation, .deadline = question.deadline});
  if (absl::IsCancelled(socket.status())) return socket.status();
  if (!socket.ok()) return AnswerOf(socket.status(), question.from_name, far != nullptr);
  const absl::Time start = absl::Now();
  absl::StatusOr<Answer> answer = Converse(question, *socket, far, cancellation);
  if (answer.ok()) answer->took = absl::Now() - start;
  return answer;
}

}  // namespace socketeer::probe
