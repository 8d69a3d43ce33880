"""A daemon with TLS, and callers who come to it with and without credentials."""

import hashlib
import pathlib
import ssl
import sys

import grpc

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from contract import Client, error_of, host_pb  # noqa: E402
from daemon import DaemonTest  # noqa: E402
from lab import Authority  # noqa: E402


def hash_line(name, token):
    return f"{name} sha256:{hashlib.sha256(token.encode()).hexdigest()}\n"


class TlsClient(Client):
    """Over TLS, with a certificate (a lab.Pair) or a token or both or none. `options`: gRPC's channel arguments."""

    def __init__(self, address, ca, pair=None, token=None, options=()):
        cert, key = pair.read() if pair else (None, None)
        credentials = grpc.ssl_channel_credentials(ca.cert.read_bytes(), key, cert)
        if token is not None:
            credentials = grpc.composite_channel_credentials(credentials, grpc.access_token_call_credentials(token))
        self._use(grpc.secure_channel(address, credentials, [("grpc.use_local_subchannel_pool", 1), *options]))


class TlsTest(DaemonTest):
    def setUp(self):
        super().setUp()
        self.ca = Authority(self.directory)
        self.agent = self.ca.client()

    def token_file(self, *lines):
        path = self.directory / "tokens"
        path.write_text("".join(lines))
        path.chmod(0o600)
        return path

    def serve(self, *arguments, pair=None, listen=("127.0.0.1:0",), client_ca=True, **options):
        """Over TLS at 127.0.0.1, and what else is said."""
        pair = pair or self.ca.server()
        addresses = [each for address in listen for each in ("--listen", address)]
        certificates = ["--client-ca", str(self.ca.cert)] if client_ca else []
        self.daemon = self.start(*addresses, "--tls-cert", str(pair.cert), "--tls-key", str(pair.key), *certificates,
                                 *map(str, arguments), count=len(listen), **options)
        return self.daemon

    def client(self, pair=None, token=None, ca=None, address=None, options=()):
        client = TlsClient(address or self.daemon.address, ca or self.ca, pair, token, options)
        self.addCleanup(client.close)
        return client

    def whoami(self, client, **call):
        return client.hosts.GetCaller(host_pb.GetCallerRequest(), timeout=20, **call)

    def assert_refused(self, client, reason, **call):
        """By the daemon, in an answer."""
        with self.assertRaises(grpc.RpcError) as raised:
            self.whoami(client, **call)
        self.assertEqual(grpc.StatusCode.UNAUTHENTICATED, raised.exception.code(), raised.exception)
        info, error = error_of(raised.exception)
        self.assertEqual(reason, info.reason)
        return info, raised.exception.details()

    def assert_cut_off(self, client):
        """In the handshake: no call comes through."""
        with self.assertRaises(grpc.RpcError) as raised:
            self.whoami(client)
        self.assertEqual(grpc.StatusCode.UNAVAILABLE, raised.exception.code(), raised.exception)

    def context(self, pair=None, ca=None):
        """For a TLS connection by hand."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations((ca or self.ca).cert)
        context.set_alpn_protocols(["h2"])
        if pair:
            context.load_cert_chain(pair.cert, pair.key)
        return context

    def endpoint(self):
        host, port = self.daemon.address.rsplit(":", 1)
        return host, int(port)
