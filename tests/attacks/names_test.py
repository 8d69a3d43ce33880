"""A name server that never answers holds up those who ask it, and nobody else."""

import os
import pathlib
import queue
import socket
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import grpc  # noqa: E402
from contract import endpoint_pb, error_of, pb, socket_pb  # noqa: E402
from daemon import own_namespaces  # noqa: E402
from eventually import eventually  # noqa: E402
from quotas import QuotaTest  # noqa: E402

THREADS = 4  # for each identity
PLACES = 64
# Longer than any test takes: what is being asked stays so.
RESOLV = "nameserver 127.53.53.54\noptions timeout:30 attempts:5\n"


@unittest.skipIf(os.geteuid() != 0, "only root may serve at port 53")
class SilentServer(QuotaTest):
    def setUp(self):
        super().setUp()
        self.server = socket.socket(type=socket.SOCK_DGRAM)
        self.addCleanup(self.server.close)
        self.server.bind(("127.53.53.54", 53))
        self.server.settimeout(20)
        hosts, resolv = self.directory / "hosts", self.directory / "resolv.conf"
        hosts.write_text("127.0.0.1 localhost\n")
        resolv.write_text(RESOLV)
        self.prefix = [*own_namespaces("--mount"), "sh", "-c", f"mount --bind {hosts} /etc/hosts && "
                       f"mount --bind {resolv} /etc/resolv.conf && exec \"$@\"", "sh"]

    def start(self, *arguments, **options):
        return super().start(*arguments, prefix=self.prefix, **options)

    def asks(self, client, host, **call):
        """An OpenSocket of a name, under way."""
        connect = endpoint_pb.Endpoint(named=endpoint_pb.NamedEndpoint(host=host, port=self.port))
        return client.sockets.OpenSocket.future(
            pb.OpenSocketRequest(family=socket_pb.FAMILY_INET, type=socket_pb.SOCKET_TYPE_STREAM, connect=connect), **call)

    def await_questions(self, count):
        """Until so many names are asked for."""
        names = set()
        while len(names) < count:
            question = self.server.recv(512)
            names.add(question[13:13 + question[12]].decode())
        return names

    def assert_others_resolve(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port = listener.getsockname()[1]
            self.asks(self.other, "localhost", timeout=20).result()
            listener.accept()[0].close()

    def test_who_asks_and_gives_up_holds_up_himself_alone(self):
        self.serve("quotas: [{identities: token:ci, waiting_calls: 5, opens_per_second: 5}]\n")
        self.port, self.other = 1, self.caller("other")
        attacker = self.caller()
        for turn in range(8):
            asked = [self.asks(attacker, f"n{turn}-{i}.example") for i in range(5)]
            if turn == 0:
                self.assertTrue(all(name.startswith("n0-") for name in self.await_questions(THREADS)))
            self.await_use(attacker, "waiting_calls", 5)
            self.assert_others_resolve()
            for each in asked:
                each.cancel()
            self.await_use(attacker, "waiting_calls", 0)
        self.assert_others_resolve()
        # The attacker's own: numbers as before; names behind what he asked.
        self.port = 1
        with self.assertRaises(grpc.RpcError) as raised:
            self.asks(attacker, "127.1", timeout=20).result()
        self.assertEqual("ECONNREFUSED", error_of(raised.exception)[0].reason)

    def test_places_are_counted_for_each_and_given_back(self):
        self.serve("quotas: [{identities: token:none, sockets: 1}]\n")
        self.port, self.other = 1, self.caller("other")
        attacker = self.caller()
        for turn in range(3):
            # What the first turn asked is being asked for ever: the others have that much less.
            fit = PLACES if turn == 0 else PLACES - THREADS
            asked = [self.asks(attacker, f"n{turn}-{i}.example") for i in range(fit + 1)]
            ended = queue.SimpleQueue()  # one of them, whichever came last
            for each in asked:
                each.add_done_callback(ended.put)
            info = error_of(ended.get(timeout=20).exception())[0]
            self.await_use(attacker, "waiting_calls", fit)
            self.assertEqual(("LIMIT_REACHED", "max_resolutions_per_identity", str(PLACES)),
                             (info.reason, info.metadata["limit"], info.metadata["allowed"]))
            self.assert_others_resolve()
            self.port = 1
            if turn == 0:
                self.await_questions(THREADS)
            for each in asked:
                each.cancel()
            eventually(lambda: self.used(attacker, "waiting_calls") == 0, "what is given up has ended")


if __name__ == "__main__":
    unittest.main()
