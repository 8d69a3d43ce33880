"""How many may be let into a socket, who they may be, for how long, and what that costs."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import grpc  # noqa: E402
from contract import data_pb, error_of, pb, share_pb, socket_pb  # noqa: E402
from shared import DGRAM, GUEST, ME, OBSERVE, PATIENCE, USE, Events, SharedTest, receive  # noqa: E402


class Bounds(SharedTest):
    def test_who_can_be_granted_what(self):
        made, _ = self.connected()
        for identity in ["", "uid", "uid:", "uid:x", "uid:01", "uid:*", "**", "any", "token:", "token:*", "token:a b", "dns:", "nobody",
                         "spiffe://", "spiffe://lab/*", "tökén:ci", "uid:1000\n", "spiffe://" + "x" * 504, ME]:
            for call in [self.share, self.unshare]:
                with self.subTest(identity=identity):
                    error = self.assert_reason("INVALID_FIELD", lambda: call(made, identity=identity))
                    self.assertEqual("identity", error_of(error)[0].metadata["field"])
        for access in [0, 3, 77]:
            error = self.assert_reason("INVALID_FIELD", lambda: self.share(made, access))
            self.assertEqual("access", error_of(error)[0].metadata["field"])
        good = ["anonymous", "uid:0", "uid:4294967295", "token:ci", "dns:ci.example", "spiffe://lab/ci",
                "spiffe://" + "x" * 503]
        good = [each for each in good if each != ME]
        for identity in good:
            self.share(made, identity=identity)
        self.assertEqual(set(good), set(self.grants(made)))
        self.assert_reason("GRANT_NOT_FOUND", lambda: self.unshare(made, identity="token:nobody"))

    def test_sixty_four_of_the_longest(self):
        made = self.open(**DGRAM)
        for number in range(64):
            self.share(made, identity=f"spiffe://{number:03}" + "x" * 500)
        error = self.assert_reason("LIMIT_REACHED", lambda: self.share(made))
        self.assertEqual("max_grants_per_socket", error_of(error)[0].metadata["limit"])
        self.share(made, OBSERVE, identity="spiffe://000" + "x" * 500)  # who has one may get another
        self.assertEqual(64, len(self.grants(made)))
        self.unshare(made, identity="spiffe://001" + "x" * 500)
        self.share(made)
        self.assertEqual([GUEST], list(self.grants(made, self.guest)), "his own, and no other's")

    def test_a_page_of_them_fits(self):
        names = []
        for _ in range(150):
            names.append(self.open(**DGRAM).name)
            calls = [self.owner.sockets.ShareSocket.future(share_pb.ShareSocketRequest(
                name=names[-1], identity=f"spiffe://{number:03}" + "x" * 500, access=USE)) for number in range(64)]
            for each in calls:
                each.result(PATIENCE)
        self.assertEqual(64, len(self.grants(socket_pb.Socket(name=names[-1]))))
        page = self.owner.sockets.ListSockets(pb.ListSocketsRequest(page_size=1_000))
        self.assertEqual(150, len(page.sockets))
        self.assertLess(page.ByteSize(), 150 * 4_000)
        events = Events(self.owner)
        self.addCleanup(events.cancel)
        self.assertEqual("SNAPSHOT", events.next()[0])

    def test_a_transfer_keeps_grants_and_leads_to_nobody_else(self):
        made, _ = self.connected()
        self.share(made)
        waiting = self.guest.sockets.ReceiveData.future(receive(made))
        self.await_waiting(made, reads=1)
        own = self.owner.create_session(60, session_id="own")
        foreign = self.guest.create_session(60, session_id="foreign")
        self.owner.sockets.TransferSocket(pb.TransferSocketRequest(name=made.name, session=own.name))
        self.assertEqual({GUEST: USE}, self.grants(made))
        self.assertFalse(waiting.done())
        self.assert_reason("SESSION_NOT_FOUND", lambda: self.owner.sockets.TransferSocket(
            pb.TransferSocketRequest(name=made.name, session=foreign.name)))
        self.owner.end_session(own.name)
        self.assert_reason("SOCKET_CLOSED", waiting)

    def test_grants_end_with_the_socket(self):
        made, _ = self.connected(socket_id="name")
        self.share(made)
        self.owner.sockets.CloseSocket(pb.CloseSocketRequest(name=made.name))
        self.assertEqual(socket_pb.STATE_CLOSED, self.get(self.guest, made).state)
        self.connected(socket_id="name")
        again = self.get(self.owner, made)
        self.assertNotEqual(made.uid, again.uid)
        self.assertEqual({}, self.grants(made))
        self.assertNotEqual(again.uid, self.guest_sees(made))

    def guest_sees(self, made):
        try:
            return self.get(self.guest, made).uid
        except grpc.RpcError:
            return None

    def test_a_guests_calls_keep_no_session_alive(self):
        session = self.owner.create_session(1, session_id="short").name
        made = self.owner.in_session(session).sockets.OpenSocket(pb.OpenSocketRequest(**DGRAM)).socket
        self.share(made)
        waiting = self.guest.sockets.ReceiveDatagrams.future(data_pb.ReceiveDatagramsRequest(name=made.name))
        self.assert_reason("SOCKET_CLOSED", waiting)

    def test_twenty_thousand_toggles(self):
        made, _ = self.connected()
        request = share_pb.ShareSocketRequest(name=made.name, identity=GUEST, access=USE)
        withdraw = share_pb.UnshareSocketRequest(name=made.name, identity=GUEST)

        def toggle(count):
            for _ in range(count):
                self.owner.sockets.ShareSocket(request)
                self.owner.sockets.UnshareSocket(withdraw)
        toggle(10_000)  # the log of changes is full, and gRPC has what it wants
        before = self.resident()
        toggle(10_000)
        keeps = "libasan" in pathlib.Path(f"/proc/{self.daemon.pid}/maps").read_text()  # what was freed, for a while
        self.assertLess(self.resident() - before, (8 if keeps else 2) << 20)

    def resident(self):
        status = pathlib.Path(f"/proc/{self.daemon.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) << 10


if __name__ == "__main__":
    unittest.main()
