"""Rows about bytes in bulk: through attached sockets, and through what else forwards them."""

import contextlib

import peers
import relays
import report
from report import Line
from rows import interleaved

FRAMES = {"16 KiB": 16 << 10, "64 KiB": 64 << 10, "256 KiB": 256 << 10, "1 MiB": 1 << 20}
DIRECTIONS = {"up": ">= 0.75 x", "down": ">= 0.85 x"}  # and the goals against the bare stream
TRANSPORTS = {"unix": "UNIX socket", "tcp": "loopback TCP"}
MEBIBYTE, GIBIBYTE = 1 << 20, 1 << 30


class Flow:
    """Moves so many bytes one way, in GB/s; and notes what that cost in CPU seconds per GiB: the servers, and in all."""

    def __init__(self, client, direction, frame, sockets, count, servers=()):
        self.client, self.words, self.servers = client, (direction, frame, sockets, count), servers
        self.server_cpu, self.cpu = [], []

    def __call__(self):
        before = self._server_seconds()
        answer = self.client.ask(*self.words)
        seconds = self._server_seconds() - before
        self.server_cpu.append(seconds * GIBIBYTE / answer["bytes"])
        self.cpu.append((seconds + answer["cpu_s"]) * GIBIBYTE / answer["bytes"])
        return answer["gb_s"]

    def _server_seconds(self):
        return sum(map(peers.cpu_seconds, self.servers))


def rounds(settings):
    """Each moves much: fewer than of calls give as steady a median."""
    return min(settings.rounds, 9)


class Pair:
    """The daemon and the bare server, with a far end, and a client for each with one channel."""

    def __init__(self, work, transport, stack):
        self.flood = stack.enter_context(peers.flood())
        self.daemon, self.bare = stack.enter_context(peers.daemon(work)), stack.enter_context(peers.bare(work))
        self.ours = stack.enter_context(peers.bulk("ours", self.daemon.endpoint(transport), self.flood.port))
        self.theirs = stack.enter_context(peers.bulk("bare", self.bare.endpoint(transport)))

    def flows(self, direction, frame, sockets, count):
        return (Flow(self.ours, direction, frame, sockets, count, [self.daemon.pid]),
                Flow(self.theirs, direction, frame, sockets, count, [self.bare.pid]))


def against_stream(settings, pair, transport, cases):
    """`cases`: (direction, frame's name, sockets)."""
    flows = [flow for direction, frame, sockets in cases
             for flow in pair.flows(direction, FRAMES[frame], sockets, settings.bytes)]
    figures = interleaved(rounds(settings), *flows)
    for index, (direction, frame, sockets) in enumerate(cases):
        (ours, theirs), (own, bare) = figures[2 * index:2 * index + 2], flows[2 * index:2 * index + 2]
        what = f"{direction}, {frame}, {sockets} socket{'s' * (sockets > 1)}, {TRANSPORTS[transport]}"
        goal = DIRECTIONS[direction] if FRAMES[frame] >= 64 << 10 else ""
        yield Line("bulk", what, "GB/s", ours, "the bare stream", theirs, goal)
        if (frame, sockets) == ("64 KiB", 1):
            yield Line("bulk", f"CPU of the daemon per GiB, {what}", "s", own.server_cpu, "the bare server",
                       bare.server_cpu)
            yield Line("bulk", f"CPU in all per GiB, {what}", "s", own.cpu, "bare server and client", bare.cpu)


def bulk(settings, work):
    """Through attached sockets on one channel, windows of 256 KiB, to a TCP sink and from a source, against the bare stream."""
    for transport in TRANSPORTS:
        with contextlib.ExitStack() as stack:
            pair = Pair(work, transport, stack)
            yield from against_stream(settings, pair, transport, [
                (direction, frame, 1) for direction in DIRECTIONS for frame in FRAMES])
            for sockets in (1, 10, 100):
                if sockets > 1:
                    yield from against_stream(settings, pair, transport, [
                        (direction, "64 KiB", sockets) for direction in DIRECTIONS])
                yield Line("bulk", f"the daemon's peak memory, {sockets} socket{'s' * (sockets > 1)}, "
                           f"{TRANSPORTS[transport]}", "MiB", [peers.peak_bytes(pair.daemon.pid) / MEBIBYTE],
                           "the bare server", [peers.peak_bytes(pair.bare.pid) / MEBIBYTE])


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
        client = stack.enter_context(peers.bulk("ours", daemon.endpoint("tcp"), flood.port))
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
