"""Whoever is let into a socket brings his own rights and bounds, and nothing of the owner's; and the audit says who was
let in."""

import json
import pathlib
import signal
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from attachment import Attachment  # noqa: E402
from contract import data_pb, error_of, inet, pb  # noqa: E402
from shared import DGRAM, GUEST, ME, OBSERVE, PATIENCE, STREAM, SharedTest, receive, send  # noqa: E402

ALL = {"allow": "all"}


class Rules(SharedTest):
    def setUp(self):
        super(SharedTest, self).setUp()

    def guard(self, *rules):
        self.write(*rules)
        self.serve("--policy", str(self.directory / "policy.yaml"), "--audit", str(self.directory / "audit"))

    def write(self, *rules):
        fresh = self.directory / "policy.new"
        fresh.write_text(json.dumps({"rules": [{"identities": [ME], **ALL}, *rules]}))
        fresh.chmod(0o600)
        fresh.rename(self.directory / "policy.yaml")

    def reload(self, *rules):
        before = self.daemon.log().count("are in force")
        self.write(*rules)
        self.daemon.process.send_signal(signal.SIGHUP)
        self.daemon.await_log("are in force", before + 1)

    def denied(self, call):
        return self.assert_reason("POLICY_DENIED", call)

    def test_a_guest_may_not_what_his_rules_do_not_allow(self):
        self.guard({"name": "guests", "allow": ["receive"], "identities": [GUEST]})
        made, peer = self.connected()
        self.share(made)
        self.owner.sockets.SendData(send(made, b"1"))  # the owner's permit is remembered now
        for _ in range(2):
            self.denied(lambda: self.guest.sockets.SendData(send(made), timeout=PATIENCE))
            self.owner.sockets.SendData(send(made, b"2"))
        self.denied(lambda: self.guest.sockets.SetSocketOptions(
            pb.SetSocketOptionsRequest(name=made.name, options={"keepalive": True})))
        peer.sendall(b"hello")
        self.assertEqual(b"hello", self.guest.sockets.ReceiveData(receive(made)).data)
        attached = Attachment(self.guest, made.name, timeout=PATIENCE)
        attached.send(b"never")
        self.assertEqual("POLICY_DENIED", attached.reason("send_error"))
        attached.close()
        unconnected = self.open(**STREAM)
        self.share(unconnected)
        for denied in [lambda: self.guest.sockets.BindSocket(pb.BindSocketRequest(name=unconnected.name, local=inet(0))),
                       lambda: self.guest.sockets.ConnectSocket(pb.ConnectSocketRequest(
                           name=unconnected.name, peer=inet(peer.getsockname()[1]))),
                       lambda: self.guest.sockets.ListenSocket(pb.ListenSocketRequest(name=unconnected.name))]:
            self.denied(denied)
        listener = self.listener()
        self.share(listener)
        self.denied(lambda: self.guest.sockets.AcceptSocket(pb.AcceptSocketRequest(name=listener.name)))
        self.assertEqual(b"122", peer.recv(9))

    def test_an_owner_is_not_helped_by_a_guests_rules(self):
        self.guard({"identities": [GUEST], **ALL})
        made, _ = self.connected()
        self.share(made)
        self.reload({"identities": [GUEST], **ALL})
        fresh = {"rules": [{"name": "no", "deny": ["send"], "identities": [ME], "addresses": ["loopback"]},
                           {"identities": ["any"], **ALL}]}
        path = self.directory / "policy.yaml"
        path.write_text(json.dumps(fresh))
        before = self.daemon.log().count("are in force")
        self.daemon.process.send_signal(signal.SIGHUP)
        self.daemon.await_log("are in force", before + 1)
        for _ in range(2):
            self.guest.sockets.SendData(send(made))
            self.denied(lambda: self.owner.sockets.SendData(send(made), timeout=PATIENCE))

    def test_datagrams_of_both_are_judged_each_for_himself(self):
        self.guard({"name": "guests", "deny": ["send"], "identities": [GUEST], "addresses": ["loopback"]},
                   {"identities": [GUEST], **ALL})
        made = self.open(**DGRAM, bind=inet(0))
        self.share(made)
        request = data_pb.SendDatagramsRequest(name=made.name, datagrams=[
            data_pb.OutgoingDatagram(payload=b"x", destination=made.local)])
        for _ in range(2):
            self.owner.sockets.SendDatagrams(request)
            self.denied(lambda: self.guest.sockets.SendDatagrams(request, timeout=PATIENCE))

    def test_the_audit_says_who_was_let_in(self):
        self.guard({"identities": [GUEST], **ALL})
        made, _ = self.connected()
        self.share(made, OBSERVE, request_id="one")
        self.unshare(made)
        self.assert_reason("GRANT_NOT_FOUND", lambda: self.unshare(made))
        self.share(made)
        self.assert_reason("GRANT_INSUFFICIENT", lambda: self.share(made, identity="token:third", client=self.guest))
        self.assert_reason("SOCKET_NOT_FOUND", lambda: self.share(made, client=self.third))
        self.daemon.stop()
        lines = [json.loads(line) for line in (self.directory / "audit").read_text().splitlines()]
        told = [(line["identity"], line["grantee"], line["access"], line["result"], line["socket"])
                for line in lines if line["event"] == "share"]
        self.assertEqual([(ME, GUEST, "OBSERVE", "OK", made.name),
                          (ME, GUEST, "NONE", "OK", made.name),
                          (ME, GUEST, "NONE", "GRANT_NOT_FOUND", made.name),
                          (ME, GUEST, "USE", "OK", made.name),
                          (GUEST, "token:third", "USE", "GRANT_INSUFFICIENT", made.name),
                          ("token:third", GUEST, "USE", "SOCKET_NOT_FOUND", made.name)], told)
        self.assertEqual("one", next(line for line in lines if line["event"] == "share")["request_id"])


