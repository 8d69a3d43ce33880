// quota: how much the caller may use of the daemon, and uses.
#include <algorithm>
#include <string>
#include <vector>

#include "client/cli/fleet.h"
#include "client/cli/verbs.h"
#include "socketeer/status_macros.h"
#include "socketeer/text.h"

namespace socketeer::cli {
namespace {

std::string AllowedText(bool limited, uint64_t allowed) { return limited ? std::to_string(allowed) : "unlimited"; }

const std::vector<std::string> kQuotaHeader = {"QUOTA", "USED", "ALLOWED", "LEFT", "BURST"};

std::vector<std::vector<std::string>> QuotaRows(const v1::Quota& quota) {
  std::vector<std::vector<std::string>> rows;
  for (const v1::QuotaCount& each : quota.counts()) {
    const uint64_t left = each.allowed() - std::min(each.used(), each.allowed());
    rows.push_back({Printable(each.name()), std::to_string(each.used()),
                    AllowedText(each.has_allowed(), each.allowed()), each.has_allowed() ? std::to_string(left) : "-",
                    "-"});
  }
  for (const v1::QuotaRate& each : quota.rates()) {
    const bool limited = each.has_allowed();
    rows.push_back({Printable(each.name()), "-", AllowedText(limited, each.allowed()),
                    limited ? std::to_string(each.available()) : "-", limited ? std::to_string(each.burst()) : "-"});
  }
  return rows;
}

// What the table does not say.
void NoteOn(const Cli& cli, const v1::Quota& quota, const std::string& where = "") {
  if (quota.counts().empty()) cli.Note(where + "this daemon has no quotas; it counts for all callers together");
  if (quota.when_exceeded() == v1::WHEN_EXCEEDED_REFUSE) cli.Note(where + "who has used up a rate is refused");
  if (quota.when_exceeded() == v1::WHEN_EXCEEDED_DELAY) cli.Note(where + "who has used up a rate waits");
}

absl::Status ShowQuotaOnFleet(Cli& cli) {
  const auto ask = [&cli](const HostEntry& entry, const Host& host,
                          const CallOptions& calls) -> absl::StatusOr<HostAnswer> {
    SOCKETEER_ASSIGN_OR_RETURN(const v1::Quota quota, host.GetQuota(calls));
    if (!cli.out().IsStructured()) NoteOn(cli, quota, entry.name + ": ");
    return HostAnswer{.rows = QuotaRows(quota), .json = ToJson(quota)};
  };
  return AskFleet(cli, {.member = "quota", .columns = kQuotaHeader, .prints_names = false, .ask = ask});
}

absl::Status ShowQuota(Cli& cli) {
  if (cli.OnFleet()) return ShowQuotaOnFleet(cli);
  SOCKETEER_RETURN_IF_ERROR(cli.out().RefuseName());
  SOCKETEER_ASSIGN_OR_RETURN(const Host host, cli.Daemon());
  SOCKETEER_ASSIGN_OR_RETURN(const v1::Quota quota, host.GetQuota(cli.Calls()));
  if (cli.out().IsStructured()) return cli.out().Message(quota);
  if (!quota.counts().empty()) {
    std::vector<std::vector<std::string>> rows = QuotaRows(quota);
    rows.insert(rows.begin(), kQuotaHeader);
    SOCKETEER_RETURN_IF_ERROR(cli.out().Bytes(FormatTable(rows)));
  }
  NoteOn(cli, quota);
  return absl::OkStatus();
}

}  // namespace

void AddQuota(CLI::App& app, Cli& cli) {
  CLI::App* verb = app.add_subcommand("quota", "Show how much you may use of the daemon, and use");
  verb->footer("All together may have a quota too, which may be used up before yours.");
  cli.SetFleetAction(verb, [&cli] { return ShowQuota(cli); });
}

}  // namespace socketeer::cli
