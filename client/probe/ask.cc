#include "client/probe/ask.h"

#include "absl/time/clock.h"
#include "socketeer/endpoint.h"
#include "socketeer/error.h"
#include "socketeer/kind.h"
#include "socketeer/status_macros.h"

namespace socketeer::probe {
namespace {

// Without the second line, of a socket that is gone already.
std::string FirstLine(const absl::Status& error) {
  const std::string text = FormatError(error);
  return text.substr(0, text.find('\n'));
}

// What came instead of the reply, if not all of it has come yet.
enum class Heard { kReply, kOther, kNothing };

struct Hearing {
  Heard heard = Heard::kNothing;
  absl::Status error{};
};

Hearing HearReply(const RemoteSocket& socket, const std::string& reply, absl::Time end, Cancellation* cancellation) {
  std::string data;
  while (data.size() < reply.size()) {
    const absl::Duration left = std::max(end - absl::Now(), absl::ZeroDuration());
    const auto received = socket.Receive(0, {.timeout = left, .cancellation = cancellation});
    if (!received.ok()) return {Heard::kNothing, received.status()};
    data += received->data();
    if (reply.compare(0, data.size(), data) != 0) return {Heard::kOther};
    if (received->end_of_stream() || received->timed_out()) return {Heard::kNothing};
  }
  return {Heard::kReply};
}

absl::StatusOr<Answer> Converse(const Question& question, const RemoteSocket& socket, FarEnd& far,
                                Cancellation* cancellation) {
  const FarEnd::Words words = far.Issue();
  const absl::Time end = absl::Now() + question.timeout;
  Hearing hearing;
  hearing.error =
      socket
          .SendAll(words.token,
                   {.timeout = question.timeout, .cancellation = cancellation, .deadline = question.deadline})
          .status();
  if (hearing.error.ok()) hearing = HearReply(socket, words.reply, end, cancellation);
  if (absl::IsCancelled(hearing.error)) return hearing.error;
  if (hearing.heard == Heard::kReply) return Answer{.reason = Reason::kOpen};
  const std::string& name = question.far_name;
  if (ReasonOfError(hearing.error, true) == Reason::kNoDaemon && !hearing.error.ok()) {
    return AnswerOf(hearing.error, question.from_name, true);
  }
  const bool ours = far.HasPeer(FormatEndpoint(socket.local()));
  Answer answer =
      ours ? WithoutReply(question, far, words.token, Reason::kDropped,
                          "the connection reached " + name + ", its data did not within " + Within(question.timeout))
           : WithoutReply(question, far, words.token, Reason::kSomebodyElse,
                          "connected, but not to what the probe opened on " + name);
  if (ours && answer.reason == Reason::kDropped && ReasonOfError(hearing.error, true) == Reason::kReset) {
    answer.reason = Reason::kReset;
    answer.detail = "the connection reached " + name + ", and was reset: " + FirstLine(hearing.error);
  }
  answer.error = ReasonOf(hearing.error);
  answer.errno_number = ErrnoOf(hearing.error);
  return answer;
}

}  // namespace

std::string Within(absl::Duration timeout) { return absl::FormatDuration(timeout); }

Answer AnswerOf(const absl::Status& error, const std::string& at, bool far_listens) {
  Answer answer{.reason = ReasonOfError(error, far_listens),
                .error = Classify(error) == ErrorKind::kTimedOut ? "" : ReasonOf(error),
                .errno_number = ErrnoOf(error),
                .detail = FirstLine(error)};
  const bool of_network = IsBlocked(answer.reason);
  if (!of_network && !at.empty()) answer.detail = at + ": " + answer.detail;
  return answer;
}

Answer WithoutReply(const Question& question, const FarEnd& far, const std::string& token, Reason otherwise,
                    const std::string& detail) {
  const std::string& name = question.far_name;
  if (const std::optional<absl::Status> reply = far.Arrival(token)) {
    return {.reason = Reason::kOneWay,
            .detail = reply->ok() ? "it reached " + name + ", whose answer was lost"
                                  : "it reached " + name + ", which could not answer: " + FirstLine(*reply)};
  }
  const absl::Status health = far.Health();
  if (health.ok()) return {.reason = otherwise, .detail = detail};
  Answer broken = AnswerOf(health, name, false);
  if (IsBlocked(broken.reason)) broken.reason = Reason::kFailed;  // it speaks of no network
  return broken;
}

absl::StatusOr<Answer> AskTcp(const Question& question, const Host& host, FarEnd* far, Cancellation* cancellation) {
  v1::OpenSocketRequest request;
  *request.mutable_connect() = question.to;
  SOCKETEER_RETURN_IF_ERROR(ApplyKind(question.to.has_unix_domain() ? "unix" : "tcp", &request));
  const absl::Time start = absl::Now();
  const absl::StatusOr<RemoteSocket> socket = host.Open(
      std::move(request), {.timeout = question.timeout, .cancellation = cancellation, .deadline = question.deadline});
  const absl::Duration took = absl::Now() - start;
  if (absl::IsCancelled(socket.status())) return socket.status();
  absl::StatusOr<Answer> answer = Answer{.reason = Reason::kOpen};
  if (!socket.ok()) {
    answer = AnswerOf(socket.status(), question.from_name, far != nullptr);
    if (answer->reason == Reason::kTimeout) answer->detail = "nothing came back within " + Within(question.timeout);
    if (answer->reason == Reason::kDropped && far != nullptr) {
      answer->detail = question.far_name + " listens there, and nothing came back within " + Within(question.timeout);
    }
    if (far != nullptr && (answer->reason == Reason::kRejected || answer->reason == Reason::kUnreachable)) {
      answer->detail = question.far_name + " listens there; " + answer->detail;
    }
  } else if (far != nullptr) {
    answer = Converse(question, *socket, *far, cancellation);
  }
  if (answer.ok()) answer->took = took;
  return answer;
}

}  // namespace socketeer::probe
