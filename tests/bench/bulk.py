"""Rows about bytes in bulk: through attached sockets, and through what else forwards them."""

import contextlib

import peers
import relays
import report
from report import Line
from rows import interleaved

FRAMES = {"16 KiB": 16 << 10, "64 KiB": 64 << 10, "256 KiB": 256 << 10, "1 MiB": 1 << 20}
DIRECTIONS = {"up": ">= 0.75 x", "down": ">= 0.85 x"}  # and the goals against the bare stream
# Who moves our bytes, and what the line says of it: the goals are the library's.
CLIENTS = {"library": "", "blocking": ", its blocking face", "raw": ", gRPC alone as client"}
TRANSPORTS = {"unix": "UNIX socket", "tcp": "loopback TCP"}
MEBIBYTE, GIBIBYTE = 1 << 20, 1 << 30


class Flow:
    """Moves so many bytes one way, in GB/s; and notes what that cost in CPU seconds per GiB: the servers, and in all."""

    def __init__(self, client, direction, frame, sockets, count, servers=()):
        self.client, self.words, self.servers = client, (direction, frame, sockets, count), servers
        self.server_cpu, self.cpu, self.warm = [], [], False

    def __call__(self):
        """The first one warms up."""
        before = self._server_seconds()
        answer = self.client.ask(*self.words)
        seconds = self._server_seconds() - before
        if self.warm:
            self.server_cpu.append(seconds * GIBIBYTE / answer["bytes"])
            self.cpu.append((seconds + answer["cpu_s"]) * GIBIBYTE / answer["bytes"])
        self.warm = True
        return answer["gb_s"]

    def _server_seconds(self):
        return sum(map(peers.cpu_seconds, self.servers))


def rounds(settings):
    """Each moves much: fewer than of calls give as steady a median."""
    return min(settings.rounds, 9)


class Pair:
    """The daemon and the bare server, with a far end, and clients with one channel each."""

    def __init__(self, work, transport, stack):
        self.flood = stack.enter_context(peers.flood())
        self.daemon, self.bare = stack.enter_context(peers.daemon(work)), stack.enter_context(peers.bare(work))
        self.clients = {side: stack.enter_context(peers.bulk(side, self.daemon.endpoint(transport), self.flood.port))
                        for side in CLIENTS}
        self.clients["bare"] = stack.enter_context(peers.bulk("bare", self.bare.endpoint(transport)))

    def flow(self, side, *words):
        return Flow(self.clients[side], *words, [(self.bare if side == "bare" else self.daemon).pid])


def cases():
    """(direction, frame's name, sockets, our client)."""
    for direction in DIRECTIONS:
        yield from ((direction, frame, 1, "library") for frame in FRAMES)
        yield from ((direction, "64 KiB", 1, side) for side in CLIENTS if side != "library")
    for sockets in (10, 100):
        yield from ((direction, "64 KiB", sockets, "library") for direction in DIRECTIONS)


def against_stream(settings, pair, words):
    flows = {}
    for direction, frame, sockets, side in cases():
        for each in (side, "bare"):
            key = each, direction, FRAMES[frame], sockets
            flows.setdefault(key, pair.flow(*key, settings.bytes))
    figures = dict(zip(flows, interleaved(rounds(settings), *flows.values())))
    for direction, frame, sockets, side in cases():
        ours, theirs = ((each, direction, FRAMES[frame], sockets) for each in (side, "bare"))
        what = f"{direction}, {frame}, {sockets} socket{'s' * (sockets > 1)}, {words}{CLIENTS[side]}"
        goal = DIRECTIONS[direction] if FRAMES[frame] >= 64 << 10 and side == "library" else ""
        yield Line("bulk", what, "GB/s", figures[ours], "the bare stream", figures[theirs], goal)
        if (frame, sockets, side) == ("64 KiB", 1, "library"):
            yield Line("bulk", f"CPU of the daemon per GiB, {what}", "s", flows[ours].server_cpu, "the bare server",
                       flows[theirs].server_cpu)
            yield Line("bulk", f"CPU in all per GiB, {what}", "s", flows[ours].cpu, "bare server and client",
                       flows[theirs].cpu)


def bulk(settings, work):
    """Through attached sockets on one channel, windows of 256 KiB, to a TCP sink and from a source, against the bare stream."""
    for transport, words in TRANSPORTS.items():
        with contextlib.ExitStack() as stack:
            pair = Pair(work, transport, stack)
            yield from against_stream(settings, pair, words)
            yield Line("bulk", f"the daemon's peak memory, 100 sockets, {words}", "MiB",
                       [peers.peak_bytes(pair.daemon.pid) / MEBIBYTE], "the bare server",
                       [peers.peak_bytes(pair.bare.pid) / MEBIBYTE])


def forwarder_sides(work, far_port, stack):
    """Each: its name, a client, its processes and the goals; or in place of the client why it cannot be there."""
    rpyc_peer = peers.HERE / "rpyc_peer.py"

    def tcp(peer):
        peer = stack.enter_context(peer)
        return stack.enter_context(peers.bulk("tcp", peer.port)), peer.pids

    def rpyc():
        server = stack.enter_context(peers.rpyc(work))
        return stack.enter_context(peers.Client(peers.PYTHON, rpyc_peer, server.endpoint("tcp"), far_port,
                                                "bulk")), [server.pid]

    for name, goal, start in (
            ("no forwarder: TCP itself", "", lambda: (stack.enter_context(peers.bulk("tcp", far_port)), [])),
            ("socat -b 262144", "", lambda: tcp(relays.Socat(far_port))),
            ("ssh -L", ">= 2 x", lambda: tcp(relays.Ssh(work, far_port))),
            ("RPyC", ">= 4 x", rpyc)):
        try:
            yield name, goal, start()
        except peers.Missing as why:
            yield name, goal, why


def frame_for(name):
    """RPyC pays for each call: larger ones flatter it."""
    return 1 << 20 if name == "RPyC" else 64 << 10


def forwarders(settings, work):
    """One attached socket, control over loopback TCP, against plain TCP, socat, ssh -L and RPyC: speed, and CPU of all but the far end."""
    with contextlib.ExitStack() as stack:
        flood, daemon = stack.enter_context(peers.flood()), stack.enter_context(peers.daemon(work))
        client = stack.enter_context(peers.bulk("library", daemon.endpoint("tcp"), flood.port))
        sides = list(forwarder_sides(work, flood.port, stack))
        for direction in DIRECTIONS:
            what = f"{direction}, 64 KiB, loopback TCP"
            flows = {"": Flow(client, direction, 64 << 10, 1, settings.bytes, [daemon.pid])}
            for name, _, side in sides:
                if isinstance(side, peers.Missing):
                    yield report.missing("forwarders", what, name, side)
                else:
                    flows[name] = Flow(side[0], direction, frame_for(name), 1, settings.bytes // (4 if name == "RPyC" else 1),
                                       side[1])
            figures = dict(zip(flows, interleaved(rounds(settings), *flows.values())))
            ours = flows.pop("")
            for name, goal, _ in sides:
                if name in flows:
                    yield Line("forwarders", what, "GB/s", figures[""], name, figures[name], goal)
                    yield Line("forwarders", f"CPU per GiB, {what}", "s", ours.cpu, name, flows[name].cpu)
