// nc: standard input and output joined to a remote socket.
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "client/cli/arguments.h"
#include "client/cli/interrupt.h"
#include "client/cli/nc_conversation.h"
#include "client/cli/nc_error.h"
#include "client/cli/nc_far_end.h"
#include "client/cli/nc_plan.h"
#include "client/cli/nc_stdio.h"
#include "client/cli/patience.h"
#include "client/cli/verbs.h"
#include "socketeer/endpoint.h"
#include "socketeer/error.h"
#include "socketeer/session.h"
#include "socketeer/status_macros.h"

namespace socketeer::cli {
namespace {

// How much longer than this program tries to get back to its daemon the daemon keeps the session of a program that
// died.
constexpr absl::Duration kLeaseGrace = absl::Seconds(10);

// With -k, before what did not work is tried again.
constexpr int kPauseMilliseconds = 1000;
// Before it is looked again whether the daemon is back.
constexpr int kAbsenceMilliseconds = 100;

// Whether, with -k, the next connection is served after this one ended so. It has ended because of itself, not of the
// daemon, of this program's own input and output, or of a signal.
bool IsOfOneConnection(const absl::Status& end) {
  const ErrorKind kind = Classify(end);
  return kind == ErrorKind::kNone || kind == ErrorKind::kKernel || kind == ErrorKind::kDaemon ||
         kind == ErrorKind::kTimedOut;
}

// Whether a call on a socket that stays may succeed later: accept(2) tells of connections that are gone and of what the
// host is short of. EINVAL: the socket was shut down.
bool MayPass(const absl::Status& error) {
  const std::string reason = ReasonOf(error);
  if (Classify(error) != ErrorKind::kKernel) return reason == "LIMIT_REACHED";
  return reason != "EINVAL" && reason != "EBADF" && reason != "ENOTSOCK" && reason != "EOPNOTSUPP";
}

constexpr char kNcFooter[] =
    R"(It goes on until the peer has ended and standard input too. Without -N the peer is not told of the
end of standard input. Standard output ends with what the peer sends; at a terminal all ends with it.

Examples:
  socketeer --host build-3 nc 10.0.0.1 80
  socketeer nc -N 10.0.0.1 9000 < image.bin > answer.bin
  socketeer nc -l 127.0.0.1 0                    tells its port: "listening on 127.0.0.1:40123"
  socketeer nc -lk 9000 >> log                   one connection after the other, until Ctrl-C
  echo status | socketeer nc -u -w 1 10.0.0.1 8125
  socketeer nc -U /run/app.sock)";

// Runs one `nc`.
class Nc {
 public:
  Nc(Cli& cli, const Host& host, const NcPlan& plan) : cli_(cli), host_(host), plan_(plan) {}

  absl::Status Run();

 private:
  absl::Status Serve(RemoteSocket socket);
  absl::Status ServeStreams(RemoteSocket listener);
  // The listener's connection of this number, also when the connection to the daemon breaks meanwhile.
  absl::StatusOr<RemoteSocket> Accept(const RemoteSocket& listener, uint64_t number) const;
  // Waits until the daemon answers again, after `why`. An error is the last word.
  absl::Status AwaitDaemon(const RemoteSocket& listener, const absl::Status& why) const;
  absl::Status ServeDatagrams(const RemoteSocket& socket);
  absl::Status HearEverySender(const RemoteSocket& socket);
  absl::Status TalkOverStream(const RemoteSocket& socket);
  // With `peer`, with nobody else; else silent or not.
  absl::Status TalkInDatagrams(const RemoteSocket& socket, bool silent, std::optional<v1::Endpoint> peer = {});
  void Tell(const absl::Status& error) const { cli_.Note(FormatError(error)); }
  // Tells it, and gives it time to pass. CANCELLED: a signal.
  absl::Status TellAndPause(const absl::Status& error) const;
  static absl::Status Pause(int milliseconds);
  // The first datagram's sender becomes the peer. nullopt: it has no name to answer to.
  absl::StatusOr<std::optional<v1::Endpoint>> ConnectToFirst(const RemoteSocket& socket);
  // Whether the daemon that ended it so is another one than the one that opened the socket.
  bool WasRestarted(const absl::Status& end) const;
  CallOptions CallsWithin(absl::Duration time) const;
  NcManners Manners() const;

