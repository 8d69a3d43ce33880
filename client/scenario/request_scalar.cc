// Fields of one word: text, bytes, numbers, enums.
#include <filesystem>
#include <fstream>
#include <limits>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "client/scenario/request.h"
#include "client/scenario/words.h"
#include "socketeer/names.h"
#include "socketeer/text.h"
#include "socketeer/v1/coordination_service.pb.h"
#include "socketeer/v1/socket_service.pb.h"

namespace socketeer::scenario {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// Whether a request's field holds a socket's resource name.
bool IsSocketName(const FieldDescriptor& field) {
  if (field.name() != "name") return false;
  const std::string& type = field.containing_type()->name();
  return type == "Socket" || type == "AwaitItem" || field.file() == v1::OpenSocketRequest::descriptor()->file() ||
         field.file() == v1::SendDataRequest::descriptor()->file() ||
         field.file() == v1::ShareSocketRequest::descriptor()->file();
}

// "barriers/" or "values/": of a field that holds such a resource name; "" of others.
std::string RendezvousOf(const FieldDescriptor& field) {
  if (field.file() != v1::AwaitBarrierRequest::descriptor()->file()) return "";
  return field.name() == "barrier" ? "barriers/" : field.name() == "name" ? "values/" : "";
}

absl::StatusOr<std::string> FromHex(std::string_view text) {
  std::string bytes;
  int high = -1;
  for (const char c : text) {
    if (c == ' ' || c == '\n' || c == ':') continue;
    const int digit = HexDigitValue(c);
    if (digit < 0) return absl::InvalidArgumentError(Quoted(text) + " is not hexadecimal");
    if (high >= 0) bytes += static_cast<char>(high * 16 + digit);
    high = high >= 0 ? -1 : digit;
  }
  if (high >= 0) return absl::InvalidArgumentError(Quoted(text) + " has an odd number of hexadecimal digits");
  return bytes;
}

absl::StatusOr<std::string> FromFile(const std::string& folder, const std::string& name) {
  const std::string path = (std::filesystem::path(folder) / name).string();
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) return absl::InvalidArgumentError("the file " + Quoted(path) + " cannot be read");
  const auto size = static_cast<int64_t>(file.tellg());
  if (size < 0 || static_cast<uint64_t>(size) > kMaxValueBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("the file ", Quoted(path), " is none of 0 to ", kMaxValueBytes, " bytes"));
  }
  std::string bytes(static_cast<size_t>(size), '\0');
  if (!file.seekg(0).read(bytes.data(), size)) {
    return absl::InvalidArgumentError("the file " + Quoted(path) + " cannot be read");
  }
  return bytes;
}

template <typename Integer>
bool ParseInto(const std::string& text, Integer* number) {
  return absl::SimpleAtoi(text, number);
}

template <typename Integer>
std::string NotInteger(const FieldDescriptor& field, const std::string& text) {
  return absl::StrCat(field.name(), ": ", Quoted(text), " is not a number of ", std::numeric_limits<Integer>::min(),
                      " to ", std::numeric_limits<Integer>::max());
}

}  // namespace

std::optional<std::string> RequestMaker::Bytes(const Value& value, const std::string& field) {
  if (value.type != Value::Type::kMap) return Word(value, field);
  if (value.fields.size() != 1) {
    mistakes_.Note(value.at, field + " must have one of the keys text, hex, file, zeros");
    return std::nullopt;
  }
  const auto& [key, inner] = value.fields.front();
  if (key.text == "zeros") {
    const std::optional<uint64_t> count = Number(inner, key.text, 0, kMaxValueBytes);
    return count.has_value() ? std::optional(std::string(*count, '\0')) : std::nullopt;
  }
  if (key.text != "text" && key.text != "hex" && key.text != "file") {
    mistakes_.Note(key.at, "unknown key " + Quoted(key.text) + "; known are text, hex, file, zeros");
    return std::nullopt;
  }
  std::optional<std::string> word = Word(inner, key.text);
  if (!word.has_value() || key.text == "text") return word;
  const absl::StatusOr<std::string> bytes = key.text == "hex" ? FromHex(*word) : FromFile(folder_, *word);
  if (bytes.ok()) return *bytes;
  mistakes_.Note(inner.at, key.text + ": " + std::string(bytes.status().message()));
  return std::nullopt;
}

