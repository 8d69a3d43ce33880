"""How a daemon stops: what waits is told, nothing is left, and it never takes long."""

import os
import pathlib
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import grpc  # noqa: E402
from contract import (Client, await_pb, data_pb, endpoint_pb, error_of, error_pb, health_pb, inet, pb,  # noqa: E402
                      socket_pb)
from daemon import DaemonTest, own_namespaces  # noqa: E402

STREAM = socket_pb.SOCKET_TYPE_STREAM
DGRAM = socket_pb.SOCKET_TYPE_DGRAM
IN_TIME = 5  # seconds
# Becomes another program that has port 53 open.
SILENT = ("import os, socket, sys; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('127.0.0.1', 53)); "
          "s.set_inheritable(True); os.execv(sys.argv[1], sys.argv[1:])")


class StopTest(DaemonTest):
    def serve(self, **options):
        self.daemon = self.start(**options)
        self.client = Client(f"unix:{self.path}")
        self.addCleanup(self.client.close)
        self.sockets = self.client.sockets

    def open(self, **request):
        return self.sockets.OpenSocket(pb.OpenSocketRequest(**request)).socket

    def watch(self):
        """A queue of what a watcher of the daemon's health sees; None: the end."""
        seen = queue.Queue()
        stream = self.client.health.Watch(health_pb.HealthCheckRequest())

        def read():
            try:
                for answer in stream:
                    seen.put(answer.status)
            except grpc.RpcError:
                pass
            seen.put(None)

        threading.Thread(target=read, daemon=True).start()
        return seen

    def assert_ends_in_time(self):
        begin = time.monotonic()
        self.assertEqual(0, self.daemon.wait(timeout=4 * IN_TIME), self.daemon.log())
        self.assertLess(time.monotonic() - begin, IN_TIME)


class WaitingCalls(StopTest):
    def full_listener(self):
        """The port of a listener whose queue is full: connects to it wait."""
        listener = socket.create_server(("127.0.0.1", 0), backlog=0)
        self.addCleanup(listener.close)
        self.addCleanup(socket.create_connection(listener.getsockname()).close)
        return listener.getsockname()[1]

    def waiting_calls(self):
        """One call of each kind that can wait."""
        listener = self.open(type=STREAM, bind=inet(0), listen=pb.Listen())
        conn = self.open(type=STREAM, connect=listener.local)
        self.sockets.AcceptSocket(pb.AcceptSocketRequest(name=listener.name))
        client = self.open(type=STREAM, family=socket_pb.FAMILY_INET)
        datagrams = self.open(type=DGRAM, bind=inet(0))
        full = inet(self.full_listener())
        missing = await_pb.AwaitItem(name="sockets/later", condition=await_pb.CONDITION_LISTENING, allow_missing=True)
        readable = await_pb.AwaitItem(name=conn.name, condition=await_pb.CONDITION_READABLE)
        return {
            "accept": self.sockets.AcceptSocket.future(pb.AcceptSocketRequest(name=listener.name)),
            "receive": self.sockets.ReceiveData.future(data_pb.ReceiveDataRequest(name=conn.name)),
            "receive datagrams": self.sockets.ReceiveDatagrams.future(
                data_pb.ReceiveDatagramsRequest(name=datagrams.name)),
            "connect": self.sockets.ConnectSocket.future(pb.ConnectSocketRequest(name=client.name, peer=full)),
            "open": self.sockets.OpenSocket.future(pb.OpenSocketRequest(type=STREAM, connect=full)),
            "await": self.sockets.AwaitSockets.future(await_pb.AwaitSocketsRequest(items=[readable])),
            "await a name": self.sockets.AwaitSockets.future(await_pb.AwaitSocketsRequest(items=[missing])),
        }

    def assert_told_of_the_drain(self, what, call):
        with self.assertRaises(grpc.RpcError, msg=what) as caught:
            call.result(timeout=IN_TIME)
        self.assertEqual(grpc.StatusCode.UNAVAILABLE, caught.exception.code(), what)
        info, error = error_of(caught.exception)
        self.assertEqual(("socketeer", "DRAINING"), (info.domain, info.reason), what)
        self.assertEqual(error_pb.ORIGIN_DAEMON, error.origin, what)

    def stop_by(self, number):
        self.serve()
        bound = self.open(type=STREAM, listen=pb.Listen(), bind=endpoint_pb.Endpoint(
            unix_domain=endpoint_pb.UnixEndpoint(path=bytes(self.directory / "bound.sock"))))
        self.assertTrue((self.directory / "bound.sock").exists(), bound)
        calls = self.waiting_calls()
        self.client.await_calls(len(calls))
        self.daemon.process.send_signal(number)
        for what, call in calls.items():
            with self.subTest(what):
                self.assert_told_of_the_drain(what, call)
        self.assert_ends_in_time()
        self.assertEqual([], [path.name for path in self.directory.iterdir()])

    def test_sigterm_ends_each_as_draining(self):
        self.stop_by(signal.SIGTERM)

    def test_sigint_too(self):
        self.stop_by(signal.SIGINT)


