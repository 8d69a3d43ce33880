"""A daemon with few descriptors, and one that leaks none."""

import pathlib
import resource
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import grpc  # noqa: E402
from contract import Client, data_pb, error_of, host_pb, inet, pb, socket_pb  # noqa: E402
from daemon import DaemonTest, socketeer  # noqa: E402

STREAM = socket_pb.SOCKET_TYPE_STREAM
DGRAM = socket_pb.SOCKET_TYPE_DGRAM


class LimitsTest(DaemonTest):
    def serve(self, **options):
        self.daemon = self.start(**options)
        self.client = self.connect()
        self.sockets = self.client.sockets

    def connect(self):
        client = Client(f"unix:{self.path}")
        self.addCleanup(client.close)
        return client

    def open(self, **request):
        return self.sockets.OpenSocket(pb.OpenSocketRequest(**request)).socket

    def close(self, socket):
        return self.sockets.CloseSocket(pb.CloseSocketRequest(name=socket.name))

    def host(self):
        return self.client.hosts.GetHost(host_pb.GetHostRequest())


def few_descriptors():
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))


class FewDescriptors(LimitsTest):
    def setUp(self):
        super().setUp()
        self.serve(preexec_fn=few_descriptors)

    def fill(self):
        """Opens until it is refused: (the sockets, the error)."""
        opened = []
        with self.assertRaises(grpc.RpcError) as caught:
            while len(opened) < 100:
                opened.append(self.open(type=DGRAM, bind=inet(0)))
        return opened, caught.exception

    def assert_refused_for_want(self, error):
        """Either our own limit or the kernel's, by name."""
        self.assertEqual(grpc.StatusCode.RESOURCE_EXHAUSTED, error.code())
        info, _ = error_of(error)
        self.assertIn(info.reason, ("LIMIT_REACHED", "EMFILE"))
        if info.reason == "LIMIT_REACHED":
            self.assertEqual("max_sockets", info.metadata["limit"])
            self.assertEqual(str(self.host().limits.max_sockets), info.metadata["allowed"])

    def test_too_many_sockets_are_refused_and_then_it_serves_again(self):
        for _ in range(3):
            opened, error = self.fill()
            self.assertGreaterEqual(len(opened), 8)
            self.assert_refused_for_want(error)
            self.assertEqual(len(opened), self.host().usage.sockets)
            for each in opened:
                self.close(each)
        self.assertEqual(0, self.host().usage.sockets)

    def test_an_accept_that_finds_no_descriptor_keeps_the_connection_waiting(self):
        listener = self.open(type=STREAM, bind=inet(0), listen=pb.Listen())
        client = self.open(type=STREAM, connect=listener.local)
        opened, _ = self.fill()
        with self.assertRaises(grpc.RpcError) as caught:
            self.sockets.AcceptSocket(pb.AcceptSocketRequest(name=listener.name))
        self.assert_refused_for_want(caught.exception)
        for each in opened:
            self.close(each)
        accepted = self.sockets.AcceptSocket(pb.AcceptSocketRequest(name=listener.name), timeout=10).socket
        self.assertEqual(client.local, accepted.peer)

    def test_too_many_callers_are_refused_and_the_others_go_on(self):
        self.host()
        refused = None
        clients = []
        while refused is None and len(clients) < 100:
            clients.append(self.connect())
            try:
                clients[-1].hosts.GetHost(host_pb.GetHostRequest(), timeout=10)
            except grpc.RpcError as error:
                refused = error
        self.assertIsNotNone(refused)
        self.assertEqual(grpc.StatusCode.RESOURCE_EXHAUSTED, refused.code())
        info, _ = error_of(refused)
        self.assertEqual(("LIMIT_REACHED", "max_connections"), (info.reason, info.metadata["limit"]))
        # It is among the few that are let in to be told so.
        self.assertEqual(self.host().limits.max_connections + 1, self.host().usage.connections)
        for client in clients:
            client.close()
        run = socketeer(self.daemon.address, "healthcheck")
        self.assertEqual((0, "SERVING\n"), (run.returncode, run.stdout), run.stderr)

    def test_too_many_callers_take_no_descriptor_from_the_sockets(self):
        self.host()  # one of those that got in
        for _ in range(40):
            client = self.connect()
            client.hosts.GetHost.future(host_pb.GetHostRequest(), timeout=10).exception()
        opened, error = self.fill()
        self.assertGreaterEqual(len(opened), 8)
        self.assert_refused_for_want(error)


class Leaks(LimitsTest):
    def round_trip(self):
        """Opens, uses and closes a listener, a connection and a datagram socket; then a connect that fails."""
        listener = self.open(type=STREAM, bind=inet(0), listen=pb.Listen())
        client = self.open(type=STREAM, connect=listener.local)
        accepted = self.sockets.AcceptSocket(pb.AcceptSocketRequest(name=listener.name)).socket
        self.sockets.SendData(data_pb.SendDataRequest(name=client.name, data=b"x"))
        self.sockets.ReceiveData(data_pb.ReceiveDataRequest(name=accepted.name))
        for each in [accepted, client, listener, self.open(type=DGRAM, bind=inet(0))]:
            self.close(each)
        with self.assertRaises(grpc.RpcError):
            self.open(type=STREAM, connect=listener.local)

    def test_500_rounds_leave_no_descriptor(self):
        self.serve()
        self.round_trip()
        before = self.daemon.descriptors()
        for _ in range(125):  # of four sockets
            self.round_trip()
        self.assertEqual(before, self.daemon.descriptors())
        self.assertEqual(0, self.host().usage.sockets)


if __name__ == "__main__":
    unittest.main()
