#include "client/scenario/operation.h"

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/scenario/answer.h"
#include "client/scenario/prepare.h"
#include "client/scenario/verb.h"
#include "google/protobuf/duration.pb.h"
#include "socketeer/endpoint.h"
#include "socketeer/error.h"
#include "socketeer/names.h"
#include "socketeer/text.h"
#include "socketeer/v1/socket_service.pb.h"

namespace socketeer::scenario {
namespace {

using google::protobuf::Message;
using google::protobuf::MethodDescriptor;

constexpr uint64_t kChunkBytes = 1 << 20;  // of one call of many

std::unique_ptr<Message> NewAnswer(const MethodDescriptor& method) {
  const Message* const prototype =
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(method.output_type());
  return std::unique_ptr<Message>(prototype->New());
}

// One operation on its way: its calls, and what they add up to.
class Performer {
 public:
  Performer(const Prepared& prepared, const Host& host, const CallOptions& options)
      : prepared_(prepared),
        host_(host),
        options_(options),
        end_(absl::Now() + options.timeout.value_or(absl::InfiniteDuration())) {}

  absl::StatusOr<std::unique_ptr<Message>> Run() {
    if (auto* const request = Of<v1::SendDataRequest>(); request != nullptr && prepared_.send_all) {
      return WithDatagrams(SendAll(*request));
    }
    if (auto* const request = Of<v1::ReceiveDataRequest>(); request != nullptr && ReceivesMany()) {
      return ReceiveMany(*request);
    }
    return WithDatagrams(Once(*prepared_.method, *prepared_.request));
  }

 private:
  using Result = absl::StatusOr<std::unique_ptr<Message>>;

  template <typename Request>
  Request* Of() const {
    return prepared_.method->input_type() == Request::descriptor() ? static_cast<Request*>(prepared_.request.get())
                                                                   : nullptr;
  }

  bool ReceivesMany() const { return prepared_.receive_bytes > 0 || prepared_.receive_to_end; }

  // A datagram socket refuses the calls of streams, and nothing is done.
  Result WithDatagrams(Result result) {
    if (result.ok() || prepared_.datagram_method == nullptr || ReasonOf(result.status()) != "WRONG_KIND") return result;
    return Once(*prepared_.datagram_method, *prepared_.datagram_request);
  }

  Result Once(const MethodDescriptor& method, Message& request) {
    Bound(&request);
    std::unique_ptr<Message> answer = NewAnswer(method);
    absl::Status status = host_.Call(method, request, answer.get(), options_);
    if (!status.ok()) return status;
    return answer;
  }

  // What waits ends by itself before the step does.
  void Bound(Message* request) const {
    const auto* const field = request->GetDescriptor()->FindFieldByName("timeout");
    if (field == nullptr || !options_.timeout.has_value()) return;
    if (const auto* const open = dynamic_cast<const v1::OpenSocketRequest*>(request); open && !open->has_connect())
      return;
    absl::Duration left = end_ - absl::Now();
    left = std::clamp(left, absl::ZeroDuration(), absl::Hours(24));
    google::protobuf::Duration timeout;
    if (request->GetReflection()->HasField(*request, field)) {
      timeout.CopyFrom(request->GetReflection()->GetMessage(*request, field));
      if (absl::Seconds(timeout.seconds()) + absl::Nanoseconds(timeout.nanos()) <= left) return;
    }
    timeout.set_seconds(absl::IDivDuration(left, absl::Seconds(1), &left));
    timeout.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(left)));
    request->GetReflection()->MutableMessage(request, field)->CopyFrom(timeout);
  }

  Result SendAll(const v1::SendDataRequest& whole) {
    auto total = std::make_unique<v1::SendDataResponse>();
    std::string_view left = whole.data();
    v1::SendDataRequest request;  // all but the data, which may be much
    request.set_name(whole.name());
    request.set_uid(whole.uid());
    if (whole.has_timeout()) *request.mutable_timeout() = whole.timeout();
    do {
      const std::string_view chunk = left.substr(0, kChunkBytes);
      request.set_data(chunk.data(), chunk.size());
      request.set_mode(v1::MODE_WHOLE);
      const Result answer = Once(*prepared_.method, request);
      if (!answer.ok()) return WithBytesBefore(answer.status(), total->bytes_sent());
      const auto& sent = static_cast<const v1::SendDataResponse&>(**answer);
      total->set_bytes_sent(total->bytes_sent() + sent.bytes_sent());
      total->set_next_offset(sent.next_offset());
      total->set_timed_out(sent.timed_out());
      left.remove_prefix(std::min<size_t>(sent.bytes_sent(), left.size()));
    } while (!left.empty() && !total->timed_out());
    return total;
  }

