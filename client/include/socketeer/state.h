// States of sockets, and why they were closed, by their words.
#pragma once

#include <string>

#include "socketeer/v1/socket.pb.h"

namespace socketeer {

// STATE_BOUND becomes "BOUND"; a state that this library does not know, its number.
std::string StateWord(v1::State state);
// CLOSE_REASON_OWNER becomes "OWNER".
std::string CloseReasonWord(v1::CloseReason reason);

}  // namespace socketeer
