"""nc as client and as server: data and its end come through each way, whatever the other way does; with peers of all kinds."""
import itertools
import os
import re
import shutil
import socket
import tempfile
import unittest

from harness import CLI, HANG, Daemon
from nc_harness import Flow, NcTest, ProgramPeer, SocketPeer

MEASURED = os.urandom(3_000_001)
FILLING = os.urandom(6_000_003)
LITTLE = os.urandom(1_003)
UNDER_WAY = 1 << 20


class Cells(NcTest):
    """The other way quiet: open, and nothing comes. Filled: full of bytes that nobody reads. Done: at its end."""

    def socket_peer(self, nc_listens):
        if nc_listens:
            process, port = self.listening_nc("-N")
            return process, SocketPeer(self.joined(port))
        process, ours = self.connected_nc("-N")
        return process, SocketPeer(ours)

    def socat_peer(self, nc_listens):
        # At its other side it has a socket too, whose ends it tells apart; its standard output it does not close.
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.settimeout(HANG)
        path = self.path("socat")
        listener.bind(path)
        listener.listen()
        if nc_listens:
            process, port = self.listening_nc("-N")
            self.program("socat", "-t60", f"TCP:127.0.0.1:{port}", "UNIX-CONNECT:" + path)
        else:
            _, line = self.program("socat", "-t60", "-d", "-d", "TCP-LISTEN:0,bind=127.0.0.1",
                                   "UNIX-CONNECT:" + path, said="listening on")
            process = self.nc("-N", "127.0.0.1", re.search(r"127\.0\.0\.1:(\d+)", line)[1])
        return process, SocketPeer(self.accepted(listener))

    def ncat_peer(self, nc_listens):
        if nc_listens:
            process, port = self.listening_nc("-N")
            return process, ProgramPeer(self.program("ncat", "127.0.0.1", str(port)))
        path = self.path("ncat")
        peer, _ = self.program("ncat", "-v", "-l", "-U", path, said="Listening on")
        return self.nc("-N", "-U", path), ProgramPeer(peer)

    def other_nc_peer(self, nc_listens):
        """The same program, on another daemon."""
        if nc_listens:
            process, port = self.listening_nc("-N")
            return process, ProgramPeer(self.program(CLI, "--host", self.other, "nc", "-N", "127.0.0.1", str(port)))
        peer, line = self.program(CLI, "--host", self.other, "nc", "-N", "-l", "127.0.0.1", "0", said="listening on")
        return self.nc("-N", "127.0.0.1", line.rsplit(":", 1)[1].strip()), ProgramPeer(peer)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        directory = tempfile.mkdtemp(prefix="socketeer-")
        cls.addClassCleanup(shutil.rmtree, directory)
        daemon = Daemon(directory)
        cls.addClassCleanup(daemon.stop)
        cls.other = "unix:" + daemon.path

    def check(self, process, peer, direction, other):
        into = Flow(peer.write, peer.end, process.stdout.read1)
        out = Flow(process.stdin.write, process.stdin.close, peer.read)
        measured, rest = (into, out) if direction == "in" else (out, into)
        if other == "done":
            rest.transfer(self, LITTLE)
        elif other == "filled":
            rest.begin(FILLING, UNDER_WAY)
        measured.transfer(self, MEASURED)
        if other == "quiet":
            rest.transfer(self, LITTLE)
        elif other == "filled":
            rest.finish(self)
        self.assertEqual(process.wait(HANG), 0)
        self.assertEqual(process.stderr.read(), b"")


def add(kind, nc_listens, other, direction):
    def test(self):
        process, peer = getattr(self, kind + "_peer")(nc_listens)
        self.check(process, peer, direction, other)
    role = "server" if nc_listens else "client"
    setattr(Cells, f"test_{role}_{other}_{direction}_with_{kind}", test)


CELLS = list(itertools.product((False, True), ("quiet", "filled", "done"), ("in", "out")))
for one in ("socket", "socat", "other_nc"):
    for cell in CELLS:
        add(one, *cell)
for cell in CELLS:
    # ncat can no more: at its peer's end it gives up, whatever it still has to send, and while nobody reads its
    # output it sends nothing.
    if cell[1:] in (("quiet", "in"), ("done", "out")):
        add("ncat", *cell)


if __name__ == "__main__":
    unittest.main()
