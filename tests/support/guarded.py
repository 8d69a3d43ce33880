"""A daemon under a policy, a caller who tries to get round it, and real sockets beyond it."""

import errno
import json
import os
import pathlib
import signal
import socket
import struct
import sys

import grpc

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from contract import Client, data_pb, endpoint_pb, error_of, inet, pb, socket_pb  # noqa: E402
from daemon import DaemonTest  # noqa: E402

ME = f"uid:{os.getuid()}"
KINDS = {
    "tcp4": (socket_pb.FAMILY_INET, socket_pb.SOCKET_TYPE_STREAM),
    "tcp6": (socket_pb.FAMILY_INET6, socket_pb.SOCKET_TYPE_STREAM),
    "udp4": (socket_pb.FAMILY_INET, socket_pb.SOCKET_TYPE_DGRAM),
    "udp6": (socket_pb.FAMILY_INET6, socket_pb.SOCKET_TYPE_DGRAM),
    "unix": (socket_pb.FAMILY_UNIX, socket_pb.SOCKET_TYPE_STREAM),
    "unix-dgram": (socket_pb.FAMILY_UNIX, socket_pb.SOCKET_TYPE_DGRAM),
    "unix-seqpacket": (socket_pb.FAMILY_UNIX, socket_pb.SOCKET_TYPE_SEQPACKET),
}


def named(host, port):
    return endpoint_pb.Endpoint(named=endpoint_pb.NamedEndpoint(host=host, port=port))


def raw(sockaddr):
    return endpoint_pb.Endpoint(raw=sockaddr)


def sockaddr_in(ip, port, family=socket.AF_INET):
    return struct.pack("=H", family) + struct.pack("!H", port) + socket.inet_aton(ip) + bytes(8)


def unix(path):
    return endpoint_pb.Endpoint(unix_domain=endpoint_pb.UnixEndpoint(path=os.fsencode(path)))


def abstract(name):
    return endpoint_pb.Endpoint(unix_domain=endpoint_pb.UnixEndpoint(abstract_name=name))


class GuardedTest(DaemonTest):
    def write(self, *rules, basics=("open", "resolve", "option"), **more):
        """The policy: these rules, and what is done to no address."""
        rules = [{"identities": ["any"], **rule} for rule in rules]
        if basics:
            rules.append({"name": "basics", "allow": list(basics), "identities": ["any"]})
        self.file = self.directory / "policy.yaml"
        fresh = self.directory / "policy.new"
        fresh.write_text(json.dumps({"rules": rules, **more}))
        fresh.chmod(0o600)
        fresh.rename(self.file)

    def guard(self, *rules, listen=(), **more):
        options = {key: more.pop(key) for key in ["prefix"] if key in more}
        self.write(*rules, **more)
        addresses = [f"unix:{self.path}", *listen]
        self.daemon = self.start(*[word for each in addresses for word in ("--listen", each)], "--policy",
                                 str(self.file), count=len(addresses), **options)
        self.client = self.connect(self.daemon.address)
        return self.daemon

    def connect(self, address):
        client = Client(address)
        self.addCleanup(client.close)
        return client

    def reload(self, *rules, **more):
        """The policy, once it is in force."""
        before = self.daemon.log().count("are in force")
        self.write(*rules, **more)
        self.daemon.process.send_signal(signal.SIGHUP)
        self.daemon.await_log("are in force", before + 1)

    def open(self, kind, **request):
        family, type_ = KINDS[kind]
        return self.client.sockets.OpenSocket(pb.OpenSocketRequest(family=family, type=type_, **request), timeout=20)

    def opened(self, kind, **request):
        return self.open(kind, **request).socket

    def dial(self, name, peer):
        return self.client.sockets.ConnectSocket(pb.ConnectSocketRequest(name=name, peer=peer), timeout=20).socket

    def bind(self, name, local):
        return self.client.sockets.BindSocket(pb.BindSocketRequest(name=name, local=local), timeout=20)

    def send(self, name, data=b"x"):
        return self.client.sockets.SendData(data_pb.SendDataRequest(name=name, data=data, mode=data_pb.MODE_WHOLE),
                                            timeout=20)

    def receive(self, name, mode=data_pb.MODE_WAIT):
        return self.client.sockets.ReceiveData(data_pb.ReceiveDataRequest(name=name, mode=mode, max_bytes=100),
                                               timeout=20)

    def send_to(self, name, destination=None, payload=b"x"):
        datagram = data_pb.OutgoingDatagram(payload=payload, destination=destination)
        return self.client.sockets.SendDatagrams(data_pb.SendDatagramsRequest(name=name, datagrams=[datagram],
                                                                              mode=data_pb.MODE_WHOLE), timeout=20)

    def receive_from(self, name):
        return self.client.sockets.ReceiveDatagrams(
            data_pb.ReceiveDatagramsRequest(name=name, mode=data_pb.MODE_WAIT), timeout=20)

    def assert_denied(self, request, function, *arguments, rule="no rule matches", reason="POLICY_DENIED", **named_):
        """`request`: what the policy was asked, or its beginning."""
        with self.assertRaises(grpc.RpcError) as raised:
            function(*arguments, **named_)
        info, error = error_of(raised.exception)
        self.assertEqual(reason, info.reason, raised.exception.details())
        self.assertEqual(grpc.StatusCode.PERMISSION_DENIED, raised.exception.code())
        self.assertEqual(0, error.errno_number)
        if reason == "POLICY_DENIED":
            self.assertEqual((True, rule), (info.metadata["request"].startswith(request), info.metadata["rule"]),
                             info.metadata["request"])
        return info, error

    def listener(self, ip="127.0.0.1", port=0, family=socket.AF_INET, type_=socket.SOCK_STREAM):
        """A socket of this process, that only the daemon could reach for the caller."""
        beyond = socket.socket(family, type_)
        self.addCleanup(beyond.close)
        beyond.bind((ip, port) if family != socket.AF_UNIX else ip)
        if type_ != socket.SOCK_DGRAM:
            beyond.listen()
        beyond.setblocking(False)
        return beyond

    def listeners(self, *ips):
        """One at each address, all at one port: the kernel chooses it for the first, so it may be taken at another."""
        for _ in range(100):
            first = self.listener(ips[0])
            try:
                others = [self.listener(ip, first.getsockname()[1]) for ip in ips[1:]]
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
                first.close()
                continue
            return [first, *others]
        self.fail(f"no port is free at each of {ips}")

    def assert_nobody_came(self, beyond):
        with self.assertRaises(BlockingIOError):
            beyond.accept() if beyond.type & socket.SOCK_STREAM else beyond.recv(1)


__all__ = ["GuardedTest", "KINDS", "ME", "abstract", "inet", "named", "raw", "sockaddr_in", "unix"]
