#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>
#include <vector>

#include "client/cli/output.h"
#include "google/protobuf/util/time_util.h"
#include "socketeer/endpoint.h"
#include "socketeer/state.h"
#include "socketeer/text.h"

namespace socketeer::cli {
namespace {

std::string LabelsOf(const v1::Socket& socket) {
  std::map<std::string, std::string> labels;
  for (const auto& [key, value] : socket.labels()) labels.emplace(key, value);
  return LabelsText(labels);
}

std::string GrantsText(const v1::Socket& socket) {
  std::string text;
  for (const v1::Grant& grant : socket.grants()) {
    text += (text.empty() ? "" : ", ") + Printable(grant.identity()) + " to " + AccessWord(grant.access());
  }
  return text;
}

std::string ShutdownText(const v1::Socket& socket) {
  if (socket.read_shutdown() && socket.write_shutdown()) return "rd wr";
  return socket.read_shutdown() ? "rd" : socket.write_shutdown() ? "wr" : "";
}

std::string CountText(uint64_t bytes, uint64_t datagrams) {
  std::string text = std::to_string(bytes) + " bytes";
  if (datagrams > 0) text += " in " + std::to_string(datagrams) + " datagrams";
  return text;
}

// Characters, not bytes, so that columns of UTF-8 stand straight.
size_t Width(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

// "snapshot" for CHANGE_KIND_SNAPSHOT.
std::string ChangeWord(v1::ChangeKind kind) {
  constexpr std::string_view kPrefix = "CHANGE_KIND_";
  std::string word = v1::ChangeKind_Name(kind);
  if (!word.starts_with(kPrefix)) return std::to_string(kind);
  word.erase(0, kPrefix.size());
  std::transform(word.begin(), word.end(), word.begin(), [](unsigned char c) { return std::tolower(c); });
  return word;
}

constexpr size_t kChangeWidth = std::string_view("snapshot").size();  // the longest

std::string CloseText(const v1::Socket& socket) {
  if (!socket.has_close_time()) return "-";
  return google::protobuf::util::TimeUtil::ToString(socket.close_time()) + "  " +
         CloseReasonWord(socket.close_reason());
}

}  // namespace

std::string OrDash(const std::string& text) { return text.empty() ? "-" : text; }

std::string LabelsText(const std::map<std::string, std::string>& labels) {
  std::string text;
  for (const auto& [key, value] : labels) {
    text += (text.empty() ? "" : ",") + Printable(key) + "=" + Printable(value);
  }
  return OrDash(text);
}

std::vector<std::string> SocketColumns(const v1::Socket& socket) {
  return {Printable(socket.name()), OrDash(Printable(socket.kind())), StateWord(socket.state()),
          OrDash(FormatEndpoint(socket.local())), OrDash(FormatEndpoint(socket.peer()))};
}

std::string SocketLine(const v1::Socket& socket) {
  std::string line;
  for (const std::string& column : SocketColumns(socket)) line += (line.empty() ? "" : "  ") + column;
  return line;
}

std::string ChangeLine(const v1::SocketChange& change) {
  const v1::Socket& socket = change.socket();
  const bool closed = socket.close_reason() != v1::CLOSE_REASON_UNSPECIFIED;
  std::string word = ChangeWord(change.kind());
  word.resize(std::max(word.size(), kChangeWidth), ' ');
  if (change.kind() == v1::CHANGE_KIND_UNSHARED) return word + "  " + Printable(socket.name());
  return word + "  " + SocketLine(socket) + (closed ? "  " + CloseReasonWord(socket.close_reason()) : "");
}

std::string FormatTable(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], Width(row[i]));
  }
  std::string text;
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      const bool last = i + 1 == row.size();
      text += row[i] + (last ? "\n" : std::string(widths[i] - Width(row[i]) + 2, ' '));
    }
  }
  return text;
}

std::vector<std::string> SocketHeader(bool with_owner) {
  std::vector<std::string> header = {"NAME", "KIND", "STATE", "LOCAL", "PEER", "LABELS"};
  if (with_owner) header.insert(header.end() - 1, "OWNER");
  return header;
}

std::vector<std::string> SocketRow(const v1::Socket& socket, bool with_owner) {
  std::vector<std::string> row = SocketColumns(socket);
  if (with_owner) row.push_back(Printable(socket.owner()));
  row.push_back(LabelsOf(socket));
  return row;
}

std::string SocketTable(const v1::ListSocketsResponse& list) {
  const bool shared = std::ranges::any_of(
      list.sockets(), [](const v1::Socket& each) { return each.access() != v1::ACCESS_UNSPECIFIED; });
  std::vector<std::vector<std::string>> rows = {SocketHeader(shared)};
  for (const v1::Socket& socket : list.sockets()) rows.push_back(SocketRow(socket, shared));
  return FormatTable(rows);
}

std::vector<std::vector<std::string>> SocketFacts(const v1::Socket& socket) {
  const v1::Counters& counters = socket.counters();
  std::vector<std::vector<std::string>> rows = {
      {"Name:", Printable(socket.name())},
      {"Uid:", Printable(socket.uid())},
      {"Kind:", Printable(socket.kind())},
      {"State:", StateWord(socket.state())},
      {"Local:", OrDash(FormatEndpoint(socket.local()))},
      {"Peer:", OrDash(FormatEndpoint(socket.peer()))},
      {"Shut down:", OrDash(ShutdownText(socket))},
      {"Labels:", LabelsOf(socket)},
      {"Owner:", Printable(socket.owner())},
      {"Session:", OrDash(Printable(socket.session()))},
      {"Created:", google::protobuf::util::TimeUtil::ToString(socket.create_time())},
      {"Closed:", CloseText(socket)},
      {"Sent:", CountText(counters.bytes_sent(), counters.datagrams_sent())},
      {"Received:", CountText(counters.bytes_received(), counters.datagrams_received())},
      {"Accepted:", std::to_string(counters.accepted())},
      {"Waiting:",
       std::to_string(socket.waiting_reads()) + " reads, " + std::to_string(socket.waiting_writes()) + " writes"},
  };
  if (socket.access() != v1::ACCESS_UNSPECIFIED) rows.push_back({"For you to:", AccessWord(socket.access())});
  if (!socket.grants().empty() && socket.access() == v1::ACCESS_UNSPECIFIED) {
    rows.push_back({"Shared with:", GrantsText(socket)});
  }
  return rows;
}

absl::Status Output::SocketInFull(const v1::Socket& socket) const {
  return format_ == Format::kTable ? Bytes(FormatTable(SocketFacts(socket))) : Socket(socket);
}

}  // namespace socketeer::cli
