#include <string>
#include <vector>

#include "absl/time/time.h"
#include "client/cli/output.h"
#include "google/protobuf/util/time_util.h"
#include "socketeer/text.h"

namespace socketeer::cli {
namespace {

using google::protobuf::util::TimeUtil;

std::string DurationText(const google::protobuf::Duration& duration) {
  return absl::FormatDuration(absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos()));
}

}  // namespace

std::string SessionLine(const v1::Session& session) {
  return Printable(session.name()) + "  ttl " + DurationText(session.ttl()) + "  grace " +
         DurationText(session.grace()) + "  sockets " + std::to_string(session.sockets()) + "  holders " +
         std::to_string(session.holders());
}

std::string SessionTable(const v1::ListSessionsResponse& list) {
  std::vector<std::vector<std::string>> rows = {{"NAME", "TTL", "GRACE", "EXPIRES", "SOCKETS", "HOLDERS"}};
  for (const v1::Session& session : list.sessions()) {
    rows.push_back({Printable(session.name()), DurationText(session.ttl()), DurationText(session.grace()),
                    TimeUtil::ToString(session.expire_time()), std::to_string(session.sockets()),
                    std::to_string(session.holders())});
  }
  return FormatTable(rows);
}

absl::Status Output::Session(const v1::Session& session) const {
  if (format_ == Format::kTable) return Bytes(SessionLine(session) + "\n");
  if (format_ == Format::kName) return Bytes(session.name() + "\n");
  return Message(session);
}

absl::Status Output::Sessions(const v1::ListSessionsResponse& list) const {
  if (IsStructured()) return Message(list);
  if (format_ == Format::kTable) return Bytes(SessionTable(list));
  std::string names;
  for (const v1::Session& session : list.sessions()) names += session.name() + "\n";
  return Bytes(names);
}

absl::Status Output::SessionInFull(const v1::Session& session) const {
  if (format_ != Format::kTable) return Session(session);
  return Bytes(FormatTable({
      {"Name:", Printable(session.name())},
      {"Owner:", Printable(session.owner())},
      {"Lease:", DurationText(session.ttl())},
      {"Grace:", DurationText(session.grace())},
      {"Created:", TimeUtil::ToString(session.create_time())},
      {"Expires:", TimeUtil::ToString(session.expire_time())},
      {"Sockets:", std::to_string(session.sockets())},
      {"Holders:", std::to_string(session.holders())},
  }));
}

}  // namespace socketeer::cli
