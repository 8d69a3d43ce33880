// A request of what stands in the file: the fields by their names in the API, values as people write them.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "client/scenario/mistake.h"
#include "client/scenario/operation.h"
#include "client/scenario/value.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace socketeer::scenario {

// A word with its variables put in; nullopt: they have no value yet, because the file is only being read.
using FillIn = std::function<absl::StatusOr<std::optional<std::string>>(const Value& word)>;

// Fills messages; notes the first mistake, which names the field and says what is allowed.
class RequestMaker {
 public:
  // All outlive this.
  // `folder` is where relative paths of files begin.
  RequestMaker(const FillIn& fill, const SocketNames& names, std::string folder, Mistakes* mistakes)
      : fill_(fill), names_(names), folder_(std::move(folder)), mistakes_(*mistakes) {}

  // Sets the fields that `map` names. `words` are what a verb knows beside them, for messages.
  void Fill(const Value& map, google::protobuf::Message* message, const std::vector<std::string>& words = {});
  // The bytes of a word, or of a map with text, hex, file or zeros. Nullopt: they are not known, or there is a mistake.
  std::optional<std::string> Bytes(const Value& value, const std::string& field);
  // A word; the same.
  std::optional<std::string> Word(const Value& value, const std::string& field);
  // A number of at least `min`; the same.
  std::optional<uint64_t> Number(const Value& value, const std::string& field, uint64_t min, uint64_t max);
  // true or false; the same.
  std::optional<bool> Flag(const Value& value, const std::string& field);

 private:
  using Field = google::protobuf::FieldDescriptor;

  void Set(const Value& value, const Field& field, google::protobuf::Message* message);
  void SetMap(const Value& value, const Field& field, google::protobuf::Message* message);
  void SetMessage(const Value& value, const Field& field, google::protobuf::Message* message);
  void SetOptions(const Value& value, google::protobuf::Message* options);
  void SetEndpoint(const Value& value, const Field& field, google::protobuf::Message* endpoint);
  void SetDuration(const Value& value, const Field& field, google::protobuf::Message* duration);
  void SetListen(const Value& value, const Field& field, google::protobuf::Message* listen);
  void SetScalar(const Value& value, const Field& field, google::protobuf::Message* message);
  void SetText(const std::string& text, Place at, const Field& field, google::protobuf::Message* message);
  void SetEnum(const std::string& text, Place at, const Field& field, google::protobuf::Message* message);

  const FillIn& fill_;
  const SocketNames& names_;
  const std::string folder_;
  Mistakes& mistakes_;
};

// "connected" of STATE_CONNECTED, "dgram" of SOCKET_TYPE_DGRAM.
std::string EnumWord(const google::protobuf::EnumValueDescriptor& value);

// The most bytes that one value makes: of zeros, or a file.
inline constexpr uint64_t kMaxValueBytes = 64 << 20;

}  // namespace socketeer::scenario
