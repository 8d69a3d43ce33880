#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "client/cli/arguments.h"
#include "client/cli/verbs.h"
#include "socketeer/endpoint.h"
#include "socketeer/error.h"
#include "socketeer/status_macros.h"

namespace socketeer::cli {
namespace {

constexpr uint32_t kDefaultMaxBytes = 64 << 10;
constexpr uint32_t kStreamChunkBytes = 1 << 20;  // of one call

struct ReceiveArguments {
  std::string socket;
  std::optional<std::string> max;
  std::optional<std::string> min;
  bool until_eof = false;
  bool peek = false;
};

constexpr char kReceiveFooter[] =
    R"(Prints the payload and nothing else. Without --min or --until-eof it prints what is there, at
least one byte; of a datagram socket it prints one datagram.

Examples:
  socketeer recv conn
  socketeer recv conn --min 512 --max 512      exactly 512 bytes
  socketeer recv conn --until-eof > image.bin
  socketeer recv probe -o json                 with the sender's address, payload in base64)";

// The arguments as numbers; 0: not given.
struct Amounts {
  uint32_t max = 0;
  uint32_t min = 0;
};

absl::StatusOr<Amounts> ParseAmounts(const ReceiveArguments& arguments) {
  Amounts amounts;
  if (arguments.max.has_value()) {
    SOCKETEER_ASSIGN_OR_RETURN(amounts.max, ParseCount("--max", *arguments.max, 1, kMaxInt));
  }
  if (arguments.min.has_value()) {
    SOCKETEER_ASSIGN_OR_RETURN(amounts.min, ParseCount("--min", *arguments.min, 1, kMaxInt));
  }
  if (amounts.max != 0 && amounts.min > amounts.max) {
    return UsageError("--min is more than --max");
  }
  return amounts;
}

// One call's share of what is still to come.
v1::ReceiveDataRequest NextRequest(const Amounts& left, bool peek) {
  v1::ReceiveDataRequest request;
  request.set_peek(peek);
  request.set_max_bytes(std::min(left.max, kStreamChunkBytes));
  if (left.min != 0) {
    request.set_mode(v1::MODE_WHOLE);
    request.set_min_bytes(std::min(left.min, kStreamChunkBytes));
  }
  return request;
}

// As many calls as `left.min` takes; one when it is 0.
absl::Status ReceiveStream(Cli& cli, const RemoteSocket& socket, Amounts left, bool peek) {
  if (left.max == 0) left.max = std::max(kDefaultMaxBytes, left.min);
  v1::ReceiveDataResponse all;
  do {
    SOCKETEER_ASSIGN_OR_RETURN(const v1::ReceiveDataResponse response,
                               socket.Receive(NextRequest(left, peek), cli.Calls()));
    if (!cli.out().IsStructured()) SOCKETEER_RETURN_IF_ERROR(cli.out().Bytes(response.data()));
    const uint32_t size = static_cast<uint32_t>(response.data().size());
    left.max -= std::min(left.max, size);
    left.min -= std::min(left.min, size);
    if (all.data().empty()) all.set_offset(response.offset());
    all.mutable_data()->append(response.data());
    all.set_end_of_stream(response.end_of_stream());
    all.set_timed_out(response.timed_out());
  } while (left.min > 0 && !all.end_of_stream() && !all.timed_out());

  if (cli.out().IsStructured()) SOCKETEER_RETURN_IF_ERROR(cli.out().Message(all));
  if (all.end_of_stream()) cli.Note("end of stream");
  if (!all.timed_out()) return absl::OkStatus();
  return TimedOutError("recv: timed out; " + std::to_string(all.data().size()) + " bytes came");
}

absl::Status ReceiveToEnd(Cli& cli, const RemoteSocket& socket) {
  uint64_t received = 0;
  while (true) {
    const absl::StatusOr<v1::ReceiveDataResponse> response = socket.Receive(kStreamChunkBytes, cli.Calls());
    if (!response.ok()) {
      if (received > 0) cli.Note("recv: " + std::to_string(received) + " bytes came before");
      return response.status();
    }
    SOCKETEER_RETURN_IF_ERROR(cli.out().Bytes(response->data()));
    received += response->data().size();
    if (response->end_of_stream()) return absl::OkStatus();
    if (response->timed_out()) {
      return TimedOutError("recv: timed out; " + std::to_string(received) +
                           " bytes came, without the end of the stream");
    }
  }
}

// What -o table says of a datagram beside its payload.
void NoteDatagram(const Cli& cli, const v1::IncomingDatagram& datagram) {
  const std::string source = FormatEndpoint(datagram.source());
  const std::string from = source.empty() ? "" : " from " + source;
  const std::string size = std::to_string(datagram.payload().size());
  if (datagram.truncated()) {
    cli.Note("truncated: " + size + " of " + std::to_string(datagram.true_size()) + " bytes" + from);
  } else if (!from.empty() || datagram.payload().empty()) {
    cli.Note(size + " bytes" + from);
  }
}

absl::Status Print(Cli& cli, const v1::ReceiveDatagramsResponse& response) {
  if (cli.out().IsStructured()) return cli.out().Message(response);
  for (const v1::IncomingDatagram& datagram : response.datagrams()) {
    SOCKETEER_RETURN_IF_ERROR(cli.out().Bytes(datagram.payload()));
    NoteDatagram(cli, datagram);
  }
  return absl::OkStatus();
}

// One datagram or record; with `until_eof` all records to the end.
absl::Status ReceiveDatagrams(Cli& cli, const RemoteSocket& socket, const Amounts& amounts, bool peek, bool until_eof) {
  v1::ReceiveDatagramsRequest request;
  request.set_peek(peek);
  request.set_max_bytes(amounts.max != 0 ? amounts.max : kDefaultMaxBytes);
  while (true) {
    SOCKETEER_ASSIGN_OR_RETURN(const v1::ReceiveDatagramsResponse response,
                               socket.ReceiveDatagrams(request, cli.Calls()));
    SOCKETEER_RETURN_IF_ERROR(Print(cli, response));
    if (response.timed_out()) return TimedOutError("recv: timed out; nothing came");
    if (response.end_of_stream() && !until_eof) cli.Note("end of stream");
    if (response.end_of_stream() || !until_eof) return absl::OkStatus();
  }
}

absl::Status Receive(Cli& cli, const ReceiveArguments& arguments) {
  SOCKETEER_RETURN_IF_ERROR(cli.out().RefuseName());
  SOCKETEER_ASSIGN_OR_RETURN(const Amounts amounts, ParseAmounts(arguments));
  if (arguments.until_eof && cli.out().IsStructured()) {
    return UsageError("--until-eof prints bytes as they come; -o json and yaml do not go with it");
  }
  SOCKETEER_ASSIGN_OR_RETURN(const RemoteSocket socket, cli.FindSocket(arguments.socket));
  const v1::SocketType type = socket.socket().type();
  if (type == v1::SOCKET_TYPE_STREAM) {
    return arguments.until_eof ? ReceiveToEnd(cli, socket) : ReceiveStream(cli, socket, amounts, arguments.peek);
  }
  if (amounts.min != 0) return UsageError("--min is for streams; a datagram comes whole");
  if (arguments.until_eof && type == v1::SOCKET_TYPE_DGRAM) {
    return UsageError("--until-eof: a datagram socket has no end of stream");
  }
  return ReceiveDatagrams(cli, socket, amounts, arguments.peek, arguments.until_eof);
}

}  // namespace

void AddReceive(CLI::App& app, Cli& cli) {
  auto arguments = std::make_shared<ReceiveArguments>();
  CLI::App* verb = app.add_subcommand("recv", "Receive bytes, or a datagram");
  verb->footer(kReceiveFooter);
  AddSocket(verb, arguments->socket);
  CLI::Option* max =
      AddOptional(verb, "--max", arguments->max, "At most N bytes, default 65536; a longer datagram is cut")
          ->type_name("N");
  CLI::Option* min =
      AddOptional(verb, "--min", arguments->min, "Wait for N bytes, or the end of the stream, or the timeout")
          ->type_name("N");
  CLI::Option* peek = verb->add_flag("--peek", arguments->peek, "Leave the data where it is")->excludes(min);
  verb->add_flag("--until-eof", arguments->until_eof, "All bytes until the end of the stream")
      ->excludes(max)
      ->excludes(min)
      ->excludes(peek);
  cli.SetAction(verb, [&cli, arguments] { return Receive(cli, *arguments); });
}

}  // namespace socketeer::cli
