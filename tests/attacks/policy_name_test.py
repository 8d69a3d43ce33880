"""Ways round a policy by names: with several addresses, and with answers that change."""

import os
import pathlib
import socket
import socketserver
import struct
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import grpc  # noqa: E402
from contract import error_of, pb  # noqa: E402
from daemon import own_namespaces  # noqa: E402
from guarded import GuardedTest, inet, named  # noqa: E402

FREE = {"name": "free", "allow": ["connect", "send", "receive"], "addresses": ["127.0.0.2"]}


class OwnFiles(GuardedTest):
    """The daemon has a hosts file of the test's, and a resolv.conf."""

    def serve(self, *rules, hosts="", resolver="127.0.0.1"):
        self.hosts, resolv = self.directory / "hosts", self.directory / "resolv.conf"
        self.hosts.write_text(hosts)
        resolv.write_text(f"nameserver {resolver}\noptions timeout:5 attempts:1\n")
        script = (f"mount --bind {self.hosts} /etc/hosts && mount --bind {resolv} /etc/resolv.conf && "
                  'exec "$@"')
        self.guard(*rules, prefix=[*own_namespaces("--mount"), "sh", "-c", script, "sh"])

    def attempts(self, name, port):
        found = self.open("tcp4", connect=named(name, port))
        return found.socket, [(each.peer.inet.ip, each.errno_number, each.reason) for each in found.failed_attempts]


class Names(OwnFiles):
    def test_one_address_free_and_one_denied(self):
        self.serve(FREE, hosts="127.0.0.3 both\n127.0.0.2 both\n")
        denied, free = self.listeners("127.0.0.3", "127.0.0.2")
        port = denied.getsockname()[1]
        found, failed = self.attempts("both", port)
        self.assertEqual(("127.0.0.2", [("127.0.0.3", 0, "POLICY_DENIED")]), (found.peer.inet.ip, failed))
        free.accept()[0].close()
        free.close()
        with self.assertRaises(grpc.RpcError) as raised:
            self.open("tcp4", connect=named("both", port))
        self.assertEqual("ECONNREFUSED", error_of(raised.exception)[0].reason)
        self.assert_nobody_came(denied)

    def test_none_of_its_addresses_is_free(self):
        self.serve(FREE, hosts="127.0.0.3 bad\n127.0.0.4 bad\n")
        self.assert_denied("connect tcp:127.0.0.4:9", self.open, "tcp4", connect=named("bad", 9))

    def test_a_name_that_changes_between_open_and_connect(self):
        self.serve(FREE, hosts="127.0.0.2 name\n")
        denied, _ = self.listeners("127.0.0.3", "127.0.0.2")
        port = denied.getsockname()[1]
        self.open("tcp4", connect=named("name", port))
        made = self.opened("tcp4").name
        self.hosts.write_text("127.0.0.3 name\n")
        self.assert_denied("connect tcp:127.0.0.3", self.dial, made, named("name", port))
        self.assert_nobody_came(denied)

    def test_the_name_is_judged_before_it_is_asked_for(self):
        self.serve({"name": "secret", "deny": ["resolve"], "names": ["*.secret.example"]}, FREE,
                   hosts="127.0.0.2 a.secret.example\n")
        for host in ["a.secret.example", "A.Secret.Example", "a.secret.example."]:
            self.assert_denied("resolve ", self.open, "tcp4", connect=named(host, 80), rule="secret")

    def test_a_datagram_to_a_name(self):
        self.serve(FREE, {"allow": ["bind"]}, hosts="127.0.0.3 name\n")
        beyond = self.listener("127.0.0.3", type_=socket.SOCK_DGRAM)
        made = self.opened("udp4").name
        self.assert_denied("send udp:127.0.0.3", self.send_to, made, named("name", beyond.getsockname()[1]))
        self.assert_nobody_came(beyond)

    def test_to_bind_to_a_name(self):
        self.serve({"allow": ["bind"], "addresses": ["127.0.0.2"]}, hosts="127.0.0.3 bad\n127.0.0.2 good\n")
        self.opened("tcp4", bind=named("good", 0))
        self.assert_denied("bind tcp:127.0.0.3:0", self.open, "tcp4", bind=named("bad", 0))


class Rebinding(socketserver.BaseRequestHandler):
    """Answers A queries with 127.0.0.2 and 127.0.0.3 in turn, to be forgotten at once."""

    answers = 0

    def handle(self):
        query, peer = self.request
        question = query[12:]
        end = question.index(b"\0") + 5
        is_a = question[end - 4:end - 2] == b"\0\1"
        Rebinding.answers += is_a
        answer = b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4" + bytes([127, 0, 0, 2 + Rebinding.answers % 2]) if is_a else b""
        peer.sendto(query[:2] + b"\x85\x80\0\1" + struct.pack("!H", is_a) + bytes(4) + question[:end] + answer,
                    self.client_address)


@unittest.skipIf(os.geteuid() != 0, "only root may serve at port 53")
class ChangingAnswers(OwnFiles):
    def test_a_server_that_answers_otherwise_each_time(self):
        with socketserver.UDPServer(("127.53.53.53", 53), Rebinding) as server:
            threading.Thread(target=server.serve_forever, args=[0.01]).start()
            self.addCleanup(server.shutdown)
            self.serve(FREE, resolver="127.53.53.53")
            denied, free = self.listeners("127.0.0.3", "127.0.0.2")
            port = denied.getsockname()[1]
            seen = []
            for _ in range(40):
                made = self.opened("tcp4").name
                try:
                    self.assertEqual("127.0.0.2", self.dial(made, named("rebind.example", port)).peer.inet.ip)
                    free.accept()[0].close()
                    seen.append("free")
                except grpc.RpcError as error:
                    self.assertEqual("POLICY_DENIED", error_of(error)[0].reason)
                    seen.append("denied")
                self.client.sockets.CloseSocket(pb.CloseSocketRequest(name=made))
            self.assertEqual({"free": 20, "denied": 20}, {each: seen.count(each) for each in set(seen)})
            self.assert_nobody_came(denied)


if __name__ == "__main__":
    unittest.main()
