"""Certificates, tokens and the policy are replaced again and again while callers work: no call that is allowed fails, none
that is not passes."""

import os
import pathlib
import signal
import socket
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import grpc  # noqa: E402
from contract import error_of, pb  # noqa: E402
from guarded import KINDS, GuardedTest, inet  # noqa: E402
from tls import TlsClient, TlsTest, hash_line  # noqa: E402

ROTATIONS = 20
RELOADS = 1_000
CLIENTS = 50
THREADS = 5  # each takes its clients in turn


class Rotation(GuardedTest, TlsTest):
    def setUp(self):
        super().setUp()
        self.pair = self.ca.server()
        self.tokens = self.directory / "tokens"
        self.free, self.shut = self.listener(), self.listener("127.0.0.3")
        self.free.listen(4_096)
        self.write_policy(0)
        self.serve("--token-file", self.token_file(hash_line("ci", "right")), "--policy", self.file, pair=self.pair)
        self.over = threading.Event()
        self.problems = []
        self.calls = [0] * THREADS

    def work(self, number):
        """Clients that come, call and go, by certificate and by token, and one with a token that is none."""
        clients = {}
        try:
            while not self.over.is_set():
                for each in range(CLIENTS // THREADS):
                    client = clients.pop(each, None) or self.make(each)
                    self.call(client, each)
                    self.calls[number] += 1
                    if self.calls[number] % 3:
                        clients[each] = client  # else the next one makes a handshake of its own
                    else:
                        client.close()
        except Exception as error:  # noqa: BLE001: whatever it is
            self.problems.append(error)
        for client in clients.values():
            client.close()

    def write_policy(self, number):
        """Each another one; what matters here is the same in all."""
        self.write({"name": f"other-{number}", "deny": ["bind"], "ports": [number]},
                   {"name": "shut", "deny": ["connect"], "addresses": ["127.0.0.3"]},
                   {"name": "free", "allow": ["connect"], "addresses": ["loopback"]})

    def reload_policy(self, number):
        self.write_policy(number)
        os.kill(self.daemon.pid, signal.SIGHUP)
        self.daemon.await_log("rules are in force", number + 1)

    def make(self, each):
        if each % 3 == 0:
            return TlsClient(self.daemon.address, self.ca, self.agent)
        return TlsClient(self.daemon.address, self.ca, None, "right" if each % 3 == 1 else "wrong")

    def call(self, client, each):
        try:
            identity = self.whoami(client).identity
        except grpc.RpcError as error:
            identity = error.code()
        expected = ["spiffe://lab/agent", "token:ci", grpc.StatusCode.UNAUTHENTICATED][each % 3]
        if identity != expected:
            raise AssertionError(f"{identity} instead of {expected}")
        if each % 3 < 2:
            self.connect_from(client)

    def connect_from(self, client):
        """Where it may, and where it may not."""
        family, type_ = KINDS["tcp4"]
        made = client.sockets.OpenSocket(pb.OpenSocketRequest(
            family=family, type=type_, connect=inet(self.free.getsockname()[1])), timeout=20).socket
        client.sockets.CloseSocket(pb.CloseSocketRequest(name=made.name), timeout=20)
        try:
            client.sockets.OpenSocket(pb.OpenSocketRequest(
                family=family, type=type_, connect=inet(self.shut.getsockname()[1], "127.0.0.3")), timeout=20)
        except grpc.RpcError as error:
            if error_of(error)[0].reason == "POLICY_DENIED":
                return
            raise
        raise AssertionError("a denied call passed")

    def drain(self):
        """Takes what comes in, or the backlog is full one day."""
        self.free.settimeout(0.05)
        while not self.over.is_set():
            try:
                self.free.accept()[0].close()
            except TimeoutError:
                pass

    def serial(self):
        with socket.create_connection(self.endpoint(), 20) as connection:
            with self.context().wrap_socket(connection, server_hostname="localhost") as wrapped:
                return wrapped.getpeercert()["serialNumber"]

    def rotate(self, pair):
        before = self.serial()
        os.replace(pair.cert, self.pair.cert)
        os.replace(pair.key, self.pair.key)
        self.token_file(hash_line("ci", "right"), hash_line("cd", pair.cert.name))
        os.kill(self.daemon.pid, signal.SIGHUP)
        for _ in range(100_000):
            if self.serial() != before:
                return
            if self.problems:
                return
        self.fail("the old certificate is still shown")

    def token_file(self, *lines):
        """As an operator should: whole or not at all."""
        fresh = self.directory / "tokens.new"
        fresh.write_text("".join(lines))
        fresh.chmod(0o600)
        os.replace(fresh, self.directory / "tokens")
        return self.directory / "tokens"

    def test_while_clients_work(self):
        pairs = [self.ca.server(f"daemon-{number}") for number in range(ROTATIONS)]
        threads = [threading.Thread(target=self.work, args=(number,)) for number in range(THREADS)]
        threads.append(threading.Thread(target=self.drain))
        for thread in threads:
            thread.start()
        try:
            for number, pair in enumerate(pairs):
                share = RELOADS // ROTATIONS
                for reload in range(share * number, share * (number + 1)):
                    self.reload_policy(reload + 1)
                self.rotate(pair)
        finally:
            self.over.set()
            for thread in threads:
                thread.join()
        self.assertEqual([], self.problems)
        self.assert_nobody_came(self.shut)
        self.assertTrue(all(count >= CLIENTS for count in self.calls), self.calls)
        self.assertGreaterEqual(self.daemon.log().count("rules are in force"), RELOADS)
        self.daemon.await_log("tokens are in force", ROTATIONS)
        self.assertNotIn("terminate", self.daemon.log())


if __name__ == "__main__":
    unittest.main()
