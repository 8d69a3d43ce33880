#include "server/net/socket_info.h"

#include <netinet/in.h>
#include <sys/socket.h>

namespace socketeer::net {

bool SocketKind::IsStream() const { return type == SOCK_STREAM; }
bool SocketKind::IsInet() const { return family == AF_INET || family == AF_INET6; }
bool SocketKind::IsConnectionOriented() const { return type != SOCK_DGRAM; }

std::string SocketKind::Word() const {
  if (family == AF_UNIX) {
    if (type == SOCK_STREAM) return "unix";
    return type == SOCK_DGRAM ? "unix-dgram" : "unix-seqpacket";
  }
  std::string word = type == SOCK_STREAM ? "tcp" : "udp";
  if (!dual) word += family == AF_INET ? '4' : '6';
  return word;
}

}  // namespace socketeer::net
