"""Callers who are slow at, silent in, or many at the TLS handshake; an honest one is served meanwhile."""

import pathlib
import socket
import ssl
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import grpc  # noqa: E402
from contract import error_of, host_pb  # noqa: E402
import http2  # noqa: E402
from http2 import WHOAMI  # noqa: E402
from tls import TlsTest, hash_line  # noqa: E402

HALF_OPEN = 1_000  # about twice as many as there may be connections
FEW = ["prlimit", "--nofile=256"]  # a quarter of that may be connections


class HandshakeTest(TlsTest):
    def connect(self, source="127.0.0.1"):
        connection = socket.create_connection(self.endpoint(), 20, (source, 0))
        self.addCleanup(connection.close)
        return connection


class Handshakes(HandshakeTest):
    def setUp(self):
        super().setUp()
        self.serve()
        self.honest = self.client(self.agent)
        self.whoami(self.honest)

    def client_hello(self):
        """What a client sends first."""
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        with self.assertRaises(ssl.SSLWantReadError):
            self.context(self.agent).wrap_bio(incoming, outgoing, server_hostname="localhost").do_handshake()
        return outgoing.read()

    def served(self):
        """By a connection that is there already, and by a new one. From the flood's own address that may be the one that
        is cut off in the handshake, as any of them: then it comes again, as gRPC does by itself."""
        self.assertEqual("spiffe://lab/agent", self.whoami(self.honest).identity)
        other = self.client(self.agent)
        self.assertEqual("spiffe://lab/agent", self.whoami(other, wait_for_ready=True).identity)
        other.close()

    def usage(self):
        return self.honest.hosts.GetHost(host_pb.GetHostRequest()).usage

    def await_cut_off(self, connection):
        """The daemon closes it; what it may have said before does not count."""
        try:
            while connection.recv(65536):
                pass
        except ConnectionResetError:
            pass

    def await_alone(self, descriptors=1 << 20):
        """The honest one's connection is the only one. A caller does not see when the daemon has noticed that he left."""
        for _ in range(20_000):
            if self.usage().connections == 1 and len(self.daemon.descriptors()) <= descriptors:
                return
        self.fail(f"{self.usage().connections} connections, {len(self.daemon.descriptors())} descriptors of {descriptors}")

    def test_silence_is_cut_off(self):
        silent = self.connect()
        self.served()
        self.await_cut_off(silent)
        self.served()

    def test_half_a_handshake_is_cut_off(self):
        begun, dripping = self.connect(), self.connect()
        begun.sendall(self.client_hello())
        dripping.sendall(self.client_hello()[:20])
        self.served()
        self.await_cut_off(begun)
        self.await_cut_off(dripping)
        self.served()

    def test_garbage_is_cut_off(self):
        for garbage in [b"\0" * 64, b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\xff\xff" + b"x" * 1000, bytes(range(256))]:
            with self.subTest(garbage=garbage[:8]):
                connection = self.connect()
                connection.sendall(garbage)
                self.await_cut_off(connection)
        self.served()

    def test_more_half_open_ones_than_there_may_be_connections(self):
        limit = self.honest.hosts.GetHost(host_pb.GetHostRequest()).limits.max_connections
        self.assertLess(limit, HALF_OPEN)
        hello = self.client_hello()
        half_open = []
        for number in range(HALF_OPEN):
            connection = self.connect()
            if number % 2:
                connection.sendall(hello)
            half_open.append(connection)
            if number % 100 == 99:
                self.served()
        self.assertLessEqual(self.usage().connections, limit)
        self.served()
        for connection in half_open:
            self.await_cut_off(connection)
        self.served()
        self.await_alone()

    def test_descriptors_are_given_back(self):
        before = len(self.daemon.descriptors())
        for _ in range(50):
            self.connect().sendall(b"x" * 16)
        for _ in range(5):
            self.served()
        self.await_alone(before)


class Places(HandshakeTest):
    """Who has finished the handshake but is nobody gives way like those who have not; who was believed does not."""

    def call(self, pair=None):
        """A connection by hand, over which a call was answered; a function that makes another."""
        connection = socket.create_connection(self.endpoint(), 20)
        wrapped = self.context(pair).wrap_socket(connection, server_hostname="localhost")
        self.addCleanup(wrapped.close)
        wrapped.sendall(http2.opening())
        arriving = http2.frames(wrapped)

        def again(stream):
            wrapped.sendall(http2.call("HostService/GetCaller", stream=stream))
            for kind, flags, of, _ in arriving:
                if (kind, of) == (http2.HEADERS, stream) and flags & http2.END_STREAM:
                    return
            self.fail("it was cut off")

        again(1)
        return again

    def limit(self, client):
        return client.hosts.GetHost(host_pb.GetHostRequest()).limits.max_connections

    def test_a_slow_but_honest_one_is_served_while_others_flood(self):
        """It pauses in its handshake while more come, from another address, than there may be connections."""
        self.serve(prefix=FEW)
        limit = self.limit(self.client(self.agent))
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        wrapped = self.context(self.agent).wrap_bio(incoming, outgoing, server_hostname="localhost")
        slow = self.connect()
        with self.assertRaises(ssl.SSLWantReadError):
            wrapped.do_handshake()
        hello = outgoing.read()
        slow.sendall(hello)
        flood = [self.connect("127.0.0.2") for _ in range(limit + 50)]
        for connection in flood[::2]:
            try:
                connection.sendall(hello)
            except ConnectionError:
                pass  # it gave way already
        flood += [self.connect("127.0.0.2") for _ in range(50)]

        def go_on(step):
            while True:
                try:
                    return step()
                except ssl.SSLWantReadError:
                    slow.sendall(outgoing.read())
                    more = slow.recv(65536)
                    self.assertTrue(more, "it was cut off")
                    incoming.write(more)

        go_on(wrapped.do_handshake)
        wrapped.write(WHOAMI)
        answer = b""
        while b"spiffe://lab/agent" not in answer:
            answer += go_on(lambda: wrapped.read(65536))

    def test_refused_callers_do_not_hold_the_connections(self):
        self.serve("--token-file", self.token_file(hash_line("ci", "right")), prefix=FEW)
        honest = self.client(token="right")
        limit = self.limit(honest)
        for _ in range(limit + 20):
            self.call()
        for client in [honest, self.client(token="right"), self.client(self.agent)]:
            self.assertIn(self.whoami(client).identity, ["token:ci", "spiffe://lab/agent"])
        self.assertLessEqual(honest.hosts.GetHost(host_pb.GetHostRequest()).usage.connections, limit)

    def test_who_was_believed_keeps_his_place(self):
        self.serve(prefix=FEW)
        first = self.client(self.agent)
        believed = [self.call(self.agent) for _ in range(self.limit(first) - 1)]
        with self.assertRaises(grpc.RpcError) as raised:
            self.whoami(self.client(self.agent))
        self.assertEqual("max_connections", error_of(raised.exception)[0].metadata["limit"])
        for again in believed:
            again(3)
        self.whoami(first)


class Numbers(TlsTest):
    def test_a_connections_number_that_comes_again_is_no_longer_its_callers(self):
        """Who comes behind another, from the same address and port even, is who its own certificate says."""
        self.serve()
        host, port = self.endpoint()
        other = self.ca.client("other")
        with socket.socket() as free:
            free.bind((host, 0))
            local = free.getsockname()[1]
        for pair, identity in [(self.agent, "spiffe://lab/agent"), (other, "spiffe://lab/other")] * 5:
            self.assertEqual(identity, self.identity_from(local, pair))

    def test_two_connections_from_one_address_cannot_be_taken_for_each_other(self):
        """To two of its ports. gRPC would call both by the same name: so the second is closed while the first lives."""
        self.serve(listen=["127.0.0.1:0", "127.0.0.1:0"])
        first, second = self.daemon.addresses
        one = self.connect_from(0, first)
        local = one.getsockname()[1]
        with self.context(self.agent).wrap_socket(one, server_hostname="localhost"):
            with self.connect_from(local, second) as other:
                self.assertEqual(b"", other.recv(1))
            self.assertEqual("spiffe://lab/agent", self.whoami(self.client(self.agent, address=second)).identity)
        # Once that is gone, nothing is in the way.
        self.daemon.addresses = [second]
        self.assertEqual("spiffe://lab/agent", self.identity_from(local, self.agent))

    def connect_from(self, local, address):
        connection = socket.socket()
        self.addCleanup(connection.close)
        connection.settimeout(20)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Reset, not closed, so that the port is free for the next one at once.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.bind(("127.0.0.1", local))
        host, port = address.rsplit(":", 1)
        connection.connect((host, int(port)))
        return connection

    def identity_from(self, local, pair):
        """The daemon's answer to one GetCaller, in HTTP/2 by hand: a client library chooses its ports itself."""
        connection = self.connect_from(local, self.daemon.address)
        with self.context(pair).wrap_socket(connection, server_hostname="localhost") as wrapped:
            wrapped.sendall(WHOAMI)
            seen = b""
            while len(seen.partition(b"spiffe://lab/")[2]) < 5:
                more = wrapped.recv(65536)
                self.assertTrue(more, seen)
                seen += more
            return "spiffe://lab/" + seen.split(b"spiffe://lab/")[1][:5].decode()  # "agent" or "other"


if __name__ == "__main__":
    unittest.main()