  Cli& cli_;
  const Host& host_;
  const NcPlan& plan_;
  std::chrono::steady_clock::time_point opened_;
};

CallOptions Nc::CallsWithin(absl::Duration time) const {
  CallOptions options = cli_.Calls();
  options.timeout = time;
  return options;
}

NcManners Nc::Manners() const {
  return {.shut_down = plan_.shut_down,
          .ends_with_peer = plan_.keeps || isatty(STDIN_FILENO) == 1,
          .ends_output = !plan_.keeps,
          .idle = plan_.wait};
}

absl::Status Nc::Run() {
  const bool waits = plan_.wait != absl::InfiniteDuration();
  absl::StatusOr<RemoteSocket> socket = host_.Open(plan_.open, CallsWithin(waits ? plan_.wait : cli_.timeout()));
  if (!socket.ok()) return OpenErrorAsTyped(socket.status(), plan_);
  opened_ = std::chrono::steady_clock::now();
  for (const v1::FailedAttempt& attempt : socket->failed_attempts()) {
    cli_.Note("tried " + FormatEndpoint(attempt.peer()) + ": " + attempt.reason());
  }
  if (plan_.listens) cli_.Note("listening on " + FormatEndpoint(socket->local()));
  const absl::Status end = Serve(*std::move(socket));
  if (!WasRestarted(end)) return end;
  return Reworded(end, "the daemon at " + host_.endpoint() + " was restarted: the socket is gone");
}

absl::Status Nc::Serve(RemoteSocket socket) {
  if (plan_.listens && !plan_.datagrams) return ServeStreams(std::move(socket));
  if (plan_.listens) return ServeDatagrams(socket);
  return plan_.datagrams ? TalkInDatagrams(socket, false) : TalkOverStream(socket);
}

bool Nc::WasRestarted(const absl::Status& end) const {
  const std::string reason = ReasonOf(end);
  if (reason != "SESSION_NOT_FOUND" && reason != "SOCKET_NOT_FOUND") return false;
  const absl::StatusOr<Host> daemon = cli_.DaemonAt();  // the session that calls are made in here is gone
  if (!daemon.ok()) return false;
  const absl::StatusOr<v1::Host> about = daemon->GetHost(cli_.Calls());
  const absl::Duration open = absl::FromChrono(std::chrono::steady_clock::now() - opened_);
  return about.ok() && absl::Seconds(about->uptime().seconds()) + absl::Nanoseconds(about->uptime().nanos()) < open;
}

absl::Status Nc::ServeStreams(RemoteSocket listener) {
  uint64_t number = 0;
  while (true) {
    const absl::StatusOr<RemoteSocket> accepted = Accept(listener, number);
    if (!accepted.ok()) {
      if (!plan_.keeps || !MayPass(accepted.status())) return accepted.status();
      SOCKETEER_RETURN_IF_ERROR(TellAndPause(accepted.status()));
      continue;
    }
    ++number;
    if (!plan_.keeps) SOCKETEER_RETURN_IF_ERROR(listener.Close(cli_.Calls()).status());
    const absl::Status end = TalkOverStream(*accepted);
    if (!plan_.keeps || !IsOfOneConnection(end) || WasRestarted(end)) return end;
    if (!end.ok()) Tell(end);
  }
}

absl::StatusOr<RemoteSocket> Nc::Accept(const RemoteSocket& listener, uint64_t number) const {
  while (true) {
    v1::AcceptSocketRequest request;
    request.set_sequence(number);  // whose answer was lost with the connection, comes again
    absl::StatusOr<RemoteSocket> accepted = listener.Accept(std::move(request), CallsWithin(absl::InfiniteDuration()));
    if (Classify(accepted.status()) != ErrorKind::kUnreachable) return accepted;
    SOCKETEER_RETURN_IF_ERROR(AwaitDaemon(listener, accepted.status()));
  }
}

absl::Status Nc::AwaitDaemon(const RemoteSocket& listener, const absl::Status& why) const {
  Patience patience(cli_);
  patience.Answered();
  absl::Status answer = why;
  while (Classify(answer) == ErrorKind::kUnreachable) {
    SOCKETEER_RETURN_IF_ERROR(patience.Forgive(answer));
    SOCKETEER_RETURN_IF_ERROR(Pause(kAbsenceMilliseconds));
    answer = listener.Get(cli_.Calls()).status();
  }
  if (answer.ok()) patience.Answered();
  return answer;
}

absl::Status Nc::TellAndPause(const absl::Status& error) const {
  Tell(error);
  return Pause(kPauseMilliseconds);
}

absl::Status Nc::Pause(int milliseconds) {
  pollfd interrupts{.fd = WatchInterrupts(), .events = POLLIN, .revents = 0};
  poll(&interrupts, 1, milliseconds);
  return interrupts.revents == 0 ? absl::OkStatus() : absl::CancelledError("interrupted");
}

absl::Status Nc::ServeDatagrams(const RemoteSocket& socket) {
  if (plan_.keeps) return HearEverySender(socket);
  SOCKETEER_ASSIGN_OR_RETURN(std::optional<v1::Endpoint> peer, ConnectToFirst(socket));
  const bool silent = !peer.has_value();
  if (silent) cli_.Note("the sender has no name: standard input is not sent");
  return TalkInDatagrams(socket, silent, std::move(peer));
}

// With many senders there is nobody to answer to.
absl::Status Nc::HearEverySender(const RemoteSocket& socket) {
  while (true) {
    const absl::Status end = TalkInDatagrams(socket, true);
    if (!MayPass(end)) return end;
    SOCKETEER_RETURN_IF_ERROR(TellAndPause(end));
  }
}

absl::StatusOr<std::optional<v1::Endpoint>> Nc::ConnectToFirst(const RemoteSocket& socket) {
  v1::ReceiveDatagramsRequest request;
  request.set_peek(true);
  SOCKETEER_ASSIGN_OR_RETURN(const v1::ReceiveDatagramsResponse first,
                             socket.ReceiveDatagrams(std::move(request), CallsWithin(absl::InfiniteDuration())));
  if (first.datagrams_size() == 0) return absl::InternalError("the daemon answered with no datagram, and no reason");
  const v1::IncomingDatagram& datagram = first.datagrams(0);
  if (!datagram.has_source()) return std::nullopt;
  SOCKETEER_RETURN_IF_ERROR(socket.Connect(datagram.source(), cli_.Calls()).status());
  return datagram.source();
}

absl::Status Nc::TalkOverStream(const RemoteSocket& socket) {
  StreamOptions options;
  options.patience = cli_.timeout();
  options.cancellation = cli_.Calls().cancellation;
  SOCKETEER_ASSIGN_OR_RETURN(Stream stream, socket.Attach(options));
  NcStream far_end(std::move(stream));
  return NcConversation(far_end, Manners()).Run();
}

absl::Status Nc::TalkInDatagrams(const RemoteSocket& socket, bool silent, std::optional<v1::Endpoint> peer) {
  // No datagram of UDP is longer than the default.
  uint32_t max_bytes = 0;
  if (plan_.unix_domain) {
    SOCKETEER_ASSIGN_OR_RETURN(const v1::Host about, host_.GetHost(cli_.Calls()));
    max_bytes = about.limits().max_payload_bytes();
  }
  NcDatagrams far_end(socket, max_bytes, std::move(peer));
  NcManners manners = Manners();
  manners.silent = silent;
  // What comes just then is not lost, as it could be by beginning anew.
  if (plan_.keeps) manners.tell_idle = [this](const absl::Status& idle) { Tell(idle); };
  return NcConversation(far_end, manners).Run();
}

// A session of its own, unless the caller named one: so the socket closes although this program is killed.
absl::Status InSessionOfItsOwn(Cli& cli, const NcPlan& plan) {
  SOCKETEER_ASSIGN_OR_RETURN(const Host host, cli.Daemon());
  if (!host.session().empty()) return Nc(cli, host, plan).Run();
  v1::CreateSessionRequest request;
  const absl::Duration ttl = std::min<absl::Duration>(cli.timeout() + kLeaseGrace, absl::Hours(24));
  request.mutable_ttl()->set_seconds(absl::ToInt64Seconds(ttl));
  SOCKETEER_ASSIGN_OR_RETURN(const Session session, host.CreateSession(std::move(request), cli.Calls()));
  return Nc(cli, session.host(), plan).Run();
}

absl::Status RunNc(Cli& cli, const NcFlags& flags) {
  SOCKETEER_RETURN_IF_ERROR(cli.RefuseFormat());
  SOCKETEER_ASSIGN_OR_RETURN(const NcPlan plan, MakeNcPlan(flags));
  // Signals, and a reader that is gone, end the conversation, not the process: the socket is closed first.
  WatchInterrupts();
  signal(SIGPIPE, SIG_IGN);
  absl::Status end = InSessionOfItsOwn(cli, plan);
  if (IsReaderGone(end)) EndAsByBrokenPipe();
  return end;
}

}  // namespace

