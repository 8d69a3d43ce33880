// The operations that a step can name: the API's unary calls in the words of the command.
#pragma once

#include <string_view>
#include <vector>

#include "google/protobuf/descriptor.h"

namespace socketeer::scenario {

struct Verb {
  std::string_view word;    // "recv"
  std::string_view method;  // "SocketService/ReceiveData"; of send and recv the one for streams
  // The same on datagrams; "": there is none.
  std::string_view datagram_method{};
};

// Every verb, by word.
const std::vector<Verb>& Verbs();
// Null: there is none.
const Verb* FindVerb(std::string_view word);
// Of "SocketService/ReceiveData". Null: there is none that is unary.
const google::protobuf::MethodDescriptor* FindMethod(std::string_view method);

}  // namespace socketeer::scenario
