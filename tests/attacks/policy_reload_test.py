"""What a policy that changes does to sockets, calls and streams that are there; and names that change."""

import os
import pathlib
import signal
import socket
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import grpc  # noqa: E402
from attachment import Attachment  # noqa: E402
from contract import data_pb, error_of, pb  # noqa: E402
from daemon import NOBODY  # noqa: E402
from guarded import GuardedTest, inet, unix  # noqa: E402

ALL = {"name": "all", "allow": ["connect", "bind", "listen", "send", "receive"], "addresses": ["loopback", "wildcard"]}
NO_SENDING = {"name": "quiet", "deny": ["send"]}
NO_RECEIVING = {"name": "deaf", "deny": ["receive"]}
NO_LISTENING = {"name": "shut", "deny": ["listen"]}


class Reloads(GuardedTest):
    def setUp(self):
        super().setUp()
        self.guard(ALL)
        self.beyond = self.listener()
        self.made = self.opened("tcp4", connect=inet(self.beyond.getsockname()[1])).name
        self.peer = self.beyond.accept()[0]
        self.addCleanup(self.peer.close)

    def attach(self, name, **options):
        attachment = Attachment(self.client, name, timeout=20, **options)
        self.addCleanup(attachment.close)
        return attachment

    def test_an_open_connection_obeys_the_new_policy(self):
        self.send(self.made)
        self.reload(NO_SENDING, ALL)
        self.assert_denied("send tcp:127.0.0.1", self.send, self.made, rule="quiet")
        self.peer.send(b"y")
        self.assertEqual(b"y", self.receive(self.made).data)
        self.reload(ALL)
        self.send(self.made)
        self.assertEqual(b"xx", self.peer.recv(9))

    def test_what_was_allowed_at_the_connect_may_go_on(self):
        self.reload({"name": "late", "deny": ["connect"]}, ALL)
        self.send(self.made)
        self.assert_denied("connect", self.open, "tcp4", connect=inet(self.beyond.getsockname()[1]), rule="late")

    def test_a_receive_that_waits(self):
        call = self.client.sockets.ReceiveData.future(
            data_pb.ReceiveDataRequest(name=self.made, mode=data_pb.MODE_WAIT, max_bytes=9), timeout=20)
        self.client.await_calls(1)
        self.reload(NO_RECEIVING, ALL)
        self.peer.send(b"secret")
        with self.assertRaises(grpc.RpcError) as raised:
            call.result()
        self.assertEqual("POLICY_DENIED", error_of(raised.exception)[0].reason)

    def test_what_came_in_before_and_was_not_given(self):
        self.peer.send(b"secret")
        self.reload(NO_RECEIVING, ALL)
        self.assert_denied("receive", self.receive, self.made, rule="deaf")

    def test_an_attached_stream_that_sends(self):
        attached = self.attach(self.made)
        attached.send(b"a")
        attached.next("acknowledge")
        self.reload(NO_SENDING, ALL)
        attached.send(b"b")
        self.assertEqual("POLICY_DENIED", attached.reason("send_error"))
        self.peer.send(b"y")
        self.assertEqual(b"y", attached.next("data").data)  # the other direction is as it was
        self.assertEqual(b"a", self.peer.recv(9))

    def test_an_attached_stream_that_receives(self):
        attached = self.attach(self.made)
        self.reload(NO_RECEIVING, ALL)
        self.peer.send(b"secret")
        self.assertEqual("POLICY_DENIED", attached.reason("receive_error"))
        attached.send(b"a")
        attached.next("acknowledge")

    def test_attached_datagrams_are_judged_one_by_one(self):
        self.reload({"name": "one", "deny": ["send"], "addresses": ["127.0.0.2"]}, ALL)
        one = self.listener(type_=socket.SOCK_DGRAM)
        two = self.listener("127.0.0.2", type_=socket.SOCK_DGRAM)
        attached = self.attach(self.opened("udp4").name)
        here, there = inet(one.getsockname()[1]), inet(two.getsockname()[1], "127.0.0.2")
        attached.send_to(here, here, there, here)
        self.assertEqual("POLICY_DENIED", attached.reason("send_failure"))
        attached.send_to(there)
        self.assertEqual("POLICY_DENIED", attached.reason("send_failure"))
        self.assertEqual(b"xxx", b"".join(one.recv(9) for _ in range(3)))
        self.assert_nobody_came(two)

    def test_attached_datagrams_to_a_path_whose_link_changes(self):
        inside, outside = self.directory.resolve() / "in", self.directory.resolve() / "out"
        inside.mkdir()
        outside.mkdir()
        self.reload({"allow": ["send", "bind"], "paths": [f"{inside}/*"]}, ALL)
        one = self.listener(str(inside / "s"), family=socket.AF_UNIX, type_=socket.SOCK_DGRAM)
        two = self.listener(str(outside / "s"), family=socket.AF_UNIX, type_=socket.SOCK_DGRAM)
        link = inside / "link"
        link.symlink_to(inside / "s")
        attached = self.attach(self.opened("unix-dgram").name)
        attached.send_to(unix(link), unix(link))
        while attached.next("acknowledge").offset < 2:
            pass
        link.unlink()
        link.symlink_to(outside / "s")
        attached.send_to(unix(link))
        self.assertEqual("POLICY_DENIED", attached.reason("send_failure"))
        self.assertEqual(b"xx", one.recv(1) + one.recv(1))
        self.assert_nobody_came(two)

    def test_attached_datagrams_that_come_in(self):
        made = self.opened("udp4", bind=inet(0))
        attached = self.attach(made.name)
        self.reload(NO_RECEIVING, ALL)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.sendto(b"secret", ("127.0.0.1", made.local.inet.port))
        self.assertEqual("POLICY_DENIED", attached.reason("receive_error"))

    def test_a_listener_accepts_no_more(self):
        made = self.opened("tcp4", bind=inet(0), listen={})
        self.reload(NO_LISTENING, ALL)
        with socket.create_connection(("127.0.0.1", made.local.inet.port)):
            self.assert_denied("listen tcp:127.0.0.1", self.client.sockets.AcceptSocket,
                               pb.AcceptSocketRequest(name=made.name), timeout=20, rule="shut")

    def test_an_attached_listener_accepts_no_more(self):
        made = self.opened("tcp4", bind=inet(0), listen={})
        attached = self.attach(made.name, send_window=0)
        with socket.create_connection(("127.0.0.1", made.local.inet.port)):
            self.assertTrue(attached.next("accepted").socket.name)
        self.reload(NO_LISTENING, ALL)
        with socket.create_connection(("127.0.0.1", made.local.inet.port)):
            self.assertEqual("POLICY_DENIED", attached.reason("receive_error"))

    def test_a_wrong_file_leaves_the_old_policy_in_force(self):
        for text, why in [("rules: [", "policy.yaml:"), ("{}", "rules is missing"),
                          ('{"rules": [{"allow": ["fly"], "identities": ["any"]}]}', '"fly" is none of the verbs'),
                          ('{"rules": [], "cases": [["uid:1", "open", "tcp4", "allow"]]}', "a case of it fails")]:
            self.file.write_text(text)
            self.daemon.process.send_signal(signal.SIGHUP)
            self.daemon.await_log(why)
            self.send(self.made)
        self.assertEqual(4, self.daemon.log().count("the policy before it stays in force"))
        self.file.unlink()
        self.daemon.process.send_signal(signal.SIGHUP)
        self.daemon.await_log("No such file")
        self.send(self.made)

    def test_a_file_that_others_may_write(self):
        self.file.chmod(0o666)
        self.daemon.process.send_signal(signal.SIGHUP)
        self.daemon.await_log("others than its owner may write it")

    def test_a_file_of_another_user(self):
        """Who could change it, and wait."""
        self.file.chmod(0o644)
        os.chown(self.file, NOBODY, NOBODY)
        self.daemon.process.send_signal(signal.SIGHUP)
        self.daemon.await_log(f"belongs to another user, uid {NOBODY}")
        self.assertIn("the policy before it stays in force", self.daemon.log())

    def test_shadow_denies_nothing_and_tells(self):
        self.reload(NO_SENDING, ALL, mode="shadow")
        self.daemon.await_log("mode is shadow")
        self.send(self.made)
        self.daemon.await_log("shadow: uid:")
        self.assertIn("send tcp:127.0.0.1", self.daemon.log())
        self.assertIn("denied: quiet", self.daemon.log())


if __name__ == "__main__":
    unittest.main()