void AddNc(CLI::App& app, Cli& cli) {
  auto flags = std::make_shared<NcFlags>();
  CLI::App* verb = app.add_subcommand("nc", "Join standard input and output to a socket, as netcat does");
  verb->footer(kNcFooter);
  verb->add_option("WHERE", flags->where, "HOST PORT; with -l [HOST] PORT; with -U PATH")->type_name("");
  verb->add_flag("-l", flags->listen, "Listen, and serve the first one that connects");
  verb->add_flag("-k", flags->keep, "With -l: then the next one, and so on");
  verb->add_flag("-u", flags->udp, "Datagrams: each read of standard input is one");
  verb->add_flag("-U", flags->unix_domain, "A UNIX socket");
  verb->add_flag("-N", flags->shut_down, "At the end of standard input shut down the sending side");
  AddOptional(verb, "-w", flags->wait, "Give up when connecting takes so long, and when nothing moves for so long")
      ->type_name("TIME");
  AddOptional(verb, "-s", flags->source, "The socket's own address (of -U: path)")->type_name("ADDRESS");
  AddOptional(verb, "-p", flags->source_port, "The socket's own port")->type_name("PORT");
  cli.SetAction(verb, [&cli, flags] { return RunNc(cli, *flags); });
}

}  // namespace socketeer::cli
