#include "client/cli/output.h"

#include <unistd.h>

#include "client/cli/stdio.h"

namespace socketeer::cli {

std::optional<Format> ParseFormat(std::string_view word) {
  if (word == "table") return Format::kTable;
  if (word == "json") return Format::kJson;
  if (word == "yaml") return Format::kYaml;
  if (word == "name") return Format::kName;
  return std::nullopt;
}

absl::Status Output::Bytes(std::string_view bytes) const { return WriteAll(STDOUT_FILENO, bytes); }

absl::Status Output::RefuseName() const {
  if (format_ != Format::kName) return absl::OkStatus();
  return absl::InvalidArgumentError("-o name is for verbs that print sockets or sessions");
}

absl::Status Output::Json(const std::string& json) const {
  switch (format_) {
    case Format::kJson:
      return Bytes(json + "\n");
    case Format::kYaml:
      return Bytes("---\n" + JsonToYaml(json));
    case Format::kTable:
      return absl::OkStatus();
    case Format::kName:
      return RefuseName();
  }
  return absl::OkStatus();
}

absl::Status Output::Message(const google::protobuf::Message& message) const {
  return Json(IsStructured() ? ToJson(message) : "");
}

absl::Status Output::Socket(const v1::Socket& socket) const {
  if (format_ == Format::kTable) return Bytes(SocketLine(socket) + "\n");
  if (format_ == Format::kName) return Bytes(socket.name() + "\n");
  return Message(socket);
}

absl::Status Output::Change(const v1::SocketChange& change) const {
  if (format_ == Format::kTable) return Bytes(ChangeLine(change) + "\n");
  if (format_ == Format::kName) return Bytes(change.socket().name() + "\n");
  return Message(change);
}

absl::Status Output::Sockets(const v1::ListSocketsResponse& list) const {
  if (IsStructured()) return Message(list);
  if (format_ == Format::kName) {
    std::string names;
    for (const v1::Socket& socket : list.sockets()) names += socket.name() + "\n";
    return Bytes(names);
  }
  return Bytes(SocketTable(list));
}

}  // namespace socketeer::cli
