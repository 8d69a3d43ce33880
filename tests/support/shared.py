"""A daemon, an owner of sockets, and another whom they are shared with."""

import os
import pathlib
import queue
import socket
import sys
import threading

import grpc

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from contract import (Client, attach_pb, await_pb, data_pb, error_of, inet, pb, share_pb,  # noqa: E402
                      socket_pb, watch_pb)
from daemon import DaemonTest  # noqa: E402
from quotas import TokenClient  # noqa: E402
from tls import hash_line  # noqa: E402

ME = f"uid:{os.getuid()}"
GUEST = "token:guest"
STREAM = {"family": socket_pb.FAMILY_INET, "type": socket_pb.SOCKET_TYPE_STREAM}
DGRAM = {"family": socket_pb.FAMILY_INET, "type": socket_pb.SOCKET_TYPE_DGRAM}
OBSERVE, USE = socket_pb.ACCESS_OBSERVE, socket_pb.ACCESS_USE
PATIENCE = 20  # seconds; only a hang reaches it


class Events:
    """What a watch tells: (kind without its prefix, socket), one after the other."""

    def __init__(self, client, **request):
        self.seen = queue.Queue()
        self.revision = None
        self._stream = client.sockets.WatchSockets(watch_pb.WatchSocketsRequest(**request))
        self._read_one()
        threading.Thread(target=self._read, daemon=True).start()

    def _read_one(self):
        answer = next(self._stream)
        for change in answer.changes:
            self.seen.put((watch_pb.ChangeKind.Name(change.kind).removeprefix("CHANGE_KIND_"), change.socket))
        self.revision = answer.revision or self.revision

    def _read(self):
        try:
            while True:
                self._read_one()
        except (grpc.RpcError, StopIteration):
            pass  # it was cancelled, or the daemon stops

    def next(self):
        return self.seen.get(timeout=PATIENCE)

    def cancel(self):
        self._stream.cancel()


class SharedTest(DaemonTest):
    """self.owner and self.guest; each has its connection."""

    def setUp(self):
        super().setUp()
        self.serve()

    def tearDown(self):
        if self.daemon.process.poll() is None:
            self.daemon.stop()  # which fails if it ends otherwise than in order

    def serve(self, *arguments):
        tokens = self.directory / "tokens"
        tokens.write_text(hash_line("guest", "guest-token") + hash_line("third", "third-token"))
        tokens.chmod(0o600)
        self.daemon = self.start("--listen", f"unix:{self.path}", "--token-file", str(tokens), "--loops", "2",
                                 *arguments)
        self.owner = Client(self.daemon.address)
        self.addCleanup(self.owner.close)
        self.guest, self.third = self.caller("guest-token"), self.caller("third-token")

    def caller(self, token, options=()):
        client = TokenClient(self.daemon.address, token, options=options)
        self.addCleanup(client.close)
        return client

    def open(self, client=None, **request):
        return (client or self.owner).sockets.OpenSocket(pb.OpenSocketRequest(**request), timeout=PATIENCE).socket

    def listener(self, **request):
        return self.open(**STREAM, bind=inet(0), listen=pb.Listen(), **request)

    def connected(self, **request):
        """A socket of the owner's, and its peer: a real one."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            made = self.open(**STREAM, connect=inet(server.getsockname()[1]), **request)
            peer = server.accept()[0]
        peer.settimeout(PATIENCE)
        self.addCleanup(peer.close)
        return made, peer

    def share(self, made, access=USE, identity=GUEST, client=None, **request):
        return (client or self.owner).sockets.ShareSocket(
            share_pb.ShareSocketRequest(name=made.name, identity=identity, access=access, **request), timeout=PATIENCE)

    def unshare(self, made, identity=GUEST, client=None, **request):
        return (client or self.owner).sockets.UnshareSocket(
            share_pb.UnshareSocketRequest(name=made.name, identity=identity, **request), timeout=PATIENCE)

    def get(self, client, made):
        return client.sockets.GetSocket(pb.GetSocketRequest(name=made.name), timeout=PATIENCE)

    def error(self, call):
        """The grpc.RpcError of a function that fails, or of a call under way that ends so."""
        with self.assertRaises(grpc.RpcError) as raised:
            answer = call.result(timeout=PATIENCE) if hasattr(call, "result") else call()
            self.fail(f"it did not fail: {answer}")
        return raised.exception

    def assert_reason(self, reason, call):
        error = self.error(call)
        self.assertEqual(reason, error_of(error)[0].reason, error)
        return error

    def grants(self, made, client=None):
        return {each.identity: each.access for each in self.get(client or self.owner, made).grants}

    def await_waiting(self, made, reads=0, writes=0):
        """Until so many calls wait on it; the API has no event for that."""
        for _ in range(100_000):
            now = self.get(self.owner, made)
            if (now.waiting_reads, now.waiting_writes) == (reads, writes):
                return
        self.fail(f"never waited {reads} reads and {writes} writes: {now}")


def receive(made, **request):
    return data_pb.ReceiveDataRequest(name=made.name, **request)


def send(made, data=b"x", **request):
    return data_pb.SendDataRequest(name=made.name, data=data, **request)


def await_state(made, condition, **request):
    return await_pb.AwaitSocketsRequest(items=[await_pb.AwaitItem(name=made.name, condition=condition, **request)])


def attach_open(made, **terms):
    return attach_pb.AttachSocketRequest(open=attach_pb.AttachOpen(name=made.name, **terms))
