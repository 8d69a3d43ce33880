// What the far ends of benchmarks begin with.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdio>
#include <cstdlib>

namespace socketeer::bench {

// The result of a system call; a program whose call failed says so and ends.
inline int Must(int result, const char* what) {
  if (result >= 0) return result;
  std::perror(what);
  std::exit(1);
}

// A listener on a free port of 127.0.0.1, which it prints.
inline int Listen() {
  const int listener = Must(socket(AF_INET, SOCK_STREAM, 0), "socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  Must(bind(listener, reinterpret_cast<sockaddr*>(&address), size), "bind");
  Must(listen(listener, 4096), "listen");
  Must(getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), "getsockname");
  std::printf("listening on 127.0.0.1:%d\n", ntohs(address.sin_port));
  std::fflush(stdout);
  return listener;
}

}  // namespace socketeer::bench
