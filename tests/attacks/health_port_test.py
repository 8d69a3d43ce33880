"""The port that serves health alone, in plain text: who comes there reaches no socket, and keeps no probe out."""

import pathlib
import signal
import socket
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import grpc  # noqa: E402
from contract import Client, health_pb, host_pb, pb, session_pb  # noqa: E402
from daemon import DaemonTest, socketeer  # noqa: E402
from plain_port import PlainPortSettings, announced  # noqa: E402
from tls import TlsTest  # noqa: E402

SERVING = health_pb.HealthCheckResponse.SERVING
AT_MOST = 32  # kMaxHealthConnections


class HealthPort(TlsTest):
    def setUp(self):
        super().setUp()
        self.serve("--health", "127.0.0.1:0", listen=["127.0.0.1:0", f"unix:{self.path}"])
        self.health = announced(self.daemon, "health")
        self.probe = self.plain(self.health)
        self.local = self.plain(f"unix:{self.path}")

    def plain(self, address):
        client = Client(address)
        self.addCleanup(client.close)
        return client

    def check(self, client):
        return client.health.Check(health_pb.HealthCheckRequest(), timeout=20).status

    def usage(self):
        return self.local.hosts.GetHost(host_pb.GetHostRequest()).usage

    def test_it_says_whether_the_daemon_serves(self):
        self.assertEqual(SERVING, self.check(self.probe))
        self.assert_serves(self.health)
        with self.assertRaises(grpc.RpcError) as raised:
            self.probe.health.Check(health_pb.HealthCheckRequest(service="no.such"))
        self.assertEqual(grpc.StatusCode.NOT_FOUND, raised.exception.code())

    def test_no_other_call_is_answered(self):
        """Not one of any service, reflection included, with whatever proof."""
        files = [pb.DESCRIPTOR, session_pb.DESCRIPTOR, host_pb.DESCRIPTOR]
        methods = [f"/{service.full_name}/{method.name}" for file in files
                   for service in file.services_by_name.values() for method in service.methods]
        self.assertGreater(len(methods), 25)
        self.assertIn("/socketeer.v1.SocketService/OpenSocket", methods)
        methods += [f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo" for version in ["v1", "v1alpha"]]
        for method in methods:
            for metadata in [[], [("authorization", "Bearer token"), ("socketeer-session", "sessions/standing")]]:
                call = self.probe.channel.stream_stream(method)(iter([b""]), timeout=20, metadata=metadata)
                with self.subTest(method=method), self.assertRaises(grpc.RpcError) as raised:
                    next(call)
                self.assertEqual(grpc.StatusCode.UNIMPLEMENTED, raised.exception.code())
        for message in [pb.OpenSocketRequest(type=1), pb.ListSocketsRequest()]:
            name = type(message).__name__.removesuffix("Request")
            call = self.probe.channel.unary_unary(f"/socketeer.v1.SocketService/{name}")
            with self.assertRaises(grpc.RpcError) as raised:
                call(message.SerializeToString(), timeout=20)
            self.assertEqual(grpc.StatusCode.UNIMPLEMENTED, raised.exception.code())
        self.assertEqual((0, 1), (self.usage().sockets, self.usage().calls))
        run = socketeer(self.health, "open", "udp4")
        self.assertNotEqual(0, run.returncode)

    def test_many_silent_ones_keep_no_probe_out(self):
        host, port = self.health.rsplit(":", 1)
        before = len(self.daemon.descriptors())
        silent = []
        for number in range(AT_MOST * 5):
            silent.append(socket.create_connection((host, int(port)), 20))
            self.addCleanup(silent[-1].close)
            if number % AT_MOST == 0:
                self.assertEqual(SERVING, self.check(self.plain(self.health)))
        self.assertEqual(SERVING, self.check(self.plain(self.health)))
        for connection in silent[:-AT_MOST]:
            try:
                while connection.recv(65536):
                    pass
            except ConnectionResetError:
                pass
        for _ in range(20_000):
            if len(self.daemon.descriptors()) <= before + 2 * AT_MOST:
                break
        else:
            self.fail(f"{len(self.daemon.descriptors())} descriptors, before {before}")
        self.assertEqual("spiffe://lab/agent", self.whoami(self.client(self.agent)).identity)
        self.assertEqual(2, self.usage().connections, "they are none of the daemon's others")

    def test_descriptors_are_given_back(self):
        before = len(self.daemon.descriptors())
        for _ in range(20):
            client = Client(self.health)
            self.assertEqual(SERVING, self.check(client))
            client.close()
        for _ in range(20_000):
            if len(self.daemon.descriptors()) <= before:
                return
        self.fail(f"{len(self.daemon.descriptors())} descriptors, before {before}")

    def test_a_watch_does_not_hold_up_the_end(self):
        watch = self.probe.health.Watch(health_pb.HealthCheckRequest())
        self.assertEqual(SERVING, next(watch).status)
        self.daemon.process.send_signal(signal.SIGTERM)
        try:
            for answer in watch:
                self.assertEqual(health_pb.HealthCheckResponse.NOT_SERVING, answer.status)
        except grpc.RpcError:
            pass  # the daemon has gone
        self.assertEqual(0, self.daemon.wait())


class Settings(PlainPortSettings, DaemonTest):
    setting = "health"

    def assert_answers(self, address):
        self.assert_serves(address)


if __name__ == "__main__":
    unittest.main()
