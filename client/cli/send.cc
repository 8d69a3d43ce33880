#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "client/cli/arguments.h"
#include "client/cli/hex.h"
#include "client/cli/stdio.h"
#include "client/cli/verbs.h"
#include "socketeer/endpoint.h"
#include "socketeer/error.h"
#include "socketeer/names.h"
#include "socketeer/status_macros.h"

namespace socketeer::cli {
namespace {

// Limits.max_payload_bytes of a daemon.
constexpr size_t kMaxDatagramBytes = 2 << 20;

struct SendArguments {
  std::string socket;
  std::optional<std::string> text;
  std::optional<std::string> hex;
  std::optional<std::string> file;
  std::optional<std::string> to;
};

constexpr char kSendFooter[] =
    R"(What is sent is exactly TEXT: no end of line is added. To a stream, standard input goes while
it is being read; to a datagram socket it is one datagram. The timeout bounds how long nothing
moves.

Examples:
  socketeer send conn 'hello'
  printf 'GET / HTTP/1.0\r\n\r\n' | socketeer send conn -
  socketeer send conn --file image.bin
  socketeer send probe --hex '00 ff 17' --to 10.0.0.1:53
  socketeer send conn -- --looks-like-an-option)";

// What to send: bytes at hand, or an input to read.
struct Payload {
  std::string bytes;
  std::optional<Input> input;
};

absl::StatusOr<Payload> OpenPayload(const SendArguments& arguments) {
  Payload payload;
  if (arguments.hex.has_value()) {
    SOCKETEER_ASSIGN_OR_RETURN(payload.bytes, InArgument("--hex", ParseHex(*arguments.hex)));
  } else if (arguments.file.has_value()) {
    SOCKETEER_ASSIGN_OR_RETURN(Input input, InArgument("--file", Input::File(*arguments.file)));
    payload.input.emplace(std::move(input));
  } else if (arguments.text.has_value() && *arguments.text != "-") {
    payload.bytes = *arguments.text;
  } else {
    payload.input.emplace(Input::Standard());
  }
  return payload;
}

absl::Status TimedOut(uint64_t sent) {
  return TimedOutError("send: timed out; " + std::to_string(sent) + " bytes were sent");
}

// Sends `bytes`, adds to `total` what went.
absl::Status SendPart(Cli& cli, const RemoteSocket& socket, const std::string& bytes, v1::SendDataResponse& total) {
  const absl::StatusOr<v1::SendDataResponse> response = socket.SendAll(bytes, cli.Calls());
  if (!response.ok()) {
    if (total.bytes_sent() > 0) {
      cli.Note("send: " + std::to_string(total.bytes_sent()) + " bytes went before this failure");
    }
    return response.status();
  }
  total.set_bytes_sent(total.bytes_sent() + response->bytes_sent());
  total.set_next_offset(response->next_offset());
  return response->timed_out() ? TimedOut(total.bytes_sent()) : absl::OkStatus();
}

absl::Status SendInput(Cli& cli, const RemoteSocket& socket, const Input& input, v1::SendDataResponse& total) {
  while (true) {
    SOCKETEER_ASSIGN_OR_RETURN(const std::string bytes, input.Read(kSendChunkBytes));
    if (bytes.empty()) return absl::OkStatus();
    SOCKETEER_RETURN_IF_ERROR(SendPart(cli, socket, bytes, total));
  }
}

absl::Status SendStream(Cli& cli, const RemoteSocket& socket, const Payload& payload) {
  v1::SendDataResponse total;
  const absl::Status status = payload.input.has_value() ? SendInput(cli, socket, *payload.input, total)
                                                        : SendPart(cli, socket, payload.bytes, total);
  total.set_timed_out(Classify(status) == ErrorKind::kTimedOut);
  if (status.ok() || total.timed_out()) SOCKETEER_RETURN_IF_ERROR(cli.out().Message(total));
  return status;
}

absl::StatusOr<std::string> DatagramPayload(const Payload& payload) {
  if (payload.input.has_value()) return payload.input->ReadAll(kMaxDatagramBytes, "one datagram");
  if (payload.bytes.size() <= kMaxDatagramBytes) return payload.bytes;
  return UsageError("the payload has " + std::to_string(payload.bytes.size()) + " bytes; one datagram may have " +
                    std::to_string(kMaxDatagramBytes) + " here");
}

absl::Status SendDatagram(Cli& cli, const RemoteSocket& socket, const Payload& payload,
                          const std::optional<v1::Endpoint>& to) {
  v1::SendDatagramsRequest request;
  v1::OutgoingDatagram& datagram = *request.add_datagrams();
  SOCKETEER_ASSIGN_OR_RETURN(*datagram.mutable_payload(), DatagramPayload(payload));
  if (to.has_value()) *datagram.mutable_destination() = *to;
  SOCKETEER_ASSIGN_OR_RETURN(const v1::SendDatagramsResponse response,
                             socket.SendDatagrams(std::move(request), cli.Calls()));
  SOCKETEER_RETURN_IF_ERROR(cli.out().Message(response));
  return response.timed_out() ? TimedOut(0) : absl::OkStatus();
}

absl::Status Send(Cli& cli, const SendArguments& arguments) {
  SOCKETEER_RETURN_IF_ERROR(cli.out().RefuseName());
  std::optional<v1::Endpoint> to;
  if (arguments.to.has_value()) {
    SOCKETEER_ASSIGN_OR_RETURN(to, InArgument("--to", ParseEndpoint(*arguments.to, EndpointUse::kConnect)));
  }
  SOCKETEER_ASSIGN_OR_RETURN(const Payload payload, OpenPayload(arguments));
  SOCKETEER_ASSIGN_OR_RETURN(const RemoteSocket socket, cli.FindSocket(arguments.socket));
  if (socket.socket().type() != v1::SOCKET_TYPE_STREAM) {
    return SendDatagram(cli, socket, payload, to);
  }
  if (to.has_value()) return UsageError("--to is for datagrams; a stream goes to its peer");
  return SendStream(cli, socket, payload);
}

}  // namespace

void AddSend(CLI::App& app, Cli& cli) {
  auto arguments = std::make_shared<SendArguments>();
  CLI::App* verb = app.add_subcommand("send", "Send bytes, or a datagram");
  verb->footer(kSendFooter);
  AddSocket(verb, arguments->socket);
  CLI::Option* text = AddOptional(verb, "TEXT", arguments->text, "What to send; '-' or nothing: standard input");
  text->type_name("");
  CLI::Option* hex = AddOptional(verb, "--hex", arguments->hex, "What to send, in hexadecimal digits");
  hex->type_name("DIGITS")->excludes(text);
  AddOptional(verb, "--file", arguments->file, "Send the contents of a file")
      ->type_name("PATH")
      ->excludes(text)
      ->excludes(hex);
  AddOptional(verb, "--to", arguments->to, "Datagrams: where to, unless connected")->type_name("ADDRESS");
  cli.SetAction(verb, [&cli, arguments] { return Send(cli, *arguments); });
}

}  // namespace socketeer::cli