void RequestMaker::SetScalar(const Value& value, const Field& field, Message* message) {
  const bool bytes = field.type() == Field::TYPE_BYTES;
  const std::optional<std::string> text = bytes ? Bytes(value, field.name()) : Word(value, field.name());
  if (text.has_value()) SetText(*text, value.at, field, message);
}

void RequestMaker::SetText(const std::string& text, Place at, const Field& field, Message* message) {
  const auto* const reflection = message->GetReflection();
  const auto set = [&](auto value, auto setter, auto adder, const std::string& problem) {
    using Number = decltype(value);
    if (!ParseInto<Number>(text, &value)) return mistakes_.Note(at, problem);
    field.is_repeated() ? (reflection->*adder)(message, &field, value) : (reflection->*setter)(message, &field, value);
  };
  using Reflection = google::protobuf::Reflection;
  switch (field.cpp_type()) {
    case Field::CPPTYPE_INT32:
      return set(int32_t{}, &Reflection::SetInt32, &Reflection::AddInt32, NotInteger<int32_t>(field, text));
    case Field::CPPTYPE_UINT32:
      return set(uint32_t{}, &Reflection::SetUInt32, &Reflection::AddUInt32, NotInteger<uint32_t>(field, text));
    case Field::CPPTYPE_INT64:
      return set(int64_t{}, &Reflection::SetInt64, &Reflection::AddInt64, NotInteger<int64_t>(field, text));
    case Field::CPPTYPE_UINT64:
      return set(uint64_t{}, &Reflection::SetUInt64, &Reflection::AddUInt64, NotInteger<uint64_t>(field, text));
    case Field::CPPTYPE_BOOL:
      if (text != "true" && text != "false") {
        return mistakes_.Note(at, field.name() + ": " + Quoted(text) + " is neither true nor false");
      }
      return reflection->SetBool(message, &field, text == "true");
    case Field::CPPTYPE_ENUM:
      return SetEnum(text, at, field, message);
    case Field::CPPTYPE_STRING:
      break;
    default:
      return mistakes_.Note(at, field.name() + " cannot be given here");
  }
  std::string string = text;
  if (IsSocketName(field) || field.name() == "socket_id") {
    const absl::StatusOr<std::string> name = names_.ToDaemon(text);
    if (!name.ok()) return mistakes_.Note(at, field.name() + ": " + std::string(name.status().message()));
    string = field.name() == "socket_id" ? name->substr(name->find('/') + 1) : *name;
  }
  // "word" is one of this run alone, and "values/word" that very one, as with sockets.
  const std::string rendezvous = RendezvousOf(field);
  if (!rendezvous.empty() && text.find('/') == std::string::npos) string = rendezvous + text + "-" + names_.suffix();
  if (field.type() == Field::TYPE_STRING && !IsUtf8(string)) return mistakes_.Note(at, field.name() + " is not UTF-8");
  field.is_repeated() ? reflection->AddString(message, &field, string) : reflection->SetString(message, &field, string);
}

void RequestMaker::SetEnum(const std::string& text, Place at, const Field& field, Message* message) {
  std::vector<std::string> words;
  for (int i = 0; i < field.enum_type()->value_count(); ++i) {
    const auto* const value = field.enum_type()->value(i);
    const std::string word = EnumWord(*value);
    if (text == word || text == value->name()) return message->GetReflection()->SetEnum(message, &field, value);
    if (value->number() != 0) words.push_back(word);
  }
  mistakes_.Note(at, field.name() + ": " + Quoted(text) + " is none of " + Listed(words));
}

}  // namespace socketeer::scenario
