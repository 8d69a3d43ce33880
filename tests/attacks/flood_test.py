"""Callers who flood a connection, below all calls: with headers, frames, streams. The attacker has no proof of who he
is; an honest one is served meanwhile. All that bounds this over TLS is in server/rpc/frame_guard.h, and in gRPC."""

import itertools
import pathlib
import re
import socket
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import floods  # noqa: E402
import http2  # noqa: E402
from contract import host_pb  # noqa: E402
from floods import Flood  # noqa: E402
from tls import TlsTest, hash_line  # noqa: E402

ENOUGH = 64 << 20  # bytes, of which each flood brought the daemon into need when nothing bounded it
MANY_CALLS = 2_000  # of an honest caller, while nothing is taken from the attacker
HELD_AT_MOST = 60  # seconds, of a connection whose client reads no more: kPingTimeout is 20, and the kernel looks at
# longer and longer intervals


class FloodTest(TlsTest):
    MOST_GROWTH = 256 << 20  # of the daemon's memory: twice what kMaxStreams of them take

    def setUp(self):
        super().setUp()
        self.serve("--token-file", self.token_file(hash_line("ci", "right")))
        self.honest = self.client(token="right")
        self.whoami(self.honest)
        self.before = len(self.daemon.descriptors())
        pathlib.Path(f"/proc/{self.daemon.pid}/clear_refs").write_text("5")  # the peak begins here
        self.memory = self.peak()

    def peak(self):
        return int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{self.daemon.pid}/status").read_text())[1]) << 10

    def flood(self, pieces, enough=ENOUGH, settled=True):
        """One under way."""
        connection = socket.create_connection(self.endpoint(), 20)
        flood = Flood(self.context().wrap_socket(connection, server_hostname="localhost"), pieces, enough,
                      settled)
        self.addCleanup(flood.close)
        return flood

    def await_sent(self, flood):
        """Until it has sent all, was cut off, or can send nothing more; the honest one calls meanwhile."""
        sent = calls = 0
        while flood.running() and calls < MANY_CALLS:
            sent, calls = (sent, calls + 1) if sent == flood.sent else (flood.sent, 0)
            self.assertEqual("token:ci", self.whoami(self.honest).identity)

    def served(self):
        """By a connection that is there already, and by a new one."""
        other = self.client(token="right")
        for client in (self.honest, other):
            self.assertEqual("token:ci", self.whoami(client).identity)
        other.close()

    def assert_well(self):
        """As if nothing had been."""
        self.served()
        end = time.monotonic() + HELD_AT_MOST
        while True:
            usage = self.honest.hosts.GetHost(host_pb.GetHostRequest()).usage
            if (usage.connections, usage.calls) == (1, 1) and len(self.daemon.descriptors()) <= self.before:
                break
            self.assertLess(time.monotonic(), end,
                            f"{usage}, {len(self.daemon.descriptors())} descriptors, {self.before} before")
        if "libasan" not in pathlib.Path(f"/proc/{self.daemon.pid}/maps").read_text():  # it keeps what was freed
            self.assertLess(self.peak() - self.memory, self.MOST_GROWTH)
        self.daemon.stop()

    def assert_cut_off(self, pieces, settled=True, told=False):
        flood = self.flood(pieces, settled=settled)
        self.await_sent(flood)
        self.assertTrue(flood.cut_off, f"{flood.sent} bytes were taken")
        flood.close()
        if told:
            self.daemon.await_log("a connection is cut off: its HTTP/2 frames go too far")
        self.assert_well()

    def assert_bounded(self, pieces, settled=True):
        """The attacker, who reads nothing, is held up or cut off, whichever comes first, and cut off in the end."""
        flood = self.flood(pieces, settled=settled)
        self.await_sent(flood)
        self.assertLess(flood.sent, ENOUGH)
        self.assertTrue(flood.cut_off or flood.await_end(HELD_AT_MOST), "it holds its connection")
        flood.close()
        self.assert_well()


def tests_of(named, check):
    """A class's tests, one for each flood: a daemon each."""
    def test_of(make):
        return lambda self: getattr(self, check)(make())

    return {"test_" + re.sub(r"\W+", "_", name): test_of(make) for name, make in named.items()}


class Unsettled(FloodTest):
    """The attacker does not acknowledge the daemon's settings: gRPC holds him to none."""

    def test_blocks_that_are_larger_than_they_seem(self):
        self.assert_cut_off(floods.table_bomb(), settled=False, told=True)

    def test_settings_acknowledged_before_they_came(self):
        """Or just when they came: then they hold."""
        self.assert_bounded(itertools.chain([http2.SETTLED], floods.streams(floods.open_stream)), settled=False)

    def test_streams(self):
        self.assert_cut_off(floods.streams(floods.open_stream), settled=False, told=True)


Headers = type("Headers", (FloodTest,), tests_of(floods.HEADER_FLOODS, "assert_cut_off"))
Frames = type("Frames", (FloodTest,), tests_of(floods.FRAME_FLOODS, "assert_cut_off"))
Streams = type("Streams", (FloodTest,), tests_of(floods.STREAM_FLOODS, "assert_bounded"))


class Harmless(FloodTest):
    def test_frames_that_cost_no_more_than_their_bytes(self):
        for name, make in floods.HARMLESS.items():
            with self.subTest(name):
                flood = self.flood(make())
                self.await_sent(flood)
                self.assertTrue(flood.cut_off or flood.sent >= ENOUGH)
                flood.close()
                self.served()
        self.assert_well()


if __name__ == "__main__":
    unittest.main()
