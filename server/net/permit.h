// The questions that a socket asks right before the system calls which reach somewhere: may its owner, or who acts in
// his place, do this?
//
// Values for the loop's thread; who answers is the socket's observer (socket_info.h).
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "server/net/address.h"

namespace socketeer::net {

struct SocketKind;

enum class Act { kOpen, kConnect, kBind, kListen, kSend, kReceive, kSetOption };

// The act as the operation of an error: "setsockopt".
const char* VerbOf(Act act);

// Where an act leads to.
struct Place {
  SocketAddress address{};
  // Of a UNIX path, once it was followed: absolute, and without links. Empty when this process has no such path to it.
  std::string path{};
  // The file at that path, if there is one.
  dev_t device = 0;
  ino_t inode = 0;
};

struct Demand {
  Act act;
  const SocketKind& kind;
  const Place* place = nullptr;     // of all acts but kOpen and kSetOption
  std::string_view option{};        // kSetOption: its name in options.h
  const std::string* by = nullptr;  // who does it; null: the owner
};

}  // namespace socketeer::net
