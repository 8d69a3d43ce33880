"""A caller who gives the daemon no window to write in (HTTP/2's flow control) does not outlive its proof by that."""

import os
import pathlib
import signal
import socket
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import http2  # noqa: E402
from contract import await_pb, host_pb, pb, session_pb, socket_pb  # noqa: E402
from tls import TlsTest, hash_line  # noqa: E402


LOOKS = 10_000  # then it never will


class Window(TlsTest):
    def prepare(self, owner):
        """A session of two seconds with a socket in it, of the identity that will hold it."""
        owner.create_session(2, session_id="job")
        owner.in_session("sessions/job").sockets.OpenSocket(pb.OpenSocketRequest(
            socket_id="web", type=socket_pb.SOCKET_TYPE_DGRAM, family=socket_pb.FAMILY_INET))

    def hold(self, pair=None, metadata=()):
        """HoldSession whose one answer cannot be written."""
        connection = socket.create_connection(self.endpoint(), 30)
        self.addCleanup(connection.close)
        wrapped = self.context(pair).wrap_socket(connection, server_hostname="localhost")
        self.addCleanup(wrapped.close)
        request = session_pb.HoldSessionRequest(name="sessions/job").SerializeToString()
        wrapped.sendall(http2.opening([(http2.INITIAL_WINDOW_SIZE, 0)]) +
                        http2.call("SessionService/HoldSession", request, metadata=metadata))
        arriving = self.answering(wrapped)
        while True:
            kind, _, stream, _ = next(arriving)
            self.assertNotEqual(http2.DATA, kind)
            if (kind, stream) == (http2.HEADERS, 1):  # it is served
                return arriving

    def answering(self, connection):
        """Its frames, while its pings and settings are acknowledged as everybody does."""
        for kind, flags, stream, payload in http2.frames(connection):
            if kind in (http2.SETTINGS, http2.PING) and not flags & http2.ACK:
                connection.sendall(http2.frame(kind, http2.ACK, 0, payload if kind == http2.PING else b""))
            yield kind, flags, stream, payload

    def assert_ends(self, arriving, observer):
        """The call and its socket, of which only the lease can make an end; `observer` is of the same identity."""
        pings = 0  # three a second
        for kind, _, stream, _ in arriving:
            self.assertNotEqual(http2.DATA, kind)
            pings += kind == http2.PING
            self.assertLess(pings, 60, "it outlives its proof")
            if (kind, stream) == (http2.RST_STREAM, 1):
                break
        else:
            self.fail("the connection was cut off, not the call")
        closed = observer.sockets.AwaitSockets(await_pb.AwaitSocketsRequest(items=[await_pb.AwaitItem(
            name="sockets/web", condition=await_pb.CONDITION_CLOSED)]), timeout=60)
        self.assertEqual(socket_pb.CLOSE_REASON_LEASE_EXPIRED, closed.results[0].socket.close_reason, closed)
        for _ in range(LOOKS):  # the call that waited for it may still be counted
            usage = observer.hosts.GetHost(host_pb.GetHostRequest()).usage
            if usage.calls == 1:
                break
        self.assertEqual((1, 0), (usage.calls, usage.sockets))

    def test_a_certificate_that_expires(self):
        self.serve()
        observer = self.client(self.agent)
        brief = self.ca.client("brief", "URI:spiffe://lab/agent", begin=-60, end=4)
        self.prepare(observer)
        self.assert_ends(self.hold(brief), observer)

    def removed(self, **serve):
        tokens = self.token_file(hash_line("ci", "first"), hash_line("ci", "second"))
        self.serve("--token-file", tokens, **serve)
        observer = self.client(token="second")
        self.prepare(observer)
        arriving = self.hold(metadata=[(b"authorization", b"Bearer first")])
        self.token_file(hash_line("ci", "second"))
        os.kill(self.daemon.pid, signal.SIGHUP)
        self.assert_ends(arriving, observer)

    def test_a_token_that_is_removed(self):
        self.removed()

    def test_a_token_where_there_are_no_certificates(self):
        self.removed(client_ca=False)


if __name__ == "__main__":
    unittest.main()
