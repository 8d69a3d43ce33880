"""The port that serves metrics, in plain HTTP: who comes there reads them, and does nothing else; the daemon serves on."""

import pathlib
import socket
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import grpc  # noqa: E402
from contract import Client, error_of, inet, pb, socket_pb  # noqa: E402
from daemon import DaemonTest  # noqa: E402
from eventually import eventually  # noqa: E402
from plain_port import PlainPortSettings, announced  # noqa: E402
from scrape import fetch, scrape  # noqa: E402

AT_MOST = 16  # metrics::kMaxConnections
GET = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"


class MetricsPort(DaemonTest):
    def setUp(self):
        super().setUp()
        self.daemon = self.start("--listen", f"unix:{self.path}", "--metrics", "127.0.0.1:0")
        self.metrics = announced(self.daemon, "metrics")
        self.client = Client(self.daemon.address)
        self.addCleanup(self.client.close)

    def open(self, **request):
        return self.client.sockets.OpenSocket(pb.OpenSocketRequest(
            family=socket_pb.FAMILY_INET, type=socket_pb.SOCKET_TYPE_STREAM, **request), timeout=20)

    def dial(self):
        host, port = self.metrics.rsplit(":", 1)
        connection = socket.create_connection((host, int(port)), 20)
        self.addCleanup(connection.close)
        return connection

    def say(self, text):
        """What is answered to it."""
        connection = self.dial()
        answer = b""
        try:
            connection.sendall(text)
            while piece := connection.recv(65536):
                answer += piece
        except (ConnectionResetError, BrokenPipeError):
            pass
        return answer

    def test_it_serves_under_all_that_the_daemon_gave_up(self):
        status = pathlib.Path(f"/proc/{self.daemon.pid}/status").read_text()
        self.assertIn("Seccomp:\t2", status)
        self.assertIn("NoNewPrivs:\t1", status)
        found = scrape(self.metrics)
        self.assertEqual([1], [value for name, value in found.items() if name.startswith("socketeer_build_info{")])
        self.assertGreater(found["process_resident_memory_bytes"], 1 << 20)
        self.assertLess(0, found["process_open_fds"])

    def test_garbage_is_refused_and_changes_nothing(self):
        for text, status in [(b"x\r\n\r\n", b"400"), (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", b"400"),
                             (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"400"), (b"POST /metrics HTTP/1.1\r\n\r\n", b"405"),
                             (b"GET /etc/passwd HTTP/1.1\r\n\r\n", b"404"), (b"GET /../metrics HTTP/1.1\r\n\r\n", b"404"),
                             (b"GET /metrics HTTP/1.1\r\nContent-Length: 9\r\n\r\n123456789", b"200"),
                             (GET * 3, b"200")]:
            answer = self.say(text)
            self.assertTrue(answer.startswith(b"HTTP/1.1 " + status), (text, answer[:100]))
            self.assertEqual(1, answer.count(b"HTTP/1.1 "))
        self.assertEqual(b"", self.say(b"GET /metrics HTTP/1.1\r\n" + b"X: y\r\n" * 5000))
        self.assertIn("socketeer_build_info", fetch(self.metrics))
        self.assert_serves(self.daemon.address)

    def test_a_crowd_takes_no_more_descriptors_and_keeps_no_caller_out(self):
        before = len(self.daemon.descriptors())
        crowd = [self.dial() for _ in range(AT_MOST * 10)]
        for number, connection in enumerate(crowd):
            try:
                connection.sendall([b"", GET[:-1], GET, b"\r\n\r\n" + b"z" * 100][number % 4])
            except (ConnectionResetError, BrokenPipeError):
                pass  # it gave way
        self.assertIn("socketeer_build_info", fetch(self.metrics))
        self.open(bind=inet(0))
        # One for the socket, one or two for the connection that opened it.
        self.assertLessEqual(len(self.daemon.descriptors()), before + AT_MOST + 3)
        for connection in crowd:
            connection.close()
        eventually(lambda: len(self.daemon.descriptors()) <= before + 3,
                   lambda: f"{len(self.daemon.descriptors())} descriptors, before {before}")

    def test_nobody_reaches_it_through_the_daemon(self):
        port = int(self.metrics.rsplit(":", 1)[1])
        for ip in ["127.0.0.1", "0.0.0.0"]:
            with self.assertRaises(grpc.RpcError) as raised:
                self.open(connect=inet(port, ip))
            self.assertEqual("POLICY_DENIED", error_of(raised.exception)[0].reason)
        with self.assertRaises(grpc.RpcError):
            self.client.sockets.OpenSocket(pb.OpenSocketRequest(
                family=socket_pb.FAMILY_INET6, type=socket_pb.SOCKET_TYPE_STREAM,
                connect=inet(port, "::ffff:127.0.0.1")), timeout=20)
        self.assertEqual(3, scrape(self.metrics)['socketeer_policy_decisions_total{decision="own_address"}'])

    def test_who_asks_does_not_hold_up_the_end(self):
        for text in [b"", GET[:-1], GET]:
            self.dial().sendall(text)
        self.daemon.stop()


class WithFewDescriptors(DaemonTest):
    """Callers have taken all that they may: there is room for the port, which tells so."""

    def test_there_are_some_for_the_port(self):
        daemon = self.start("--listen", f"unix:{self.path}", "--metrics", "127.0.0.1:0",
                            prefix=["prlimit", "--nofile=60", "--"])
        metrics = announced(daemon, "metrics")
        client = Client(daemon.address)
        self.addCleanup(client.close)
        opened = []
        with self.assertRaises(grpc.RpcError) as raised:
            while True:
                opened.append(client.sockets.OpenSocket(pb.OpenSocketRequest(family=1, type=1), timeout=20).socket.name)
        self.assertEqual(grpc.StatusCode.RESOURCE_EXHAUSTED, raised.exception.code(), raised.exception)
        found = scrape(metrics)
        self.assertEqual(60, found["process_max_fds"])
        self.assertGreaterEqual(found['socketeer_sockets{kind="tcp4",state="CREATED"}'], len(opened))


class Settings(PlainPortSettings, DaemonTest):
    setting = "metrics"

    def assert_answers(self, address):
        self.assertIn("socketeer_build_info", fetch(address))


if __name__ == "__main__":
    unittest.main()