  static absl::Status WithBytesBefore(absl::Status status, uint64_t bytes) {
    std::optional<v1::SocketError> error = SocketErrorOf(status);
    if (!error.has_value() || bytes == 0) return status;
    error->set_bytes_done(error->bytes_done() + bytes);
    status.SetPayload("type.googleapis.com/" + v1::SocketError::descriptor()->full_name(),
                      absl::Cord(error->SerializeAsString()));
    return status;
  }

  Result ReceiveMany(const v1::ReceiveDataRequest& first) {
    auto total = std::make_unique<v1::ReceiveDataResponse>();
    while (true) {
      v1::ReceiveDataRequest request = first;
      const uint64_t have = total->data().size();
      const uint64_t want =
          prepared_.receive_to_end ? kChunkBytes : std::min(kChunkBytes, prepared_.receive_bytes - have);
      request.set_max_bytes(static_cast<uint32_t>(want));
      if (!prepared_.receive_to_end) {
        request.set_min_bytes(request.max_bytes());
        request.set_mode(v1::MODE_WHOLE);
      }
      const Result answer = Once(*prepared_.method, request);
      if (!answer.ok()) return answer.status();
      const auto& part = static_cast<const v1::ReceiveDataResponse&>(**answer);
      if (have == 0) total->set_offset(part.offset());
      total->mutable_data()->append(part.data());
      total->set_end_of_stream(part.end_of_stream());
      total->set_timed_out(part.timed_out());
      if (part.end_of_stream() || part.timed_out()) return total;
      if (prepared_.receive_bytes > 0 && total->data().size() >= prepared_.receive_bytes) return total;
      if (total->data().size() > kMaxValueBytes) {
        return absl::AbortedError(
            absl::StrCat("more than ", kMaxValueBytes, " bytes came before the end of the stream"));
      }
    }
  }

  const Prepared& prepared_;
  const Host& host_;
  const CallOptions& options_;
  const absl::Time end_;  // of all calls together: the RPC's own deadline is behind it
};

// `text` and `hex`: the data that came; of many datagrams, that of each, and of the first.
void AddData(nlohmann::json* answer) {
  const auto add = [](nlohmann::json& to, const std::string& data) {
    to["text"] = data;
    to["hex"] = absl::BytesToHexString(data);
  };
  if (answer->contains("data")) add(*answer, answer->at("data").get<std::string>());
  if (answer->contains("value") && answer->at("value").contains("data")) {
    add(*answer, answer->at("value").at("data").get<std::string>());
  }
  if (!answer->contains("datagrams")) return;
  for (nlohmann::json& datagram : answer->at("datagrams")) add(datagram, datagram.at("payload").get<std::string>());
  if (!answer->at("datagrams").empty()) add(*answer, answer->at("datagrams")[0].at("payload").get<std::string>());
}

absl::Time ToTime(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

const v1::Socket* SocketOf(const Message& answer) {
  if (answer.GetDescriptor() == v1::Socket::descriptor()) return static_cast<const v1::Socket*>(&answer);
  const auto* const field = answer.GetDescriptor()->FindFieldByName("socket");
  if (field == nullptr || field->is_repeated() || field->message_type() != v1::Socket::descriptor() ||
      !answer.GetReflection()->HasField(answer, field)) {
    return nullptr;
  }
  return static_cast<const v1::Socket*>(&answer.GetReflection()->GetMessage(answer, field));
}

void AddSocketFacts(const v1::Socket& socket, const SocketNames& names, Outcome* outcome) {
  outcome->socket = names.ToFile(socket.name());
  outcome->local = FormatEndpoint(socket.local());
  outcome->peer = FormatEndpoint(socket.peer());
  if (socket.has_close_time()) {
    outcome->host_time = ToTime(socket.close_time());
  } else if (socket.has_create_time()) {
    outcome->host_time = ToTime(socket.create_time());
  }
}

// What was asked for, and not done.
std::string ShortfallOf(const Prepared& prepared, const Message& answer) {
  if (const auto* const sent = dynamic_cast<const v1::SendDatagramsResponse*>(&answer); sent && !sent->timed_out()) {
    const auto& request = static_cast<const v1::SendDatagramsRequest&>(
        prepared.datagram_request != nullptr ? *prepared.datagram_request : *prepared.request);
    const int done = static_cast<int>(sent->datagrams_sent() + sent->datagrams_skipped());
    if (done < request.datagrams_size()) {
      return absl::StrCat(done, " of ", request.datagrams_size(), " datagrams were sent");
    }
  }
  const auto* const got = dynamic_cast<const v1::ReceiveDataResponse*>(&answer);
  if (got != nullptr && !got->timed_out() && got->data().size() < prepared.receive_bytes) {
    return absl::StrCat(got->data().size(), " of ", prepared.receive_bytes, " bytes came before the end of the stream");
  }
  return "";
}

void AddFacts(const Prepared& prepared, const Message& answer, const SocketNames& names, Outcome* outcome) {
  const bool makes = prepared.method->name() == "OpenSocket" || prepared.method->name() == "AcceptSocket" ||
                     prepared.method->name() == "CloseSocket";
  if (const v1::Socket* const socket = SocketOf(answer); socket != nullptr) {
    AddSocketFacts(*socket, names, outcome);
    if (!makes) outcome->host_time.reset();
  }
  if (const auto* const sent = dynamic_cast<const v1::SendDataResponse*>(&answer))
    outcome->bytes_sent = sent->bytes_sent();
  if (const auto* const got = dynamic_cast<const v1::ReceiveDataResponse*>(&answer))
    outcome->bytes_received = got->data().size();
  if (const auto* const sent = dynamic_cast<const v1::SendDatagramsResponse*>(&answer)) {
    const auto& datagrams = static_cast<const v1::SendDatagramsRequest&>(
                                prepared.datagram_request != nullptr ? *prepared.datagram_request : *prepared.request)
                                .datagrams();
    for (int i = 0; i < std::min<int>(datagrams.size(), static_cast<int>(sent->datagrams_sent())); ++i) {
      outcome->bytes_sent += datagrams[i].payload().size();
    }
  }
  if (const auto* const got = dynamic_cast<const v1::ReceiveDatagramsResponse*>(&answer)) {
    for (const v1::IncomingDatagram& datagram : got->datagrams()) outcome->bytes_received += datagram.payload().size();
  }
}

void AddErrorFacts(const absl::Status& status, const SocketNames& names, Outcome* outcome) {
  outcome->answer = ToAnswer(status, names);
  const std::optional<v1::SocketError> error = SocketErrorOf(status);
  if (!error.has_value()) return;
  outcome->local = FormatEndpoint(error->local());
  outcome->peer = FormatEndpoint(error->peer());
  outcome->bytes_sent = error->bytes_done();
}

}  // namespace