class Health(StopTest):
    def test_a_watcher_sees_it_stop(self):
        self.serve()
        seen = self.watch()
        self.assertEqual(health_pb.HealthCheckResponse.SERVING, seen.get(timeout=IN_TIME))
        self.daemon.process.terminate()
        self.assertEqual(health_pb.HealthCheckResponse.NOT_SERVING, seen.get(timeout=IN_TIME))
        self.assert_ends_in_time()
        self.assertIsNone(seen.get(timeout=IN_TIME))


class HeldUp(StopTest):
    def test_a_close_that_lingers_holds_up_nothing(self):
        self.serve()
        with socket.create_server(("127.0.0.1", 0)) as peer:
            options = {"linger": {"enabled": True, "seconds": 60}}
            stalled = self.open(type=STREAM, connect=inet(peer.getsockname()[1]), options=options)
            # Until both kernels take no more: the peer never reads.
            while not self.sockets.SendData(data_pb.SendDataRequest(
                    name=stalled.name, data=bytes(2 << 20), mode=data_pb.MODE_WHOLE,
                    timeout={"seconds": 0})).timed_out:
                pass
            close = self.sockets.CloseSocket.future(pb.CloseSocketRequest(name=stalled.name))
            self.client.await_calls(1)
            self.daemon.process.terminate()
            self.assert_ends_in_time()
            self.assertIsInstance(close.exception(timeout=IN_TIME), grpc.RpcError)
            self.assertEqual(grpc.StatusCode.UNAVAILABLE, close.code())

    def test_nor_does_a_name_that_nobody_resolves(self):
        # In a network of its own: the daemon inherits the name server's port, and reads nothing of what comes there.
        resolver = self.directory / "resolv.conf"
        resolver.write_text("nameserver 127.0.0.1\n")
        script = f'ip link set lo up && mount --bind {resolver} /etc/resolv.conf && exec /usr/bin/python3 -c "{SILENT}" "$0" "$@"'
        self.serve(prefix=[*own_namespaces("--mount", "--net"), "sh", "-c", script])
        named = endpoint_pb.Endpoint(named=endpoint_pb.NamedEndpoint(host="nobody.example", port=80))
        connect = self.sockets.OpenSocket.future(pb.OpenSocketRequest(type=STREAM, connect=named))
        self.client.await_calls(1)
        self.daemon.process.terminate()
        self.assert_ends_in_time()
        self.assertEqual(grpc.StatusCode.UNAVAILABLE, connect.exception(timeout=IN_TIME).code(), connect.details())

    def test_a_second_signal_ends_it_at_once(self):
        # Without it, a watcher of its health holds the daemon until the drain's limit.
        self.serve()
        seen = self.watch()
        self.assertEqual(health_pb.HealthCheckResponse.SERVING, seen.get(timeout=IN_TIME))
        os.kill(self.daemon.pid, signal.SIGTERM)
        self.assertEqual(health_pb.HealthCheckResponse.NOT_SERVING, seen.get(timeout=IN_TIME))
        os.kill(self.daemon.pid, signal.SIGTERM)
        self.assertEqual(-signal.SIGTERM, self.daemon.wait())


if __name__ == "__main__":
    unittest.main()
