// An answer as people read it, and the way to one of its fields.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "client/scenario/operation.h"
#include "google/protobuf/message.h"
#include "nlohmann/json.hpp"

namespace socketeer::scenario {

// Every field, also those that are as by default; messages only when they are there.
nlohmann::json ToAnswer(const google::protobuf::Message& message, const SocketNames& names);
// {"error": {...}}: reason, code, message, and what SocketError has.
nlohmann::json ToAnswer(const absl::Status& error, const SocketNames& names);

// The field at a path, also of the answer's `socket`; `.ip`, `.port` and `.path` of an address. Nullopt: there is none.
std::optional<nlohmann::json> FieldAt(const nlohmann::json& answer, std::string_view path);
// Whether an answer of this type, or an error, can have a field at the path.
bool MayHaveField(const google::protobuf::Descriptor& answer, std::string_view path);
// Its names.
std::vector<std::string> FieldsOf(const google::protobuf::Descriptor& answer);

// What a field is as a word: text as it is, numbers, true, false; JSON of a list or a map.
std::string AsWord(const nlohmann::json& field);

}  // namespace socketeer::scenario
