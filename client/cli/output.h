// What goes to standard output.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "google/protobuf/message.h"
#include "socketeer/v1/coordination_service.pb.h"
#include "socketeer/v1/session_service.pb.h"
#include "socketeer/v1/socket_service.pb.h"

namespace socketeer::cli {

enum class Format { kTable, kJson, kYaml, kName };

// nullopt for a word that -o does not take.
std::optional<Format> ParseFormat(std::string_view word);

// Prints in one format. JSON is the proto's JSON, one document to a line; YAML the same, one
// document behind each "---".
class Output {
 public:
  explicit Output(Format format) : format_(format) {}

  Format format() const { return format_; }
  bool IsStructured() const { return format_ == Format::kJson || format_ == Format::kYaml; }

  // Bytes as they are.
  absl::Status Bytes(std::string_view bytes) const;
  // One line: name, kind, state, local and peer address.
  absl::Status Socket(const v1::Socket& socket) const;
  // Everything about a socket, a line each.
  absl::Status SocketInFull(const v1::Socket& socket) const;
  // One document, or a table with a header.
  absl::Status Sockets(const v1::ListSocketsResponse& list) const;
  // One line: what happened, and the socket after it.
  absl::Status Change(const v1::SocketChange& change) const;
  // With whom it is shared: a table with a header, the names of identities, or the socket.
  absl::Status Grants(const v1::Socket& socket) const;
  // The same of sessions as of sockets.
  absl::Status Session(const v1::Session& session) const;
  absl::Status SessionInFull(const v1::Session& session) const;
  absl::Status Sessions(const v1::ListSessionsResponse& list) const;
  // Name, size and revision of a published value; its data in a structured format alone.
  absl::Status Value(const v1::Value& value) const;
  absl::Status Values(const v1::ListValuesResponse& list) const;
  // A message in a structured format; INVALID_ARGUMENT for `-o name`, and for tables nothing.
  absl::Status Message(const google::protobuf::Message& message) const;
  // The same for a document that is already JSON.
  absl::Status Json(const std::string& json) const;
  // INVALID_ARGUMENT for `-o name`: the verb prints no names.
  absl::Status RefuseName() const;

 private:
  Format format_;
};

// The proto's JSON on one line; fields that have no presence are always there.
std::string ToJson(const google::protobuf::Message& message);
// JSON text as YAML, ending in a newline; what was a string stays one.
std::string JsonToYaml(const std::string& json);

// "name  kind  STATE  local  peer", "-" for what is absent.
std::string SocketLine(const v1::Socket& socket);
// "opened    " and the same; of a closed socket also why, of one that was shared once only its name.
std::string ChangeLine(const v1::SocketChange& change);
// "a=1,b=2"; "-" when there are none.
std::string LabelsText(const std::map<std::string, std::string>& labels);
// "-" for what is empty.
std::string OrDash(const std::string& text);
// The columns of a socket in the table of `ls`, and their header; with whose it is.
std::vector<std::string> SocketRow(const v1::Socket& socket, bool with_owner);
std::vector<std::string> SocketHeader(bool with_owner);
// "name  kind  STATE  local  peer", each by itself.
std::vector<std::string> SocketColumns(const v1::Socket& socket);
// Everything about a socket, each with what it is.
std::vector<std::vector<std::string>> SocketFacts(const v1::Socket& socket);
// "use".
std::string AccessWord(v1::Access access);
// The table of `ls`; whose the sockets are stands there when some are another's.
std::string SocketTable(const v1::ListSocketsResponse& list);
// "name  ttl 1m  grace 0  sockets 2  holders 1".
std::string SessionLine(const v1::Session& session);
// The table of `session ls`.
std::string SessionTable(const v1::ListSessionsResponse& list);
// Columns, two blanks between them, each row ending in a newline.
std::string FormatTable(const std::vector<std::vector<std::string>>& rows);

}  // namespace socketeer::cli
