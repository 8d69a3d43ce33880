"""barrier, publish, wait-value, withdraw, values: programs that meet at a daemon."""
import json
import signal
import unittest

from harness import CliTest


class Coordination(CliTest):
    def publish(self, *arguments):
        """A `publish` that has published; its line."""
        process = self.start("publish", *arguments)
        return process, process.stdout.readline().decode()

    def until_waiting_here(self, count):
        """Returns when so many calls are under way in the standing session, beside the one that looks."""
        for _ in range(1000):
            sessions = {one["name"]: one for one in self.json("session", "ls")["sessions"]}
            if sessions["sessions/standing"]["holders"] == count:
                return
        self.fail(f"never were {count} waiting")

    def test_parties_pass_together(self):
        first = self.start("barrier", "pair", "--parties", "2")
        self.assertRegex(self.out("barrier", "barriers/pair", "--parties", "2"),
                         r"^barriers/pair  generation 1  index [01]  parties 2\n$")
        self.assertIn(b"generation 1", self.finish(first, 0)[0])
        again = self.json("barrier", "pair", "--parties", "1")
        self.assertEqual((again["generation"], again["index"], again["arrived"]), ("2", 0, 1))

    def test_who_goes_breaks_it(self):
        waits = self.start("barrier", "broken", "--parties", "3")
        self.until_waiting_here(1)
        late = self.run_cli("barrier", "broken", "--parties", "3", "--party", "late", "--timeout", "0", code=6,
                            said="barrier: timed out; 2 of 3 had arrived")
        self.assertEqual(late.stdout, b"")
        self.assertEqual(self.finish(waits, 3)[1], 'socketeer: barrier: barriers/broken is broken in generation 1: '
                                                   'party "late" went (TIMED_OUT) when 2 of 3 had arrived\n')
        self.run_cli("barrier", "broken", "--parties", "3", "--generation", "1", code=3, said="is broken in generation 1")

    def test_ctrl_c_breaks_it_too(self):
        waits = self.start("barrier", "stopped", "--parties", "3")
        leaves = self.start("barrier", "stopped", "--parties", "3")
        self.until_waiting_here(2)
        leaves.send_signal(signal.SIGINT)
        self.finish(leaves, 130)
        self.assertIn("went (CANCELLED)", self.finish(waits, 3)[1])

    def test_who_disagrees_is_told_both_numbers(self):
        waits = self.start("barrier", "numbers", "--parties", "2")
        self.until_waiting_here(1)
        self.run_cli("barrier", "numbers", "--parties", "3", code=3,
                     said="parties is 3; those who wait at barriers/numbers say 2")
        self.run_cli("barrier", "numbers", "--parties", "2")
        self.finish(waits, 0)

    def test_a_value_is_there_as_long_as_its_publisher(self):
        waits = self.start("wait-value", "server")
        self.until_waiting_here(1)
        publisher, line = self.publish("server", "10.0.0.1:80")
        self.assertRegex(line, r"^values/server  11 bytes  revision \d+\n$")
        self.assertEqual(self.finish(waits, 0)[0], b"10.0.0.1:80")
        self.assertRegex(self.out("values"), r"NAME +OWNER +BYTES +REVISION +SHARED\nvalues/server +\S+ +11 +\d+ +no\n")
        publisher.send_signal(signal.SIGINT)
        self.finish(publisher, 130)
        self.assertEqual(self.out("values", "-o", "name"), "")
        self.run_cli("wait-value", "server", "--timeout", "0", code=6, said="there is no values/server")

    def test_a_value_in_a_session_that_is_named(self):
        self.run_cli("session", "create", "--id", "job")
        made = self.json("publish", "values/a", "1", "--shared", "--session", "job")
        self.assertEqual((made["session"], made["shared"], made["size"]), ("sessions/job", True, 1))
        self.run_cli("session", "end", "job")
        self.assertEqual(self.json("values")["values"], [])

    def test_bytes_are_as_they_are(self):
        data = bytes(range(256))
        self.run_cli("publish", "raw", "-", "--session", "standing", stdin=data)
        self.assertEqual(self.run_cli("wait-value", "raw").stdout, data)
        self.assertRegex(self.out("withdraw", "raw"), r"^values/raw  256 bytes")
        self.run_cli("withdraw", "raw", code=3, said='there is no value "values/raw"')

    def test_newer(self):
        first = self.json("publish", "n", "1", "--session", "standing")
        waits = self.start("wait-value", "n", "--newer", first["revision"], "-o", "json")
        self.until_waiting_here(1)
        self.run_cli("publish", "n", "2", "--session", "standing")
        answer = json.loads(self.finish(waits, 0)[0])
        self.assertEqual((answer["timedOut"], answer["value"]["data"]), (False, "Mg=="))
        self.run_cli("withdraw", "n")

    def test_what_is_wrong_is_told(self):
        self.run_cli("barrier", "A", "--parties", "1", code=1, said='NAME: "A" is not a barrier: ID or barriers/ID')
        self.run_cli("barrier", "a", "--parties", "0", code=1, said="--parties")
        self.run_cli("barrier", "a", "--parties", "20000", code=1, said="parties is")
        self.run_cli("wait-value", "values/", code=1, said="is not a value")
        self.run_cli("wait-value", "a", "--newer", "x", code=1, said="--newer")
        self.run_cli("publish", "a", "-", code=1, said="more than 65536 bytes", stdin=b"x" * (64 * 1024 + 1))
        self.run_cli("publish", "a", "1", "--ttl", "1s", "--session", "standing", code=1, said="--ttl does not go")


if __name__ == "__main__":
    unittest.main()
