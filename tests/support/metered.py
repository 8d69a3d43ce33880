"""A daemon that tells its metrics, with a policy, tokens and quotas, and callers of several identities."""

import pathlib
import sys

import grpc

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from contract import data_pb, duration, inet, pb  # noqa: E402
from guarded import GuardedTest  # noqa: E402
from plain_port import announced  # noqa: E402
from quotas import TokenClient  # noqa: E402
from tls import hash_line  # noqa: E402

RULES = [{"name": "no-seven", "deny": "all", "addresses": ["127.0.0.7"]}, {"name": "rest", "allow": "all"}]


class MeteredTest(GuardedTest):
    def meter(self, *arguments, quotas="quotas: [{identities: token:few, sockets: 1}]\n"):
        tokens = self.directory / "tokens"
        tokens.write_text("".join(hash_line(f"t{i}", f"secret{i}") for i in range(20)) + hash_line("few", "few-secret"))
        tokens.chmod(0o600)
        (self.directory / "quotas.yaml").write_text(quotas)
        (self.directory / "quotas.yaml").chmod(0o600)
        self.write(*RULES, basics=())
        self.daemon = self.start("--listen", f"unix:{self.path}", "--policy", str(self.file), "--token-file", str(tokens),
                                 "--quotas", str(self.directory / "quotas.yaml"), "--metrics", "127.0.0.1:0",
                                 "--loops", "2", *arguments)
        self.metrics = announced(self.daemon, "metrics")
        self.client = self.connect(self.daemon.address)

    def with_token(self, token):
        client = TokenClient(self.daemon.address, token)
        self.addCleanup(client.close)
        return client

    def fails(self, function, *arguments, **named):
        with self.assertRaises(grpc.RpcError) as raised:
            function(*arguments, **named)
        return raised.exception

    def pair(self):
        """Both ends of a connection, by name."""
        listener = self.opened("tcp4", bind=inet(0), listen=pb.Listen())
        near = self.opened("tcp4", connect=listener.local)
        far = self.client.sockets.AcceptSocket(pb.AcceptSocketRequest(name=listener.name), timeout=20).socket
        return listener.name, near.name, far.name

    def close(self, name, **request):
        return self.client.sockets.CloseSocket(pb.CloseSocketRequest(name=name, **request), timeout=20)

    def wait_to_receive(self, name, seconds):
        return self.client.sockets.ReceiveData(data_pb.ReceiveDataRequest(
            name=name, mode=data_pb.MODE_WAIT, timeout=duration(seconds)), timeout=20)
