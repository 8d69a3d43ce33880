"""Watches of sockets that are shared: they come, and go, and nothing of them is told behind that."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from contract import pb, socket_pb, watch_pb  # noqa: E402
from shared import DGRAM, ME, OBSERVE, USE, Events, SharedTest  # noqa: E402


class Watching(SharedTest):
    def test_it_comes_and_changes_and_goes(self):
        made, _ = self.connected(socket_id="mine")
        hidden, _ = self.connected(socket_id="hidden")
        events = Events(self.guest)
        self.addCleanup(events.cancel)
        self.share(made, OBSERVE)
        kind, told = events.next()
        self.assertEqual(("SHARED", made.name, OBSERVE, ME), (kind, told.name, told.access, told.owner))
        self.share(hidden, identity="token:third")
        self.share(made, USE)
        kind, told = events.next()
        self.assertEqual(("UPDATED", USE), (kind, told.access))
        self.label(made, "seen")
        self.assertEqual("seen", events.next()[1].labels["n"])
        self.unshare(made)
        kind, told = events.next()
        self.assertEqual(("UNSHARED", socket_pb.Socket(name=made.name, uid=made.uid)), (kind, told))
        self.label(made, "unseen")
        self.share(hidden)
        kind, told = events.next()
        self.assertEqual(("SHARED", hidden.name), (kind, told.name))
        self.owner.sockets.CloseSocket(pb.CloseSocketRequest(name=hidden.name))
        self.assertEqual("CLOSED", events.next()[0])

    def label(self, made, value):
        self.owner.sockets.UpdateSocket(pb.UpdateSocketRequest(
            socket=socket_pb.Socket(name=made.name, labels={"n": value}), update_mask={"paths": ["labels"]}))

    def test_a_watch_that_is_resumed_tells_nothing_of_what_was_withdrawn(self):
        made, _ = self.connected(socket_id="mine")
        events = Events(self.guest)
        events.cancel()
        self.share(made)
        self.label(made, "while shared")
        self.unshare(made)
        self.label(made, "secret")
        resumed = Events(self.guest, revision=events.revision)
        self.addCleanup(resumed.cancel)
        kind, told = resumed.next()
        self.assertEqual(("UNSHARED", socket_pb.Socket(name=made.name, uid=made.uid)), (kind, told))
        self.share(made, OBSERVE)
        kind, told = resumed.next()
        self.assertEqual(("SHARED", "secret"), (kind, told.labels["n"]))

    def test_a_snapshot_in_pieces_tells_no_socket_that_was_withdrawn_meanwhile(self):
        made = [self.open(**DGRAM, labels={f"key{n}": "v" * 250 for n in range(7)}) for _ in range(1_500)]
        for each in made:
            self.share(each, OBSERVE)
        slow = self.caller("guest-token", [("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 1 << 16)])
        stream = slow.sockets.WatchSockets(watch_pb.WatchSocketsRequest())
        self.addCleanup(stream.cancel)
        first = next(stream)
        told = {change.socket.name for change in first.changes}
        for each in made:
            self.unshare(each)
        later = first
        while not later.snapshot_complete:
            later = next(stream)
            told.update(change.socket.name for change in later.changes)
        self.assertLess(len(told), 1_500, "the snapshot has several pieces, and not all was under way")
        gone = set()
        while len(gone) < 1_500:
            for change in next(stream).changes:
                self.assertEqual(watch_pb.CHANGE_KIND_UNSHARED, change.kind, change)
                gone.add(change.socket.name)

    def test_the_owner_is_told_that_his_socket_changed(self):
        made, _ = self.connected()
        events = Events(self.owner)
        self.addCleanup(events.cancel)
        self.assertEqual("SNAPSHOT", events.next()[0])
        self.share(made)
        self.unshare(made)
        for _ in range(2):
            self.assertEqual("UPDATED", events.next()[0])


if __name__ == "__main__":
    unittest.main()
