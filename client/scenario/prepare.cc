#include "client/scenario/prepare.h"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "client/scenario/verb.h"
#include "client/scenario/words.h"
#include "google/protobuf/dynamic_message.h"
#include "socketeer/kind.h"
#include "socketeer/text.h"
#include "socketeer/v1/socket_service.pb.h"

namespace socketeer::scenario {
namespace {

using google::protobuf::Message;
using google::protobuf::MethodDescriptor;

Value WordAt(Place at, std::string text) { return {.type = Value::Type::kWord, .at = at, .text = std::move(text)}; }
Value MapAt(Place at) { return {.type = Value::Type::kMap, .at = at}; }

class Preparer {
 public:
  Preparer(const Call& call, const FillIn& fill, const SocketNames& names, Mistakes* mistakes)
      : verb_(*call.verb), map_(call.arguments), maker_(fill, names, call.folder, mistakes), mistakes_(*mistakes) {}

  Prepared Run() {
    if (map_.type == Value::Type::kNothing) map_.type = Value::Type::kMap;  // "whoami:"
    if (map_.type != Value::Type::kMap) {
      mistakes_.Note(map_.at, std::string(verb_.word) + " must be a map, not " + KindOf(map_));
      return {};
    }
    Words();
    if (prepared_.request == nullptr && !mistakes_.first().has_value()) {
      Begin(verb_.method);
      maker_.Fill(map_, prepared_.request.get(), WordsOf(verb_));
    }
    if (mistakes_.first().has_value()) return {};
    return std::move(prepared_);
  }

 private:
  // What the verb has beyond its request's fields.
  void Words() {
    const std::string_view verb = verb_.word;
    if (const Value* const socket = map_.Find("socket"); socket != nullptr && socket->type == Value::Type::kWord) {
      prepared_.socket = socket->text;
    }
    if (verb == "call") return Any();
    if (verb == "open") return Open();
    if (verb == "wait") return Wait();
    if (verb == "label") return Label();
    if (verb_.method.starts_with("SocketService/") && verb != "ls") {
      Rename("socket", "name");
      if (map_.Find("name") == nullptr) return mistakes_.Note(map_.at, std::string(verb) + " needs a socket");
    }
    if (verb == "publish" || verb == "wait-value" || verb == "withdraw") Rename("value", "name");
    if (verb == "publish") {
      for (const char* const word : {"text", "hex", "file", "zeros"}) Apart(word, "data");
      if (std::optional<Value> payload = TakePayload(); payload.has_value()) Put("data", *payload);
    }
    if (verb == "accept") Rename("as", "socket_id");
    if (verb == "send") return Send();
    if (verb == "recv") return Receive();
  }

  void Begin(std::string_view method) {
    prepared_.method = FindMethod(method);
    prepared_.request = New(*prepared_.method);
  }

  static std::unique_ptr<Message> New(const MethodDescriptor& method) {
    const Message* const prototype =
        google::protobuf::MessageFactory::generated_factory()->GetPrototype(method.input_type());
    return std::unique_ptr<Message>(prototype->New());
  }

  void Rename(std::string_view from, const char* to) {
    Apart(from, to);
    for (auto& [key, value] : map_.fields) {
      if (key.text == from) key.text = to;
    }
  }

  // Notes that two words do not go together, if both are there.
  void Apart(std::string_view one, std::string_view other) {
    const Value* const first = map_.Find(one);
    if (first == nullptr || map_.Find(other) == nullptr) return;
    mistakes_.Note(first->at, std::string(one) + " does not go with " + std::string(other));
  }

  // Takes a field out of the map.
  std::optional<Value> Take(std::string_view key) {
    const auto found = std::find_if(map_.fields.begin(), map_.fields.end(),
                                    [key](const auto& field) { return field.first.text == key; });
    if (found == map_.fields.end()) return std::nullopt;
    Value value = std::move(found->second);
    map_.fields.erase(found);
    return value;
  }

  // Whether one of the keys, which do not go together, is there.
  bool Takes(std::initializer_list<std::string_view> keys) const {
    return std::any_of(keys.begin(), keys.end(), [this](std::string_view key) { return map_.Find(key) != nullptr; });
  }

  void Put(const char* key, Value value) {
    const Place at = value.at;
    map_.fields.emplace_back(WordAt(at, key), std::move(value));
  }

  void Any() {
    const std::optional<Value> method = Take("method");
    const std::optional<Value> request = Take("request");
    for (const auto& [key, value] : map_.fields) {
      return mistakes_.Note(key.at, "unknown key " + Quoted(key.text) + "; known are method, request");
    }
    if (!method.has_value()) return mistakes_.Note(map_.at, "call needs a method, as HostService/GetHost");
    if (method->type != Value::Type::kWord || FindMethod(method->text) == nullptr) {
      return mistakes_.Note(method->at,
                            "method: " + Quoted(method->text) + " is no unary call of the API, as HostService/GetHost");
    }
    Begin(method->text);
    if (request.has_value()) maker_.Fill(*request, prepared_.request.get());
  }

