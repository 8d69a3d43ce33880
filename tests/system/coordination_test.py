"""Parties and publishers that die: those who wait are told, and what they published ends, by the kernel's word or by the lease."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from contract import Client, coordination_pb, host_pb  # noqa: E402
from daemon import BIN, DaemonTest  # noqa: E402
from eventually import eventually  # noqa: E402

PARTIES_CLIENT = pathlib.Path(__file__).parents[1] / "support" / "barrier_client.py"
BARRIER = "barriers/go"
LONG = 600  # seconds of a lease that no test outlasts
SHORT = 1
PARTIES = 100


class Coordination(DaemonTest):
    def setUp(self):
        super().setUp()
        self.daemon = self.start("--listen", f"unix:{self.path}", "--loops", "2")
        self.client = Client(self.daemon.address)
        self.addCleanup(self.client.close)

    def spawn(self, *command, **environment):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **environment})
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def arrive(self, *names, ttl=LONG, parties=PARTIES):
        """A process whose parties are on their way."""
        process = self.spawn(sys.executable, PARTIES_CLIENT, self.daemon.address, str(ttl), BARRIER, str(parties), *names)
        self.assertEqual("arriving\n", process.stdout.readline())
        return process

    def await_parties(self, count):
        """Until so many wait."""
        self.client.await_calls(count)

    def ends(self, process, count):
        """How so many of its parties ended."""
        return [json.loads(process.stdout.readline()) for _ in range(count)]

    def crowd(self, count, groups=4):
        """So many parties in a few processes; each with how many it has."""
        names = [f"party-{i}" for i in range(count)]
        return [(self.arrive(*names[i::groups]), len(names[i::groups])) for i in range(groups)]

    def ends_of(self, crowd):
        return [end for process, count in crowd for end in self.ends(process, count)]

    def test_a_hundred_pass_together(self):
        for generation in [1, 2]:
            ends = self.ends_of(self.crowd(PARTIES))
            self.assertEqual({None}, {end["reason"] for end in ends})
            self.assertEqual({generation}, {end["generation"] for end in ends})
            self.assertEqual(list(range(PARTIES)), sorted(end["index"] for end in ends))

    def test_three_of_a_hundred_are_killed(self):
        crowd = self.crowd(PARTIES - 4)
        doomed = {name: self.arrive(name) for name in ["doomed-0", "doomed-1", "doomed-2"]}
        self.await_parties(PARTIES - 1)
        for process in doomed.values():
            process.kill()
        for end in self.ends_of(crowd):
            self.assertEqual(("BARRIER_BROKEN", BARRIER, "1", str(PARTIES - 1), str(PARTIES)),
                             tuple(end[key] for key in ["reason", "barrier", "generation", "arrived", "parties"]))
            self.assertIn(end["party"], doomed)
        # The next generation is whole again.
        ends = self.ends_of(self.crowd(PARTIES))
        self.assertEqual({(None, 2)}, {(end["reason"], end["generation"]) for end in ends})

    def test_who_falls_silent_is_gone_with_his_lease(self):
        """His process stands still, so its connection lives, and answers no ping, as behind a network that is cut."""
        witness = self.arrive("witness", parties=3)
        silent = self.arrive("silent", parties=3, ttl=SHORT)
        self.await_parties(2)
        silent.send_signal(signal.SIGSTOP)
        end = self.ends(witness, 1)[0]
        # Not CANCELLED, which it would be if gRPC had given up the connection.
        self.assertEqual(("BARRIER_BROKEN", "silent", "SESSION_ENDED"), (end["reason"], end["party"], end["why"]))

    def publish(self):
        """A program that keeps a value, which is there."""
        publisher = self.spawn(BIN / "socketeer", "publish", "server", "10.0.0.1:80", "--ttl", f"{SHORT}s", "-o", "name",
                               SOCKETEER_HOST=self.daemon.address)
        self.assertEqual("values/server\n", publisher.stdout.readline())
        self.assertEqual(b"10.0.0.1:80", self.client.coordination.GetValue(
            coordination_pb.GetValueRequest(name="values/server")).data)
        return publisher

    def assert_value_goes(self):
        usage = lambda: self.client.hosts.GetHost(host_pb.GetHostRequest()).usage  # noqa: E731
        eventually(lambda: (usage().values, usage().sessions) == (0, 1), lambda: f"no value: {usage()}")

    def test_a_publisher_that_is_killed(self):
        self.publish().kill()
        self.assert_value_goes()

    def test_a_publisher_that_falls_silent(self):
        self.publish().send_signal(signal.SIGSTOP)
        self.assert_value_goes()

    def test_a_publisher_that_is_told_to_end(self):
        publisher = self.publish()
        publisher.terminate()
        self.assertEqual(128 + signal.SIGTERM, publisher.wait())
        self.assert_value_goes()


if __name__ == "__main__":
    unittest.main()
