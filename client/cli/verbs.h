// The verbs: each function adds one, or a few that belong together, to the command line.
#pragma once

#include "CLI/CLI.hpp"
#include "client/cli/cli.h"

namespace socketeer::cli {

void AddOpen(CLI::App& app, Cli& cli);
void AddBind(CLI::App& app, Cli& cli);
void AddConnect(CLI::App& app, Cli& cli);
void AddListen(CLI::App& app, Cli& cli);
void AddAccept(CLI::App& app, Cli& cli);
void AddSend(CLI::App& app, Cli& cli);
void AddReceive(CLI::App& app, Cli& cli);
void AddNc(CLI::App& app, Cli& cli);
void AddShutdown(CLI::App& app, Cli& cli);
void AddClose(CLI::App& app, Cli& cli);
void AddList(CLI::App& app, Cli& cli);
void AddInspect(CLI::App& app, Cli& cli);
void AddWait(CLI::App& app, Cli& cli);
void AddOptions(CLI::App& app, Cli& cli);
void AddShare(CLI::App& app, Cli& cli);
void AddTransfer(CLI::App& app, Cli& cli);
void AddWatch(CLI::App& app, Cli& cli);
void AddSessions(CLI::App& app, Cli& cli);
void AddBarrier(CLI::App& app, Cli& cli);
void AddPublish(CLI::App& app, Cli& cli);
// wait-value, withdraw, values.
void AddValues(CLI::App& app, Cli& cli);
void AddLabel(CLI::App& app, Cli& cli);
void AddPolicy(CLI::App& app, Cli& cli);
void AddHealthcheck(CLI::App& app, Cli& cli);
void AddVersion(CLI::App& app, Cli& cli);
void AddCert(CLI::App& app, Cli& cli);
void AddWhoAmI(CLI::App& app, Cli& cli);
void AddQuota(CLI::App& app, Cli& cli);
void AddRun(CLI::App& app, Cli& cli);
void AddHosts(CLI::App& app, Cli& cli);
void AddProbe(CLI::App& app, Cli& cli);
// Completes what the others added: `app` outlives the action.
void AddCompletion(CLI::App& app, Cli& cli);

}  // namespace socketeer::cli