  void Open() {
    const std::optional<Value> kind = Take("kind");
    if (!kind.has_value() && map_.Find("type") == nullptr) {
      return mistakes_.Note(map_.at, "open needs a kind, one of " + Kinds());
    }
    Rename("socket", "socket_id");
    Begin(verb_.method);
    maker_.Fill(map_, prepared_.request.get(), WordsOf(verb_));
    if (!kind.has_value()) return;
    const std::optional<std::string> word = maker_.Word(*kind, "kind");
    if (!word.has_value()) return;
    absl::Status status = ApplyKind(*word, static_cast<v1::OpenSocketRequest*>(prepared_.request.get()));
    if (!status.ok()) mistakes_.Note(kind->at, "kind: " + std::string(status.message()));
  }

  static std::string Kinds() { return Listed(std::vector<std::string>(KindWords().begin(), KindWords().end())); }

  void Wait() {
    for (const char* const word : {"for", "socket", "sockets", "readable_bytes", "allow_missing", "any"})
      Apart(word, "items");
    Apart("any", "all");
    const std::optional<Value> condition = Take("for");
    std::optional<Value> sockets = Take("socket");
    const std::optional<Value> many = Take("sockets");
    if (map_.Find("items") != nullptr) return;  // as the API has it
    if (!condition.has_value()) return mistakes_.Note(map_.at, "wait needs for: what to wait for");
    if (sockets.has_value() == many.has_value()) return mistakes_.Note(map_.at, "wait needs either socket or sockets");
    if (many.has_value()) sockets = many;
    Value items{.type = Value::Type::kList, .at = sockets->at};
    const std::vector<Value> names = sockets->type == Value::Type::kList ? sockets->items : std::vector{*sockets};
    const std::optional<Value> bytes = Take("readable_bytes");
    const std::optional<Value> missing = Take("allow_missing");
    for (const Value& name : names) {
      Value item = MapAt(name.at);
      item.fields.emplace_back(WordAt(name.at, "name"), name);
      item.fields.emplace_back(WordAt(condition->at, "condition"), *condition);
      if (bytes.has_value()) item.fields.emplace_back(WordAt(bytes->at, "readable_bytes"), *bytes);
      if (missing.has_value()) item.fields.emplace_back(WordAt(missing->at, "allow_missing"), *missing);
      items.items.push_back(std::move(item));
    }
    Put("items", std::move(items));
    if (const std::optional<Value> any = Take("any"); any.has_value()) {
      const std::optional<bool> flag = maker_.Flag(*any, "any");
      if (flag.has_value()) Put("all", WordAt(any->at, *flag ? "false" : "true"));
    } else if (map_.Find("all") == nullptr) {
      Put("all", WordAt(map_.at, "true"));
    }
  }

  void Label() {
    const std::optional<Value> socket = Take("socket");
    const std::optional<Value> set = Take("set");
    const std::optional<Value> remove = Take("remove");
    if (!socket.has_value()) return mistakes_.Note(map_.at, "label needs a socket");
    if (!set.has_value() && !remove.has_value()) return mistakes_.Note(map_.at, "label needs set, or remove");
    Value message = MapAt(map_.at);
    Value paths{.type = Value::Type::kList, .at = map_.at};
    message.fields.emplace_back(WordAt(socket->at, "name"), *socket);
    if (remove.has_value() && remove->type != Value::Type::kList)
      mistakes_.Note(remove->at, std::string("remove must be a list of keys, not ") + KindOf(*remove));
    if (set.has_value()) {
      message.fields.emplace_back(WordAt(set->at, "labels"), *set);
      for (const auto& [key, value] : set->fields) paths.items.push_back(WordAt(key.at, "labels." + key.text));
    }
    for (const Value& key : remove.has_value() ? remove->items : std::vector<Value>()) {
      paths.items.push_back(WordAt(key.at, "labels." + key.text));
    }
    Put("socket", std::move(message));
    Value mask = MapAt(map_.at);
    mask.fields.emplace_back(WordAt(map_.at, "paths"), std::move(paths));
    Put("update_mask", std::move(mask));
  }

  // What is sent, out of the map: of text, hex, file and zeros, one.
  std::optional<Value> TakePayload() {
    std::optional<Value> payload;
    for (const char* const key : {"text", "hex", "file", "zeros"}) {
      const std::optional<Value> value = Take(key);
      if (!value.has_value()) continue;
      if (payload.has_value())
        mistakes_.Note(value->at, std::string(key) + " does not go with " + payload->fields[0].first.text);
      payload = MapAt(value->at);
      payload->fields.emplace_back(WordAt(value->at, key), *value);
    }
    return payload;
  }

