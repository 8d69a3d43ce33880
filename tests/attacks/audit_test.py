"""Each event of the audit, by a real daemon; and callers who would write there what they like."""

import importlib
import os
import pathlib
import socket
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import grpc  # noqa: E402
from audited import AuditedTest  # noqa: E402
from contract import data_pb, endpoint_pb, inet, pb, session_pb, socket_pb  # noqa: E402
from daemon import own_namespaces  # noqa: E402
from eventually import eventually  # noqa: E402
from tls import hash_line  # noqa: E402

attach_pb = importlib.import_module("socketeer.v1.attach_pb2")  # contract made it
STREAM = {"family": socket_pb.FAMILY_INET, "type": socket_pb.SOCKET_TYPE_STREAM}
ALL = {"name": "all", "allow": "all"}
WHO = f"uid:{os.getuid()}"
HERE = f"unix:uid={os.getuid()},pid={os.getpid()}"


def named(host, port):
    return endpoint_pb.Endpoint(named=endpoint_pb.NamedEndpoint(host=host, port=port))


def text(endpoint):
    return f"{endpoint.inet.ip}:{endpoint.inet.port}"


class EventTest(AuditedTest):
    def open(self, **request):
        return self.client.sockets.OpenSocket(pb.OpenSocketRequest(**request)).socket

    def listener(self, **request):
        return self.open(**STREAM, bind=inet(0), listen=pb.Listen(), **request)

    def fails(self, call, request, **options):
        with self.assertRaises(grpc.RpcError) as raised:
            call(request, **options)
        return raised.exception

    def attach(self, *frames):
        """Once it is opened; the stream stays."""
        def go_on():
            yield from frames
            over.wait()
        over = threading.Event()
        self.addCleanup(over.set)
        stream = self.client.sockets.AttachSocket(go_on())
        next(stream)
        return stream

    def assert_has(self, line, **fields):
        """These values; and who, from where, and for how long."""
        self.assertEqual({**fields, "identity": WHO, "caller": HERE},
                         {key: line.get(key) for key in [*fields, "identity", "caller"]}, line)
        self.assertRegex(line["time"], r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
        self.assertGreaterEqual(line.get("duration_us", line.get("lifetime_us", -1)), 0, line)


class Sockets(EventTest):
    def setUp(self):
        super().setUp()
        self.client = self.serve_locally()

    def test_open(self):
        made = self.listener(socket_id="web", request_id="r-1")
        self.assert_has(self.line("open"), result="OK", ask_id="web", ask_bind="127.0.0.1:0", listen=True,
                        socket="sockets/web", uid=made.uid, kind="tcp4", session="sessions/standing",
                        local=text(made.local), request_id="r-1")

    def test_a_failure_tells_the_errno(self):
        with socket.socket() as bound:
            bound.bind(("127.0.0.1", 0))
            peer = f"127.0.0.1:{bound.getsockname()[1]}"
            self.fails(self.client.sockets.OpenSocket,
                       pb.OpenSocketRequest(**STREAM, connect=inet(bound.getsockname()[1]), request_id="again"))
        self.assert_has(self.line("open"), result="ECONNREFUSED", origin="KERNEL", errno=111, system_call="connect",
                        peer=peer, ask_connect=peer, socket=None, request_id="again", session="sessions/standing")

    def test_a_repeat_is_not_told_again(self):
        request = pb.OpenSocketRequest(**STREAM, request_id="once")
        self.assertEqual(self.client.sockets.OpenSocket(request), self.client.sockets.OpenSocket(request))
        self.client.sockets.CloseSocket(pb.CloseSocketRequest(name=self.open(**STREAM).name, request_id="twice"))
        self.line("close")
        self.assertEqual(["once", None], [line.get("request_id") for line in self.lines("open")])

    def test_bind_listen_connect_accept(self):
        web = self.open(socket_id="web", **STREAM)
        bound = self.client.sockets.BindSocket(pb.BindSocketRequest(name=web.name, local=inet(0)))
        self.client.sockets.ListenSocket(pb.ListenSocketRequest(name=web.name, backlog=7))
        made = self.open(**STREAM)
        self.client.sockets.ConnectSocket(pb.ConnectSocketRequest(name=made.name, peer=bound.local))
        accepted = self.client.sockets.AcceptSocket(pb.AcceptSocketRequest(name=web.name, socket_id="in")).socket
        self.assert_has(self.line("bind"), ask_bind="127.0.0.1:0", socket="sockets/web", local=text(bound.local))
        self.assert_has(self.line("listen"), backlog=7, socket="sockets/web", local=text(bound.local))
        self.assert_has(self.line("connect"), ask_connect=text(bound.local), socket=made.name, result="OK")
        self.assert_has(self.line("accept"), listener="sockets/web", ask_id="in", socket="sockets/in",
                        uid=accepted.uid, peer=text(accepted.peer), session="sessions/standing")

    def test_accepted_by_a_stream(self):
        web = self.listener(socket_id="web")
        stream = self.attach(attach_pb.AttachSocketRequest(open=attach_pb.AttachOpen(name=web.name)))
        with socket.create_connection(("127.0.0.1", web.local.inet.port)) as peer:
            line = self.line("accept")
            self.assertEqual(("sockets/web", "%s:%d" % peer.getsockname(), HERE, WHO),
                             (line["listener"], line["peer"], line["caller"], line["identity"]))
        stream.cancel()

    def test_close_tells_what_went_through(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            made = self.open(**STREAM, connect=inet(server.getsockname()[1]))
            with server.accept()[0] as peer:
                self.client.sockets.SendData(data_pb.SendDataRequest(name=made.name, data=b"12345"))
                peer.sendall(b"123")
                self.client.sockets.ReceiveData(data_pb.ReceiveDataRequest(name=made.name))
                self.client.sockets.CloseSocket(pb.CloseSocketRequest(name=made.name, request_id="bye"))
        self.assert_has(self.line("close"), result="OK", why="OWNER", bytes_sent=5, bytes_received=3,
                        datagrams_sent=None, socket=made.name, uid=made.uid, peer=text(made.peer),
                        request_id="bye", session="sessions/standing")

    def test_close_tells_of_datagrams(self):
        udp = {"family": socket_pb.FAMILY_INET, "type": socket_pb.SOCKET_TYPE_DGRAM}
        made = self.open(**udp, bind=inet(0))
        datagram = data_pb.OutgoingDatagram(payload=b"123", destination=made.local)
        self.client.sockets.SendDatagrams(data_pb.SendDatagramsRequest(name=made.name, datagrams=[datagram] * 2))
        self.client.sockets.ReceiveDatagrams(data_pb.ReceiveDatagramsRequest(name=made.name))
        self.client.sockets.CloseSocket(pb.CloseSocketRequest(name=made.name))
        self.assert_has(self.line("close"), datagrams_sent=2, datagrams_received=1, bytes_sent=6, bytes_received=3)

    def test_a_close_that_fails(self):
        self.fails(self.client.sockets.CloseSocket, pb.CloseSocketRequest(name="sockets/foreign"))
        self.assert_has(self.line("close"), result="SOCKET_NOT_FOUND", origin="REGISTRY", socket="sockets/foreign")

    def test_data_is_not_told(self):
        made = self.open(**STREAM)
        self.fails(self.client.sockets.SendData, data_pb.SendDataRequest(name=made.name, data=b"x"))
        self.client.sockets.CloseSocket(pb.CloseSocketRequest(name=made.name))
        self.line("close")
        self.assertEqual(["start", "session_create", "open", "close"], [line["event"] for line in self.lines()])

    def test_transfer(self):
        made = self.open(**STREAM)
        session = self.client.create_session(60, session_id="job")
        self.client.sockets.TransferSocket(pb.TransferSocketRequest(name=made.name, session=session.name))
        self.assert_has(self.line("transfer"), ask_session="sessions/job", session="sessions/job", socket=made.name)


class Names(EventTest):
    def test_open_tells_what_a_name_became(self):
        hosts = self.directory / "hosts"
        hosts.write_text("::1 both\n127.0.0.1 both\n")
        self.client = self.serve_locally(prefix=[
            *own_namespaces("--mount"), "sh", "-ec", f'mount --bind {hosts} /etc/hosts; exec "$@"', "sh"])
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            made = self.open(type=socket_pb.SOCKET_TYPE_STREAM, connect=named("both", port))
        self.assert_has(self.line("open"), ask_connect=f"both:{port}", peer=f"127.0.0.1:{port}",
                        local=text(made.local), failed_attempts=[f"[::1]:{port} ECONNREFUSED"])


class Sessions(EventTest):
    def setUp(self):
        super().setUp()
        self.client = self.serve_locally()

    def test_create_and_end_with_what_is_in_it(self):
        session = self.client.create_session(60, session_id="job", request_id="make")
        made = self.client.in_session(session.name).sockets.OpenSocket(pb.OpenSocketRequest(**STREAM)).socket
        self.client.sessions.EndSession(session_pb.EndSessionRequest(name=session.name, request_id="end"))
        self.assert_has({**self.line("session_create", session="sessions/job")}, ask_id="job", ttl_us=60_000_000,
                        request_id="make", result="OK")
        self.assert_has(self.line("session_end"), session="sessions/job", why="SESSION_ENDED", sockets=1,
                        request_id="end")
        close = self.line("close")
        self.assertEqual(("SESSION_ENDED", made.name, "sessions/job", WHO, None),
                         (close["why"], close["socket"], close["session"], close["identity"], close.get("caller")))
        self.line("session_create", session="sessions/standing")

    def test_one_that_runs_out(self):
        session = self.client.create_session(1, session_id="job")
        made = self.client.in_session(session.name).sockets.OpenSocket(pb.OpenSocketRequest(**STREAM)).socket
        self.assertEqual("LEASE_EXPIRED", self.line("session_end")["why"])
        self.assertEqual("LEASE_EXPIRED", self.line("close", socket=made.name)["why"])

    def test_a_daemon_that_stops(self):
        made = self.open(**STREAM)
        self.daemon.stop()
        self.assertEqual("DRAINING", self.line("close", socket=made.name)["why"])
        lines = self.lines()
        self.assertEqual(("start", "stop"), (lines[0]["event"], lines[-1]["event"]))
        self.assertEqual([f"unix:{self.path}"], lines[0]["listen"])
        self.assertEqual(0, lines[-1]["lost"])


class Denials(EventTest):
    def serve_policy(self, *rules, **options):
        self.policy(*rules, **options)
        self.client = self.serve_locally("--policy", self.directory / "policy.yaml")

    def reload(self, *rules):
        self.policy(*rules)
        self.hang_up()
        return self.line("reload", what="policy")

    def test_a_call(self):
        self.serve_policy({"name": "ten", "deny": ["connect"], "addresses": ["10.0.0.0/8"]}, ALL)
        self.fails(self.client.sockets.OpenSocket,
                   pb.OpenSocketRequest(**STREAM, connect=inet(80, "10.0.0.1"), request_id="r"))
        self.assert_has(self.line("deny"), result="POLICY_DENIED", origin="POLICY", verb="connect", mode="enforce",
                        request="connect tcp:10.0.0.1:80", rule="ten", request_id="r", ask_connect="10.0.0.1:80")
        self.assertEqual([], self.lines("open"))

    def test_what_is_not_told_otherwise(self):
        self.serve_policy({"allow": ["open"]})
        made = self.open(**STREAM)
        self.fails(self.client.sockets.SetSocketOptions, pb.SetSocketOptionsRequest(
            name=made.name, options={"nodelay": True}))
        self.assert_has(self.line("deny"), verb="setsockopt", rule="no rule matches", socket=made.name)

    def test_an_attached_stream(self):
        self.serve_policy(ALL)
        with socket.create_server(("127.0.0.1", 0)) as server:
            made = self.open(**STREAM, connect=inet(server.getsockname()[1]))
            with server.accept()[0]:
                self.reload({"name": "quiet", "deny": ["send"]}, ALL)
                stream = self.attach(
                    attach_pb.AttachSocketRequest(open=attach_pb.AttachOpen(name=made.name)),
                    attach_pb.AttachSocketRequest(data=attach_pb.AttachData(offset=0, data=b"x")))
                self.assert_has(self.line("deny"), rule="quiet", socket=made.name, mode="enforce")
                stream.cancel()

    def test_shadow(self):
        self.serve_policy({"name": "none", "deny": ["open"]}, mode="shadow")
        self.open(**STREAM)
        line = self.line("deny")
        self.assertEqual(("shadow", "ALLOWED", WHO, "open tcp4", "none"),
                         tuple(line[key] for key in ["mode", "result", "identity", "request", "rule"]))
        self.daemon.await_log("shadow: uid:")

    def test_a_reload_tells_of_open_sockets(self):
        self.serve_policy(ALL)
        self.open(**STREAM)
        line = self.reload({"name": "quiet", "deny": ["send"]}, ALL)
        self.assertEqual(("OK", 1), (line["result"], line["open_sockets"]))
        self.assertIn("2 rules are in force", line["message"])
        self.assertIn("judged anew", line["effect"])
        (self.directory / "policy.yaml").write_text("rules: 7")
        self.hang_up()
        line = self.line("reload", result="FAILED")
        self.assertIn("the policy before it stays in force", line["message"])
        self.assertNotIn("effect", line)


class Callers(EventTest):
    def test_over_tls(self):
        self.serve("--audit", self.audit_file, "--token-file", self.token_file(hash_line("ci", "secret")))
        self.client = self.client(self.agent)
        self.open(**STREAM)
        line = self.line("open")
        self.assertEqual("spiffe://lab/agent", line["identity"])
        self.assertRegex(line["caller"], r"^127\.0\.0\.1:\d+$")

    def test_failed_authentication(self):
        self.serve("--audit", self.audit_file, "--token-file", self.token_file(hash_line("ci", "secret")))
        self.assert_refused(self.client(), "CREDENTIALS_MISSING")
        self.assert_refused(self.client(token="guess\\\"ed"), "TOKEN_UNKNOWN")
        line = self.line("auth", result="TOKEN_UNKNOWN")
        self.assertNotIn("identity", line)
        self.assertRegex(line["caller"], r"^127\.0\.0\.1:\d+$")
        self.line("auth", result="CREDENTIALS_MISSING")
        self.assertNotIn("guess", self.audit_file.read_text())

    def test_refusals_are_told_at_a_bounded_rate_and_counted(self):
        self.client = self.serve_locally()
        began = self.line("start")["time"]
        bad = [("authorization", "Bearer guess")]
        for _ in range(300):
            self.fails(self.client.sockets.ListSockets, pb.ListSocketsRequest(), metadata=bad)
        self.daemon.stop()
        told = self.lines("auth")
        seconds = len({line["time"][:19] for line in told})
        self.assertLessEqual(len(told), 100 * (seconds + 1), began)
        self.assertEqual(300, len(told) + sum(line.get("left_out", 0) for line in [*told, *self.lines("stop")]))

    def test_failed_calls_are_told_at_a_bounded_rate_and_counted(self):
        self.client = self.serve_locally()
        count = 3_000
        began = time.monotonic()
        for _ in range(0, count, 100):
            self.open(**STREAM)
            missing = pb.CloseSocketRequest(name="sockets/missing")
            for call in [self.client.sockets.CloseSocket.future(missing, timeout=60) for _ in range(100)]:
                self.assertEqual(grpc.StatusCode.NOT_FOUND, call.code())
        seconds = time.monotonic() - began
        self.assertEqual(count // 100, len(self.await_lines("open", count // 100, result="OK")))

        def told():
            return self.lines("close", result="SOCKET_NOT_FOUND")

        def left_out():
            return sum(line.get("left_out", 0) for line in told()) + sum(each["count"] for each in self.lines("left_out"))
        eventually(lambda: len(told()) + left_out() == count, "within 5 s all that was left out is counted")
        self.assertEqual({WHO}, {line["identity"] for line in self.lines("left_out")})
        self.assertGreaterEqual(len(told()), 1_000)
        self.assertLessEqual(len(told()), 1_000 + 20 * (seconds + 1))

    def test_credentials_that_change(self):
        tokens = self.token_file(hash_line("ci", "secret"))
        pair = self.ca.server()
        self.serve("--audit", self.audit_file, "--token-file", tokens, pair=pair)
        self.hang_up()
        self.assertIn("1 tokens are in force", self.line("reload", what="credentials", result="OK")["message"])
        tokens.write_text("nonsense\n")
        self.hang_up()
        self.assertIn("stay in force", self.line("reload", result="FAILED")["message"])
        self.ca.server()  # over the files
        self.daemon.await_log("the new certificate is served")
        self.line("reload", message=f"tls_cert {pair.cert}: the new certificate is served", result="OK")


EVIL = ['a"b', "a\\", 'x\n{"time":"","event":"forged"}', "\r\n", "\x00", "\u2028", "\x1b[2J", "\u202e", "\U0001f600",
        "x" * (1 << 20), '"' * (1 << 20), "\n" * (1 << 16), "../../etc", "%n%s", '","event":"lost","count":9,"x":"']


class Injection(EventTest):
    def setUp(self):
        super().setUp()
        self.client = self.serve_locally()

    def attempt(self, call, request, **options):
        try:
            call(request, timeout=20, **options)
        except grpc.RpcError as error:
            self.assertNotEqual(grpc.StatusCode.UNAVAILABLE, error.code(), error)

    def test_whatever_callers_send_is_one_line_each(self):
        sockets = self.client.sockets
        for evil in EVIL:
            raw = evil.encode() + b"\xff\xfe\xc0"
            for request in [
                    pb.OpenSocketRequest(**STREAM, socket_id=evil), pb.OpenSocketRequest(**STREAM, request_id=evil),
                    pb.OpenSocketRequest(**STREAM, labels={evil: evil}, request_id=evil[:99]),
                    pb.OpenSocketRequest(**STREAM, connect=named(evil, 1)), pb.OpenSocketRequest(**STREAM, connect=inet(1, evil)),
                    pb.OpenSocketRequest(**STREAM, bind=endpoint_pb.Endpoint(raw=raw)),
                    *[pb.OpenSocketRequest(family=socket_pb.FAMILY_UNIX, type=socket_pb.SOCKET_TYPE_STREAM,
                                           connect=endpoint_pb.Endpoint(unix_domain=endpoint_pb.UnixEndpoint(**{kind: raw})))
                      for kind in ["path", "abstract_name"]]]:
                self.attempt(sockets.OpenSocket, request)
            self.attempt(sockets.CloseSocket, pb.CloseSocketRequest(name=f"sockets/{evil}"))
            self.attempt(sockets.AcceptSocket, pb.AcceptSocketRequest(name=evil, socket_id=evil))
            self.attempt(sockets.TransferSocket, pb.TransferSocketRequest(name=evil, session=evil))
            self.attempt(self.client.sessions.CreateSession, session_pb.CreateSessionRequest(session_id=evil))
            if evil.isprintable() and evil.isascii() and len(evil) < 100:
                self.attempt(sockets.OpenSocket, pb.OpenSocketRequest(**STREAM),
                             metadata=[("socketeer-session", evil)])
        self.daemon.stop()
        lines = self.lines()
        self.assertEqual([], self.lines("forged") + self.lines("lost"))
        self.assertGreaterEqual(len(lines), 12 * len(EVIL))
        self.assertLess(max(map(len, self.audit_file.read_text().splitlines())), 4_096)


if __name__ == "__main__":
    unittest.main()
