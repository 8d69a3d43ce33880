"""Three hosts that are containers, used by the CLI alone, from a fourth: what passes, breaks, comes back and ends."""

import pathlib
import re
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import pairs  # noqa: E402
from compose import NETWORKS, Compose, copy_tree  # noqa: E402
from engine import docker  # noqa: E402
from eventually import eventually  # noqa: E402

A, B = NETWORKS["net1"]["a"], NETWORKS["net1"]["b"]


class HostsTest(unittest.TestCase):
    """With fresh containers for each test: some end them."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.compose = Compose(copy_tree(pathlib.Path(directory.name)))
        self.addCleanup(self.compose.down)

    def do(self, host, *arguments, status=0):
        """What the CLI prints; both streams, as at a prompt."""
        run = self.compose.run(host, *arguments)
        self.assertEqual(status, run.returncode, f"{host} {arguments}: {run.stdout}{run.stderr}")
        return run.stdout + run.stderr

    def start(self, host, *arguments):
        process = self.compose.start(host, *arguments)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def connect(self, session=()):
        """A TCP connection from `client` on a to `accepted` on b; the listener's address."""
        server = self.do("b", *session, "open", "tcp", "--bind", f"{B}:0", "--listen", "--id", "server")
        address = pairs.address_of(server)
        self.assertRegex(self.do("a", *session, "open", "tcp", "--connect", address, "--id", "client"),
                         rf"CONNECTED +{A}:\d+ +{address}\n$")
        self.do("b", *session, "accept", "server", "--id", "accepted")
        return address

    def await_reader(self, host, socket):
        """Until a receive waits there."""
        eventually(lambda: re.search(r"Waiting: +1 reads", self.do(host, "inspect", socket)),
                   lambda: f"a waiting receive: {self.do(host, 'inspect', socket)}")


class Passes(HostsTest):
    def test_each_pair_and_why_not(self):
        rows = pairs.table(self.compose)
        pairs.show(rows)
        apart = "ENETUNREACH"  # there is no route: neither host has the other's network
        self.assertEqual([("a", "b", "net1", "passes", "passes"), ("a", "c", None, apart, apart),
                          ("b", "a", "net1", "passes", "passes"), ("b", "c", "net2", "passes", "passes"),
                          ("c", "a", None, apart, apart), ("c", "b", "net2", "passes", "passes")], rows)

    def test_a_conversation_with_half_close(self):
        self.connect()
        self.do("a", "send", "client", "a question")
        self.do("a", "shutdown", "client", "wr")
        self.assertEqual("a question", self.do("b", "recv", "accepted", "--until-eof"))
        self.assertEqual("socketeer: end of stream\n", self.do("b", "recv", "accepted"))
        self.do("b", "send", "accepted", "the answer")
        self.do("b", "close", "accepted")
        self.assertEqual("the answer", self.do("a", "recv", "client", "--until-eof"))

    def test_the_network_of_control_is_not_the_callers(self):
        said = self.do("a", "open", "tcp", "--connect", "203.0.113.12:7625", status=5)
        self.assertIn("the daemon's policy denies connect tcp:203.0.113.12:7625", said)

    def test_the_caller_is_who_the_certificate_says(self):
        self.assertRegex(self.do("c", "whoami"), r"Identity: +spiffe://socketeer/controller\n")


class Breaks(HostsTest):
    def test_a_network_that_is_disconnected_is_no_host_that_is_gone(self):
        address = self.connect()
        docker("network", "disconnect", self.compose.network("net1"), self.compose.id("b"))
        self.assertEqual("SERVING\n", self.do("b", "healthcheck"))
        self.assertRegex(self.do("b", "open", "tcp", "--connect", f"{A}:1", status=3), "ENETUNREACH")
        self.assertRegex(self.do("a", "open", "tcp", "--connect", address, status=3), "EHOSTUNREACH")
        self.assertIn("CONNECTED", self.do("a", "inspect", "client"))
        self.do("a", "send", "client", "sent while apart")  # the kernel takes it, and sends it when it can

        docker("network", "connect", "--ip", B, self.compose.network("net1"), self.compose.id("b"))
        self.assertEqual("sent while apart", self.do("b", "--timeout", "2m", "recv", "accepted"))
        self.assertRegex(self.do("a", "open", "tcp", "--connect", address), "CONNECTED")


class Ends(HostsTest):
    def test_stop_ends_what_waits_and_the_container_in_order(self):
        self.connect()
        waiting = self.start("a", "--timeout", "5m", "recv", "client")
        self.await_reader("a", "client")
        docker("stop", "--time", "10", self.compose.id("a"))  # what is there after 10 s is killed: status 137
        out, err = waiting.communicate()
        self.assertEqual((2, ""), (waiting.returncode, out), err)
        self.assertIn("the daemon is stopping", err)
        self.assertEqual(("false", "0"), (self.compose.state("a", "Running"), self.compose.state("a", "ExitCode")))
        self.assertEqual("", self.do("b", "recv", "accepted").replace("socketeer: end of stream\n", ""))

    def test_a_host_that_is_killed_is_unreachable_and_leaves_nothing_with_the_others(self):
        for host in ("a", "b"):
            self.do(host, "session", "create", "--id", "job", "--ttl", "10s")
        holds = [self.start(host, "session", "hold", "job") for host in ("a", "b")]
        self.connect(session=("--session", "job"))
        docker("kill", self.compose.id("b"))
        self.assertEqual("137", self.compose.state("b", "ExitCode"))
        said = self.do("b", "--timeout", "5s", "ls", status=2)
        self.assertIn("cannot reach the daemon at b:7625", said)
        self.assertIn("sockets/client", self.do("a", "ls"))

        for hold in holds:
            hold.kill()  # docker exec, which takes the command in the container with it or not:
        docker("restart", "--time", "5", self.compose.id("controller"))  # now it is gone
        self.assertRegex(self.do("a", "wait", "client", "--for", "closed"), "CLOSED")
        self.assertRegex(self.do("a", "inspect", "client"), r"Closed: .* LEASE_EXPIRED")
        self.assertEqual("", self.do("a", "ls", "-o", "name"))
        self.assertEqual("sessions/standing\n", self.do("a", "session", "ls", "-o", "name"))