  void Send() {
    for (const char* const word : {"text", "hex", "file", "zeros"}) {
      Apart(word, "data");
      Apart(word, "datagrams");
    }
    Apart("to", "datagrams");
    std::optional<Value> payload = TakePayload();
    const std::optional<Value> to = Take("to");
    if (Takes({"datagrams", "sequence"}) || to.has_value()) {
      if (payload.has_value()) Put("datagrams", Datagram(*payload, to));
      if (map_.Find("mode") == nullptr) Put("mode", WordAt(map_.at, "whole"));
      return SendTo(verb_.datagram_method);
    }
    if (!payload.has_value() && map_.Find("data") == nullptr) {
      return mistakes_.Note(map_.at, "send needs one of text, hex, file, zeros; or datagrams");
    }
    prepared_.send_all = !Takes({"mode", "offset"});
    const Value common = map_;
    if (payload.has_value()) Put("data", *payload);
    SendTo(verb_.method);
    if (Takes({"offset"}) || !payload.has_value()) return;
    map_ = common;
    Put("datagrams", Datagram(*payload, to));
    prepared_.datagram_method = FindMethod(verb_.datagram_method);
    prepared_.datagram_request = New(*prepared_.datagram_method);
    maker_.Fill(map_, prepared_.datagram_request.get());
  }

  void SendTo(std::string_view method) {
    Begin(method);
    maker_.Fill(map_, prepared_.request.get(), WordsOf(verb_));
  }

  static Value Datagram(const Value& payload, const std::optional<Value>& to) {
    Value datagram = MapAt(payload.at);
    datagram.fields.emplace_back(WordAt(payload.at, "payload"), payload);
    if (to.has_value()) datagram.fields.emplace_back(WordAt(to->at, "destination"), *to);
    return datagram;
  }

  void Receive() {
    for (const char* const word : {"max_datagrams", "min_datagrams", "sequence"}) {
      Apart("bytes", word);
      Apart("until_eof", word);
    }
    const std::optional<Value> bytes = Take("bytes");
    const std::optional<Value> to_end = Take("until_eof");
    if (bytes.has_value()) {
      prepared_.receive_bytes = maker_.Number(*bytes, "bytes", 1, kMaxValueBytes).value_or(1);
    }
    if (to_end.has_value()) prepared_.receive_to_end = maker_.Flag(*to_end, "until_eof").value_or(false);
    if ((bytes.has_value() || to_end.has_value()) && Takes({"max_bytes", "min_bytes", "mode", "peek", "offset"})) {
      return mistakes_.Note(map_.at, "bytes and until_eof go with neither max_bytes, min_bytes, mode, peek nor offset");
    }
    if (bytes.has_value() && to_end.has_value()) return mistakes_.Note(map_.at, "bytes does not go with until_eof");
    const bool datagrams = Takes({"max_datagrams", "min_datagrams", "sequence"});
    Begin(datagrams ? verb_.datagram_method : verb_.method);
    if (map_.Find("max_bytes") == nullptr && !datagrams) Put("max_bytes", WordAt(map_.at, "65536"));
    if (Takes({"min_bytes", "min_datagrams"}) && map_.Find("mode") == nullptr) Put("mode", WordAt(map_.at, "whole"));
    maker_.Fill(map_, prepared_.request.get(), WordsOf(verb_));
    if (datagrams || bytes.has_value() || to_end.has_value() || Takes({"min_bytes", "offset"})) return;
    prepared_.datagram_method = FindMethod(verb_.datagram_method);
    prepared_.datagram_request = New(*prepared_.datagram_method);
    maker_.Fill(map_, prepared_.datagram_request.get());
  }

  const Verb& verb_;
  Value map_;
  RequestMaker maker_;
  Mistakes& mistakes_;
  Prepared prepared_;
};

}  // namespace

std::vector<std::string> WordsOf(const Verb& verb) {
  if (verb.word == "open") return {"socket", "kind"};
  if (verb.word == "accept") return {"socket", "as"};
  if (verb.word == "label") return {"socket", "set", "remove"};
  if (verb.word == "publish") return {"value", "text", "hex", "file", "zeros"};
  if (verb.word == "wait-value" || verb.word == "withdraw") return {"value"};
  if (verb.word == "wait") return {"socket", "sockets", "for", "any", "readable_bytes", "allow_missing"};
  if (verb.word == "send") return {"socket", "text", "hex", "file", "zeros", "to", "datagrams"};
  if (verb.word == "recv") return {"socket", "bytes", "until_eof", "max_datagrams", "min_datagrams"};
  if (verb.method.starts_with("SocketService/") && verb.word != "ls") return {"socket"};
  return {};
}

Prepared Prepare(const Call& call, const FillIn& fill, const SocketNames& names, Mistakes* mistakes) {
  return Preparer(call, fill, names, mistakes).Run();
}

}  // namespace socketeer::scenario
