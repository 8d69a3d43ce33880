"""The contract as Python sees it: stubs made by Debian's protoc when first asked for, and gone with the process."""

import atexit
import importlib
import pathlib
import shutil
import subprocess
import sys
import tempfile

import google
import grpc
from google.protobuf import duration_pb2 as duration_pb

PROTO = pathlib.Path(__file__).resolve().parents[2] / "proto"


def _generate():
    out = pathlib.Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, out, ignore_errors=True)
    protos = [str(path.relative_to(PROTO)) for path in PROTO.rglob("*.proto")]
    subprocess.run(["/usr/bin/protoc", "-I", PROTO, f"--python_out={out}", f"--grpc_python_out={out}",
                    "--plugin=protoc-gen-grpc_python=/usr/bin/grpc_python_plugin", *protos], check=True)
    sys.path.insert(0, str(out))
    # Packages that exist already, to which ours add.
    google.__path__.append(str(out / "google"))
    grpc.__path__.append(str(out / "grpc"))


_generate()
pb = importlib.import_module("socketeer.v1.socket_service_pb2")
share_pb = importlib.import_module("socketeer.v1.share_pb2")
socket_pb = importlib.import_module("socketeer.v1.socket_pb2")
data_pb = importlib.import_module("socketeer.v1.data_pb2")
attach_pb = importlib.import_module("socketeer.v1.attach_pb2")
await_pb = importlib.import_module("socketeer.v1.await_pb2")
host_pb = importlib.import_module("socketeer.v1.host_service_pb2")
endpoint_pb = importlib.import_module("socketeer.v1.endpoint_pb2")
error_pb = importlib.import_module("socketeer.v1.error_pb2")
session_pb = importlib.import_module("socketeer.v1.session_service_pb2")
attach_pb = importlib.import_module("socketeer.v1.attach_pb2")
watch_pb = importlib.import_module("socketeer.v1.watch_pb2")
status_pb = importlib.import_module("google.rpc.status_pb2")
details_pb = importlib.import_module("google.rpc.error_details_pb2")
health_pb = importlib.import_module("grpc.health.v1.health_pb2")
coordination_pb = importlib.import_module("socketeer.v1.coordination_service_pb2")
_sockets = importlib.import_module("socketeer.v1.socket_service_pb2_grpc")
_sessions = importlib.import_module("socketeer.v1.session_service_pb2_grpc")
_hosts = importlib.import_module("socketeer.v1.host_service_pb2_grpc")
_coordination = importlib.import_module("socketeer.v1.coordination_service_pb2_grpc")
_health = importlib.import_module("grpc.health.v1.health_pb2_grpc")


class _InSession(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor):
    def __init__(self, name):
        self._metadata = ("socketeer-session", name)

    def _intercept(self, go_on, details, request):
        return go_on(details._replace(metadata=[*(details.metadata or ()), self._metadata]), request)

    intercept_unary_unary = intercept_unary_stream = _intercept


class Client:
    """A channel to a daemon with its stubs. Close it."""

    def __init__(self, address, options=()):
        # A connection of its own: channels to one address would share theirs.
        self._use(grpc.insecure_channel(address, [("grpc.use_local_subchannel_pool", 1), *options]))

    def _use(self, channel):
        self.channel = channel
        self.sessions = _sessions.SessionServiceStub(self.channel)
        self.sockets = _sockets.SocketServiceStub(self.channel)
        self.hosts = _hosts.HostServiceStub(self.channel)
        self.coordination = _coordination.CoordinationServiceStub(self.channel)
        self.health = _health.HealthStub(self.channel)

    def in_session(self, name):
        """Calls in that session, over the same channel, which stays this one's to close."""
        client = Client.__new__(Client)
        client._use(grpc.intercept_channel(self.channel, _InSession(name)))
        return client

    def close(self):
        self.channel.close()

    def create_session(self, ttl, grace=0, **request):
        """Seconds both."""
        return self.sessions.CreateSession(session_pb.CreateSessionRequest(
            ttl=duration(ttl), grace=duration(grace), **request))

    def hold(self, name, **call):
        """The stream, once it holds."""
        stream = self.sessions.HoldSession(session_pb.HoldSessionRequest(name=name), **call)
        next(stream)
        return stream

    def end_session(self, name):
        return self.sessions.EndSession(session_pb.EndSessionRequest(name=name))

    def await_calls(self, count):
        """Until so many calls are under way at the daemon, beside the one that asks."""
        for _ in range(20_000):
            if self.hosts.GetHost(host_pb.GetHostRequest()).usage.calls == count + 1:
                return
        raise AssertionError(f"never were {count} calls under way")


def duration(seconds):
    return duration_pb.Duration(seconds=int(seconds), nanos=round(seconds % 1 * 1e9))


def inet(port, ip="127.0.0.1"):
    return endpoint_pb.Endpoint(inet=endpoint_pb.InetEndpoint(ip=ip, port=port))


def error_of(call_error):
    """(ErrorInfo, SocketError) of a grpc.RpcError."""
    trailers = dict(call_error.trailing_metadata())
    status = status_pb.Status.FromString(trailers["grpc-status-details-bin"])
    info, socket_error = details_pb.ErrorInfo(), error_pb.SocketError()
    assert status.details[0].Unpack(info) and status.details[1].Unpack(socket_error)
    return info, socket_error
