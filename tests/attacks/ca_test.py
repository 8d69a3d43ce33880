"""A CA of the callers that is removed: what it vouched for ends, on connections that are there already too."""

import os
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import grpc  # noqa: E402
from contract import await_pb, error_of, pb, socket_pb  # noqa: E402
from lab import Authority, Pair  # noqa: E402
from tls import TlsTest, hash_line  # noqa: E402

TOKEN = "right"


class ClientCas(TlsTest):
    def setUp(self):
        super().setUp()
        self.other = Authority(self.directory, "other")
        self.bundle = self.directory / "bundle.pem"

    def trust(self, *authorities):
        fresh = self.directory / "bundle.new"
        fresh.write_bytes(b"".join(each.cert.read_bytes() for each in authorities))
        os.replace(fresh, self.bundle)

    def serve_trusting(self, *authorities, tokens=()):
        self.trust(*authorities)
        self.serve("--client-ca", self.bundle, *tokens, client_ca=False)

    def assert_removed(self, call):
        with self.assertRaises(grpc.RpcError) as raised:
            call()
        self.assertEqual(grpc.StatusCode.UNAUTHENTICATED, raised.exception.code(), raised.exception)
        self.assertEqual("IDENTITY_REMOVED", error_of(raised.exception)[0].reason)

    def hold(self, client, session="job"):
        return client.hold(client.create_session(1, session_id=session).name, timeout=30)

    def test_calls_end_and_none_comes_after_them(self):
        self.serve_trusting(self.ca, self.other)
        gone, stays = self.client(self.other.client("gone")), self.client(self.agent)
        ends, goes_on = self.hold(gone), self.hold(stays)
        gone.in_session("sessions/job").sockets.OpenSocket(pb.OpenSocketRequest(
            socket_id="web", type=socket_pb.SOCKET_TYPE_DGRAM, family=socket_pb.FAMILY_INET))
        self.trust(self.ca)
        self.assert_removed(lambda: next(ends))
        self.assert_removed(lambda: self.whoami(gone))
        # Its session has nobody who holds it. Who sees that is the same identity by the other CA.
        again = self.client(self.ca.client("again", "URI:spiffe://lab/gone"))
        closed = again.sockets.AwaitSockets(await_pb.AwaitSocketsRequest(items=[await_pb.AwaitItem(
            name="sockets/web", condition=await_pb.CONDITION_CLOSED)]), timeout=60)
        self.assertEqual(socket_pb.CLOSE_REASON_LEASE_EXPIRED, closed.results[0].socket.close_reason, closed)
        self.assertTrue(goes_on.is_active())
        self.assertEqual("spiffe://lab/agent", self.whoami(stays).identity)
        goes_on.cancel()

    def test_the_handshake_may_be_late_but_lets_nobody_in(self):
        self.serve_trusting(self.ca, self.other)
        pair = self.other.client("gone")
        watcher = self.hold(self.client(pair))
        self.trust(self.ca)
        self.assert_removed(lambda: next(watcher))
        for _ in range(10_000):
            late = self.client(pair)
            with self.assertRaises(grpc.RpcError) as raised:
                self.whoami(late)
            late.close()
            if raised.exception.code() == grpc.StatusCode.UNAVAILABLE:
                return  # cut off in the handshake
            self.assertEqual("IDENTITY_REMOVED", error_of(raised.exception)[0].reason)
        self.fail("the handshake still believes in the CA")

    def test_a_token_does_not_help_a_certificate_that_counts_no_more(self):
        self.serve_trusting(self.ca, self.other, tokens=["--token-file", self.token_file(hash_line("ci", TOKEN))])
        gone, stays = self.client(self.other.client("gone"), token=TOKEN), self.client(token=TOKEN)
        ends, goes_on = self.hold(gone), self.hold(stays, "second")
        self.trust(self.ca)
        self.assert_removed(lambda: next(ends))
        self.assert_removed(lambda: self.whoami(gone))
        self.assertTrue(goes_on.is_active())
        self.assertEqual("token:ci", self.whoami(stays).identity)
        goes_on.cancel()

    def test_through_a_ca_between(self):
        self.serve_trusting(self.ca, self.other)
        between = Authority(self.directory, "between", issuer=self.ca)
        leaf = between.client("far")
        chain = self.directory / "chain.pem"
        chain.write_bytes(leaf.cert.read_bytes() + between.cert.read_bytes())
        client = self.client(Pair(chain, leaf.key))
        stream, short = self.hold(client), self.hold(self.client(self.other.client("gone")))
        self.trust(self.ca)
        self.assert_removed(lambda: next(short))  # by now the new ones count
        self.assertTrue(stream.is_active())
        self.assertEqual("spiffe://lab/far", self.whoami(client).identity)
        self.trust(self.other)
        self.assert_removed(lambda: next(stream))

    def test_a_file_that_holds_none_changes_nothing(self):
        self.serve_trusting(self.ca)
        client = self.client(self.agent)
        stream = self.hold(client)
        self.bundle.write_text("none\n")
        self.daemon.await_log("holds no certificate in PEM")
        self.assertEqual("spiffe://lab/agent", self.whoami(client).identity)
        self.assertTrue(stream.is_active())
        stream.cancel()


if __name__ == "__main__":
    unittest.main()