absl::StatusOr<std::string> SocketNames::ToDaemon(std::string_view text) const {
  if (text.starts_with("sockets/")) return ParseSocketName(text);
  const absl::StatusOr<std::string> id = ParseSocketId(text);
  if (!id.ok()) return id.status();
  constexpr size_t kMostBytes = 50;  // a run's own word is put behind it
  if (id->size() > kMostBytes) return absl::InvalidArgumentError(Quoted(text) + " is longer than 50 bytes");
  return "sockets/" + *id + "-" + suffix_;
}

std::string SocketNames::ToFile(std::string_view name) const {
  const std::string end = "-" + suffix_;
  if (!name.ends_with(end)) return std::string(name);
  name.remove_suffix(end.size());
  if (name.starts_with("sockets/")) name.remove_prefix(std::string_view("sockets/").size());
  return std::string(name);
}

Outcome Perform(const Call& call, const Host& host, const Variables& variables, const SocketNames& names,
                const CallOptions& options) {
  const absl::Time begin = absl::Now();
  Outcome outcome;
  Mistakes mistakes;
  const FillIn fill = [&variables](const Value& word) -> absl::StatusOr<std::optional<std::string>> {
    absl::StatusOr<std::string> filled = variables.Fill(word.text);
    if (!filled.ok()) return filled.status();
    return *std::move(filled);
  };
  const Prepared prepared = Prepare(call, fill, names, &mistakes);
  if (mistakes.first().has_value()) {
    const Mistake& mistake = *mistakes.first();
    outcome.status = absl::InvalidArgumentError(
        absl::StrCat("line ", mistake.at.line, ", column ", mistake.at.column, ": ", mistake.what));
    AddErrorFacts(outcome.status, names, &outcome);
    return outcome;
  }
  outcome.socket = variables.Fill(prepared.socket).value_or(prepared.socket);
  const absl::StatusOr<std::unique_ptr<Message>> answer = Performer(prepared, host, options).Run();
  outcome.took = absl::Now() - begin;
  if (!answer.ok()) {
    outcome.status = answer.status();
    AddErrorFacts(outcome.status, names, &outcome);
    return outcome;
  }
  outcome.answer = ToAnswer(**answer, names);
  AddData(&outcome.answer);
  AddFacts(prepared, **answer, names, &outcome);
  outcome.shortfall = ShortfallOf(prepared, **answer);
  return outcome;
}

std::string Describe(const Call& call, const Variables& variables) {
  std::string line(call.verb->word);
  const auto word = [&variables](const Value& value) {
    const std::string filled = variables.Fill(value.text).value_or(value.text);
    return Printable(filled, 60);
  };
  constexpr size_t kMostFields = 4;
  size_t shown = 0;
  for (const auto& [key, value] : call.arguments.fields) {
    if (value.type != Value::Type::kWord || shown++ == kMostFields) continue;
    line += key.text == "socket" ? " " + word(value) : " " + key.text + "=" + word(value);
  }
  return line;
}

}  // namespace socketeer::scenario
