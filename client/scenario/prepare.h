// From a step's words to calls of the API.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/scenario/mistake.h"
#include "client/scenario/model.h"
#include "client/scenario/request.h"
#include "google/protobuf/message.h"

namespace socketeer::scenario {

struct Prepared {
  const google::protobuf::MethodDescriptor* method = nullptr;  // null: there is a mistake
  std::unique_ptr<google::protobuf::Message> request{};
  // What is called instead if the socket turns out to be one of datagrams; null: nothing.
  const google::protobuf::MethodDescriptor* datagram_method = nullptr;
  std::unique_ptr<google::protobuf::Message> datagram_request{};
  // Of send: whether all of the request's data is sent, in as many calls as it takes.
  bool send_all = false;
  // Of recv: call until so many bytes came, or the end of the stream.
  uint64_t receive_bytes = 0;
  bool receive_to_end = false;
  std::string socket{};  // as the file has it; "": none is named
};

// What a verb knows beside its request's fields.
std::vector<std::string> WordsOf(const Verb& verb);

// Mistakes are noted.
Prepared Prepare(const Call& call, const FillIn& fill, const SocketNames& names, Mistakes* mistakes);

}  // namespace socketeer::scenario