class Quotas(SharedTest):
    def setUp(self):
        super(SharedTest, self).setUp()
        quotas = self.directory / "quotas.yaml"
        quotas.write_text("quotas: [{identities: token:guest, sockets: 1, waiting_calls: 2, bytes_per_second: 1k, "
                          "when_exceeded: refuse}]\n")
        quotas.chmod(0o600)
        self.serve("--quotas", str(quotas))

    def reached(self, limit, call):
        error = self.assert_reason("LIMIT_REACHED", call)
        self.assertEqual((limit, GUEST), tuple(error_of(error)[0].metadata[key] for key in ["limit", "identity"]))

    def test_what_a_guest_moves_counts_for_him(self):
        made, _ = self.connected()
        self.share(made)
        self.guest.sockets.SendData(send(made, b"x" * 5_000))
        self.reached("quota.bytes_per_second", lambda: self.guest.sockets.SendData(send(made), timeout=PATIENCE))
        self.owner.sockets.SendData(send(made, b"x" * 500_000))

    def test_what_a_guest_accepts_counts_for_him_and_the_listener_does_not(self):
        made = self.listener()
        self.share(made)
        for _ in range(2):
            self.open(**STREAM, connect=made.local)
        accept = pb.AcceptSocketRequest(name=made.name)
        self.guest.sockets.AcceptSocket(accept)
        self.reached("quota.sockets", lambda: self.guest.sockets.AcceptSocket(accept, timeout=PATIENCE))
        self.assertEqual(ME, self.owner.sockets.AcceptSocket(accept).socket.owner)

    def test_the_calls_that_wait_count_for_who_waits(self):
        made, peer = self.connected()
        self.share(made)
        waiting = [self.guest.sockets.ReceiveData.future(receive(made)) for _ in range(2)]
        self.await_waiting(made, reads=2)
        self.reached("quota.waiting_calls", lambda: self.guest.sockets.ReceiveData(receive(made), timeout=PATIENCE))
        self.unshare(made)
        for each in waiting:
            self.assert_reason("GRANT_WITHDRAWN", each)


if __name__ == "__main__":
    unittest.main()
