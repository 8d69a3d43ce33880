"""Row: an honest caller over TLS while another address floods the daemon."""

import contextlib
import pathlib
import socket
import ssl
import subprocess
import sys
import time

import peers
import rows
from report import Line

sys.path.insert(0, str(peers.HERE.parent / "support"))
import http2
from lab import Authority

KINDS = {"silent": "silent connections", "hellos": "ClientHellos", "headers": "headers of one stream", "pings": "PING frames",
         "messages": "messages that do not go on"}
WHOAMI = "HostService/GetCaller"


class Honest:
    """Over TLS with a certificate, and HTTP/2 by hand: a client library would wait before it connects again."""

    def __init__(self, address, ca, pair):
        self.address = address
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.context.load_verify_locations(ca.cert)
        self.context.load_cert_chain(pair.cert, pair.key)
        self.context.set_alpn_protocols(["h2"])
        self.standing = None

    def stand(self):
        """A connection for again(), by which calls come soon: one whose pings nobody answers is cut off."""
        if self.standing:
            self.standing.close()
        self.standing, self.frames = self.connect()
        self.stream = 1

    def connect(self):
        connection = self.context.wrap_socket(socket.create_connection(self.address, 60), server_hostname="localhost")
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        http2.open_settled(connection)
        return connection, http2.frames(connection)

    @staticmethod
    def call(connection, frames, stream):
        connection.sendall(http2.call(WHOAMI, stream=stream))
        for kind, flags, of, payload in frames:
            if kind == http2.PING and not flags & http2.ACK:
                connection.sendall(http2.frame(http2.PING, http2.ACK, 0, payload))
            if (kind, of) == (http2.HEADERS, stream) and flags & http2.END_STREAM:
                return
        raise ConnectionError("the honest one was cut off")

    def new(self):
        connection, frames = self.connect()
        self.call(connection, frames, 1)
        connection.close()

    def again(self):
        self.stream += 2
        self.call(self.standing, self.frames, self.stream)


def p99(act, count):
    """In milliseconds."""
    times = []
    for _ in range(count):
        begun = time.perf_counter()
        act()
        times.append((time.perf_counter() - begun) * 1e3)
    return sorted(times)[min(count - 1, count * 99 // 100)]


@contextlib.contextmanager
def flooding(kind, address, ca):
    """Gives a list in which, afterwards, is how many connections it made."""
    made = []
    with subprocess.Popen([peers.PYTHON, peers.HERE / "flooder.py", kind, *map(str, address), ca.cert], text=True,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        begun = time.monotonic()
        try:
            yield made
        finally:
            process.stdin.close()
            made.append(int(process.stdout.readline() or 0) / (time.monotonic() - begun))


def floods(settings, work):
    """p99 of connect + call, and of a call over a connection that stands, over TLS, beside a flood of another address, against alone."""
    ca = Authority(work)
    server, agent = ca.server(), ca.client()
    tokens = pathlib.Path(work, "tokens")
    tokens.write_text("")
    tokens.chmod(0o600)
    with peers.Peer(peers.BIN / "socketeerd", "--listen", "127.0.0.1:0", "--tls-cert", server.cert, "--tls-key", server.key,
                    "--client-ca", ca.cert, "--token-file", tokens) as daemon:
        host, port = daemon.addresses[0].rsplit(":", 1)
        honest = Honest((host, int(port)), ca, agent)
        ways = {"connect + call": (lambda: None, honest.new, settings.calls // 2 or 1),
                "call over a connection that stands": (honest.stand, honest.again, settings.calls * 2)}
        rates = {kind: [] for kind in KINDS}

        def alone(prepare, act, count):
            prepare()
            return p99(act, count)

        def beside(kind, prepare, act, count):
            prepare()
            with flooding(kind, honest.address, ca) as made:
                figure = p99(act, count)
            rates[kind] += made
            return figure

        for what, way in ways.items():
            quiet, *loaded = rows.interleaved(min(settings.rounds, 5), lambda: alone(*way), *(
                lambda kind=kind: beside(kind, *way) for kind in KINDS))
            for (kind, words), figures in zip(KINDS.items(), loaded):
                yield Line("floods", f"p99 of {what}, beside {words}", "ms", figures, "alone", quiet, "<= 10 x",
                           {"connections a second of the flood": sum(rates[kind]) / len(rates[kind])})
