// States of sockets by their words.
#pragma once

#include <string>

#include "socketeer/v1/socket.pb.h"

namespace socketeer {

// STATE_BOUND becomes "BOUND"; a state that this library does not know, its number.
std::string StateWord(v1::State state);

}  // namespace socketeer
