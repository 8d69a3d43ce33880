"""A daemon with quotas, and callers of several identities, each with as many connections as it likes."""

import pathlib
import queue
import sys

import grpc

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from contract import Client, attach_pb, details_pb, error_of, host_pb, inet, pb, socket_pb  # noqa: E402
from daemon import DaemonTest  # noqa: E402
from eventually import eventually  # noqa: E402
from tls import hash_line  # noqa: E402


class _WithMetadata(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor,
                    grpc.StreamStreamClientInterceptor):
    def __init__(self, *pairs):
        self._pairs = pairs

    def _intercept(self, go_on, details, request):
        return go_on(details._replace(metadata=[*(details.metadata or ()), *self._pairs]), request)

    intercept_unary_unary = intercept_unary_stream = intercept_stream_stream = _intercept


class TokenClient(Client):
    """A connection of its own, over which a token says who calls; in a session, if one is named."""

    def __init__(self, address, token, session=None, options=()):
        super().__init__(address, options)
        pairs = [("authorization", f"Bearer {token}")]
        if session:
            pairs.append(("socketeer-session", session))
        self.bare = self.channel
        self._use(grpc.intercept_channel(self.channel, _WithMetadata(*pairs)))

    def close(self):
        self.bare.close()


class Stream:
    """One AttachSocket. Frames go out by send(), come in by next()."""

    def __init__(self, client, name, **terms):
        self._frames = queue.Queue()
        self.send(open=attach_pb.AttachOpen(name=name, **terms))
        self._call = client.sockets.AttachSocket(iter(self._frames.get, None), timeout=60)

    def send(self, **frame):
        self._frames.put(attach_pb.AttachSocketRequest(**frame))

    def next(self, kind):
        """The next frame, which must be of that kind."""
        frame = next(self._call)
        assert frame.WhichOneof("frame") == kind, frame
        return getattr(frame, kind)

    def data(self, size):
        """So many bytes, acknowledged as they come."""
        got = b""
        while len(got) < size:
            frame = self.next("data")
            got += frame.data
            self.send(acknowledge=attach_pb.AttachAcknowledge(offset=frame.offset + len(frame.data)))
        return got

    def cancel(self):
        self._call.cancel()
        self._frames.put(None)


def info_of(status):
    """The ErrorInfo of a google.rpc.Status."""
    info = details_pb.ErrorInfo()
    assert status.details[0].Unpack(info)
    return info


class QuotaTest(DaemonTest):
    """token:ci is whom the quotas are for; token:other has none, unless a test says so."""

    def serve(self, quotas, *arguments):
        tokens = self.directory / "tokens"
        tokens.write_text(hash_line("ci", "ci-token") + hash_line("other", "other-token"))
        tokens.chmod(0o600)
        self.quotas = self.directory / "quotas.yaml"
        self.write(quotas)
        self.daemon = self.start("--listen", f"unix:{self.path}", "--loops", "2", "--token-file", str(tokens),
                                 "--quotas", str(self.quotas), *arguments)

    def write(self, text):
        self.quotas.write_text(text)
        self.quotas.chmod(0o600)

    def caller(self, name="ci", session=None):
        client = TokenClient(self.daemon.address, f"{name}-token", session)
        self.addCleanup(client.close)
        return client

    def open(self, client, **request):
        """A TCP socket, or what else is asked for."""
        request.setdefault("type", socket_pb.SOCKET_TYPE_STREAM)
        request.setdefault("family", socket_pb.FAMILY_INET)
        return client.sockets.OpenSocket(pb.OpenSocketRequest(**request), timeout=20).socket

    def listener(self, client):
        return self.open(client, bind=inet(0), listen=pb.Listen())

    def close(self, client, name):
        client.sockets.CloseSocket(pb.CloseSocketRequest(name=name), timeout=20)

    def quota(self, client):
        return client.hosts.GetQuota(host_pb.GetQuotaRequest(), timeout=20)

    def used(self, client, name):
        return next(each.used for each in self.quota(client).counts if each.name == name)

    def await_use(self, client, name, count):
        eventually(lambda: self.used(client, name) == count, f"{name} in use: {count}")

    def assert_reached(self, limit, allowed, call, identity="token:ci"):
        """The call is refused, and told why."""
        with self.assertRaises(grpc.RpcError) as caught:
            call()
        error = caught.exception
        self.assertEqual(grpc.StatusCode.RESOURCE_EXHAUSTED, error.code(), error)
        info, socket_error = error_of(error)
        self.assertEqual(("LIMIT_REACHED", f"quota.{limit}", str(allowed), identity),
                         (info.reason, info.metadata["limit"], info.metadata["allowed"], info.metadata["identity"]))
        self.assertEqual("ORIGIN_LIMIT", socket_error.DESCRIPTOR.fields_by_name["origin"].enum_type.values_by_number[
            socket_error.origin].name)

    def assert_nothing_used(self, *clients):
        for client in clients:
            for each in self.quota(client).counts:
                self.await_use(client, each.name, 0)
