// socketeer: sockets on other hosts, from the command line.
#include <fcntl.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "client/cli/cli.h"
#include "client/cli/exit_code.h"
#include "client/cli/verbs.h"
#include "socketeer/text.h"

namespace {

constexpr size_t kMaxMessage = 300;  // bytes, of the parser: it repeats what it was given

constexpr char kDescription[] =
    "Sockets on other hosts, as if they were yours: this program asks the daemon socketeerd to\n"
    "make socket calls on its host.";

constexpr char kProgramFooter[] =
    R"(A socket has a name, sockets/ID; the id alone will do. Data goes to standard output, all else
to standard error.

Addresses:  10.0.0.1:80  [::1]:80  [fe80::1%eth0]:80  name:80  :80 (to bind: every address)
            /run/x.sock  ./x.sock  unix:PATH  @abstract

Examples:
  socketeer open tcp --bind 127.0.0.1:0 --listen --id web     a listener; prints its port
  socketeer accept web --id conn                              waits for a client
  socketeer --host build-3 open tcp --connect 10.0.0.1:80 --id client
  echo hello | socketeer --host build-3 send client -
  socketeer recv conn                                         prints "hello"
  socketeer --host build-3 nc 10.0.0.1 80                     as netcat, from there
  socketeer ls
  socketeer close web conn
  socketeer ls --on rack=r1                                   on every such host of the hosts file
  socketeer watch                                             sockets as they come, change and go
  socketeer session create --id demo; socketeer session hold demo &
  socketeer --session demo open udp --bind :0                 closes when nobody holds demo any more

Exit codes: 0 ok, 1 usage or a value refused, 2 no daemon, 3 the socket operation failed,
4 an expectation did not hold, 5 denied by policy, 6 timed out, 130 Ctrl-C.)";

void AddVerbs(CLI::App& app, socketeer::cli::Cli& cli) {
  using namespace socketeer::cli;  // NOLINT: one list of names
  AddOpen(app, cli);
  AddBind(app, cli);
  AddConnect(app, cli);
  AddListen(app, cli);
  AddAccept(app, cli);
  AddSend(app, cli);
  AddReceive(app, cli);
  AddNc(app, cli);
  AddShutdown(app, cli);
  AddClose(app, cli);
  AddList(app, cli);
  AddInspect(app, cli);
  AddWait(app, cli);
  AddOptions(app, cli);
  AddLabel(app, cli);
  AddSessions(app, cli);
  AddTransfer(app, cli);
  AddShare(app, cli);
  AddWatch(app, cli);
  AddBarrier(app, cli);
  AddPublish(app, cli);
  AddValues(app, cli);
  AddPolicy(app, cli);
  AddHealthcheck(app, cli);
  AddVersion(app, cli);
  AddCert(app, cli);
  AddWhoAmI(app, cli);
  AddQuota(app, cli);
  AddRun(app, cli);
  AddHosts(app, cli);
  AddProbe(app, cli);
  AddCompletion(app, cli);
}

// "opt get", as far as the command line went before the mistake.
std::string VerbWords(const CLI::App& app) {
  const std::vector<CLI::App*> parsed = app.get_subcommands();
  if (parsed.empty()) return "";
  const std::string inner = VerbWords(*parsed[0]);
  return parsed[0]->get_name() + (inner.empty() ? "" : " " + inner);
}

// A standard descriptor that is closed would be the next thing opened, such as one of gRPC's. What takes its place here
// refuses the wrong direction: reading or writing it fails with EBADF, as if it were closed.
void FillStandardDescriptors() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (fcntl(fd, F_GETFD) < 0) open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

// Before every initialiser of a static variable, those of shared libraries too: gRPC's open an eventfd.
[[gnu::section(".preinit_array"), gnu::used]] void (*fill_standard_descriptors)() = FillStandardDescriptors;

// CLI11's own exit codes are not ours.
int FinishParse(const CLI::App& app, const CLI::ParseError& error) {
  if (error.get_exit_code() == 0) {  // --help
    app.exit(error);
    if (std::cout.flush()) return 0;
    std::cerr << "socketeer: cannot write the output: " << std::strerror(errno) << "\n";
    return socketeer::cli::kExitFailed;
  }
  const std::string verb = VerbWords(app);
  std::string message = socketeer::Printable(error.what(), kMaxMessage);
  if (verb.empty() && !app.remaining().empty()) {
    message = socketeer::Quoted(app.remaining()[0]) + " is not a verb";
  }
  std::cerr << "socketeer: " << (verb.empty() ? "" : verb + ": ") << message << "\n"
            << "socketeer: 'socketeer " << (verb.empty() ? "" : verb + " ") << "--help' tells what there is\n";
  return socketeer::cli::kExitUsage;
}

}  // namespace

int main(int argc, char** argv) {
  // A reader that is gone ends this program as it ends any other.
  signal(SIGPIPE, SIG_DFL);
  // With what a parent may have ignored, nobody could ask how a program of `run` ended.
  signal(SIGCHLD, SIG_DFL);
  // gRPC's own words on stderr are not for people.
  setenv("GRPC_VERBOSITY", "NONE", 0);
  // gRPC's threads go on while the program exits: OpenSSL must not be taken down under one that connects once more.
  OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, nullptr);

  CLI::App app(kDescription, "socketeer");
  app.footer(kProgramFooter);
  app.set_version_flag("--version", "socketeer " SOCKETEER_VERSION,
                       "This program's version; 'version' asks the daemon too");
  app.require_subcommand(1);
  app.fallthrough();
  app.get_formatter()->column_width(28);
  // Never destroyed: the thread that waits for signals uses it to the end.
  static socketeer::cli::Cli& cli = *new socketeer::cli::Cli;  // static, or LeakSanitizer may lose sight of it
  cli.AddGlobalOptions(app);
  AddVerbs(app, cli);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return FinishParse(app, error);
  }
  return cli.Run();
}
