"""Three hosts that are containers, used by the CLI alone, from a fourth: what passes, breaks, comes back and ends."""

import contextlib
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
APART = ("ENETUNREACH", "timed out")  # an engine gives its networks no route out, or drops what takes it


class HostsTest(unittest.TestCase):
    """With containers of its own for each class."""

    @classmethod
    def setUpClass(cls):
        directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(directory.cleanup)
        cls.compose = Compose(copy_tree(pathlib.Path(directory.name)))
        cls.addClassCleanup(cls.compose.down)

    def do(self, host, *arguments, status=0):
        """What the CLI prints; both streams, as at a prompt."""
        run = self.compose.run(host, *arguments)
        self.assertEqual(status, run.returncode, f"{host} {arguments}: {run.stdout}{run.stderr}")
        return run.stdout + run.stderr

    def rows(self, *arguments, status):
        """Of a verb on all hosts."""
        run = self.compose.run(None, *arguments)
        self.assertEqual(status, run.returncode, run.stderr)
        return run.stdout

    def start(self, host, *arguments):
        process = self.compose.start(host, *arguments)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def connect(self, session=()):
        """A TCP connection from `client` on a to `accepted` on b; the listener's address."""
        for host in ("a", "b"):
            self.do(host, "close", "--all")
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
        for one, other, network, *verdicts in rows:
            for verdict in verdicts:
                self.assertIn(verdict, [pairs.PASSES] if network else APART, f"{one} to {other}")
        self.assertEqual([("a", "b"), ("b", "a"), ("b", "c"), ("c", "b")], [row[:2] for row in rows if row[2]])

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
        said = self.do("a", "open", "tcp", "--connect", "198.18.0.12:7625", status=5)
        self.assertIn("the daemon's policy denies connect tcp:198.18.0.12:7625", said)

    def test_the_caller_is_who_the_certificate_says(self):
        self.assertRegex(self.do("c", "whoami"), r"Identity: +spiffe://socketeer/controller\n")


    def test_a_network_that_is_disconnected_is_no_host_that_is_gone(self):
        address = self.connect()
        with self.apart("b", B):
            self.assertEqual("SERVING\n", self.do("b", "healthcheck"))
            self.assertIn("CONNECTED", self.do("a", "inspect", "client"))
            for one, other, its in [("a", "b", B), ("b", "a", A)]:
                found = pairs.verdict(self.compose, pairs.udp, one, other, its)
                self.assertIn(found, [*APART, "EADDRNOTAVAIL"], f"{one} to {other}")  # b has no such address any more
            self.do("a", "send", "client", "sent while apart")  # the kernel takes it, and sends it when it can
        self.assertEqual("sent while apart", self.do("b", "--timeout", "2m", "recv", "accepted"))
        self.assertRegex(self.do("a", "open", "tcp", "--connect", address), rf"CONNECTED +{A}:\d+ +{address}\n$")

    @contextlib.contextmanager
    def apart(self, service, address):
        """Without net1, and with it again."""
        docker("network", "disconnect", self.compose.network("net1"), self.compose.id(service))
        try:
            yield
        finally:
            docker("network", "connect", "--ip", address, self.compose.network("net1"), self.compose.id(service))


class Stopped(HostsTest):
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


class Killed(HostsTest):
    def test_a_host_that_is_killed_is_unreachable_and_leaves_nothing_with_the_others(self):
        for host in ("a", "b"):
            self.do(host, "session", "create", "--id", "job", "--ttl", "20s")
        holds = [self.start(host, "session", "hold", "job") for host in ("a", "b")]
        for host in ("a", "b"):
            eventually(lambda: re.search(r"^sessions/job .* 1$", self.do(host, "session", "ls"), re.MULTILINE),
                       lambda: f"a session that is held: {self.do(host, 'session', 'ls')}")
        self.connect(session=("--session", "job"))
        docker("kill", self.compose.id("b"))
        self.assertEqual("137", self.compose.state("b", "ExitCode"))
        said = self.do("b", "--timeout", "5s", "ls", status=2)
        self.assertRegex(said, "cannot reach the daemon at b:7625|the daemon at b:7625 does not answer")
        self.assertRegex(self.rows("hosts", "--timeout", "5s", status=2), r"(?m)^a .* yes$\n^b .* no: .*\n^c .* yes$")
        self.assertIn("sockets/client", self.do("a", "ls"))

        for hold in holds:
            hold.kill()  # that is docker exec; the command itself runs on in the container
        docker("restart", "--time", "5", self.compose.id("controller"))  # and ends with it
        self.assertRegex(self.do("a", "--timeout", "2m", "wait", "client", "--for", "closed"), "CLOSED")
        self.assertRegex(self.do("a", "inspect", "client"), r"Closed: .* LEASE_EXPIRED")
        self.assertEqual("", self.do("a", "ls", "-o", "name"))
        self.assertEqual("sessions/standing\n", self.do("a", "session", "ls", "-o", "name"))
