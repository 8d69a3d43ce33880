// Two sockets on a daemon's host talk to each other, and this program is both.
#include <iostream>

#include "socketeer/error.h"
#include "socketeer/host.h"
#include "socketeer/status_macros.h"
#include "socketeer/stream.h"

absl::Status Talk(const socketeer::Host& host) {
  socketeer::v1::OpenSocketRequest listen;
  listen.set_type(socketeer::v1::SOCKET_TYPE_STREAM);
  listen.mutable_bind()->mutable_inet()->set_ip("127.0.0.1");
  listen.mutable_listen();
  SOCKETEER_ASSIGN_OR_RETURN(socketeer::RemoteSocket listener, host.Open(listen));
  socketeer::v1::OpenSocketRequest connect;
  connect.set_type(socketeer::v1::SOCKET_TYPE_STREAM);
  *connect.mutable_connect() = listener.local();
  SOCKETEER_ASSIGN_OR_RETURN(socketeer::RemoteSocket client, host.Open(connect));
  SOCKETEER_ASSIGN_OR_RETURN(socketeer::RemoteSocket server, listener.Accept());

  SOCKETEER_ASSIGN_OR_RETURN(socketeer::Stream out, client.Attach());
  SOCKETEER_ASSIGN_OR_RETURN(socketeer::Stream in, server.Attach());
  SOCKETEER_RETURN_IF_ERROR(out.Send("hello"));
  SOCKETEER_RETURN_IF_ERROR(out.Shutdown());
  while (true) {
    SOCKETEER_ASSIGN_OR_RETURN(absl::Cord bytes, in.Receive());
    if (bytes.empty()) return absl::OkStatus();
    std::cout << bytes;
  }
}

int main(int, char** arguments) {
  absl::StatusOr<socketeer::Host> host = socketeer::Host::Connect(arguments[1]);
  const absl::Status status = host.ok() ? Talk(*host) : host.status();
  if (!status.ok()) std::cerr << socketeer::FormatError(status) << "\n";
  return status.ok() ? 0 : 1;
}
