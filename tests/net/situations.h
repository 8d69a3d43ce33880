// Brings a socket into each situation of the state table, with a peer that the test holds as a plain descriptor.
#pragma once

#include <string>

#include "server/base/fd.h"
#include "server/net/state_table.h"
#include "tests/net/rig.h"
#include "tests/support/temp_dir.h"

namespace socketeer::net::testing {

// A kind of socket, and what its addresses look like.
struct Flavour {
  const char* name;
  int family;
  int type;
  bool abstract_name = false;

  SocketKind kind() const { return {.family = family, .type = type}; }
  bool HasConnections() const { return type != SOCK_DGRAM; }
  bool IsUnix() const { return family == AF_UNIX; }
};
inline constexpr Flavour kTcp{"tcp4", AF_INET, SOCK_STREAM};
inline constexpr Flavour kTcp6{"tcp6", AF_INET6, SOCK_STREAM};
inline constexpr Flavour kUdp{"udp4", AF_INET, SOCK_DGRAM};
inline constexpr Flavour kUdp6{"udp6", AF_INET6, SOCK_DGRAM};
inline constexpr Flavour kUnix{"unix_path", AF_UNIX, SOCK_STREAM};
inline constexpr Flavour kDgram{"dgram_path", AF_UNIX, SOCK_DGRAM};
inline constexpr Flavour kSeqpacket{"seqpacket_path", AF_UNIX, SOCK_SEQPACKET};
inline constexpr Flavour kFlavours[] = {
    kTcp,       kTcp6,
    kUdp,       kUdp6,
    kUnix,      {"unix_abstract", AF_UNIX, SOCK_STREAM, true},
    kDgram,     {"dgram_abstract", AF_UNIX, SOCK_DGRAM, true},
    kSeqpacket, {"seqpacket_abstract", AF_UNIX, SOCK_SEQPACKET, true},
};

// A blocking socket of the test's own.
base::Fd Plain(const Flavour& flavour);
// The same, bound, and listening if the flavour has connections.
base::Fd PlainTarget(const Flavour& flavour, const SocketAddress& address, int backlog = 16);
SocketAddress AddressOf(int fd);
// Waits for one of `events`; the test fails if it does not come.
void WaitFor(int fd, short events);
int TcpStateOf(int fd);

class Scene {
 public:
  Scene(Rig& rig, const Flavour& flavour) : rig_(rig), flavour_(flavour), socket_(Open(rig, flavour.kind())) {}

  // `named`: bind(2) gave it a name, see Cell.
  void Bring(Situation situation, bool named);
  TestSocket& socket() { return socket_; }
  const Flavour& flavour() const { return flavour_; }
  // The descriptor at the other end, where there is one: of the connection, or what the socket is connected to.
  int other() const { return peer_ ? peer_.get() : target_.get(); }

  // An address that nobody has; port 0 for inet.
  SocketAddress FreshAddress();
  // A new place to connect or send to; it lives as long as the scene.
  SocketAddress FreshTarget();
  // TCP: one where nothing comes of a connect, because its backlog is full.
  SocketAddress SilentTarget();
  // Proves that the socket does what it can do in its situation. Uses it up.
  void ProveItWorks();

 private:
  void BindNamed();
  void Connect();
  void Reset();
  void ProveItConnects();
  void ProveItSends(const SocketAddress& target, int receiver);
  void PeerSends();
  void ExpectReceived(const std::string& data);
  std::string Read(int fd);

  Rig& rig_;
  const Flavour flavour_;
  ::socketeer::testing::TempDir dir_;
  TestSocket socket_;
  Situation situation_ = Situation::kCreated;
  base::Fd target_;  // where it is, or would be, connected to
  base::Fd peer_;    // the other end of its connection
  std::vector<base::Fd> more_targets_;
};

}  // namespace socketeer::net::testing
