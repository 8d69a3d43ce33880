"""`socketeer quota`: how much the caller may use, and uses."""

import json
import os
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from daemon import DaemonTest, socketeer  # noqa: E402


class Quota(DaemonTest):
    def daemon(self, text):
        path = self.directory / "quotas.yaml"
        path.write_text(text)
        path.chmod(0o600)
        return self.start("--listen", f"unix:{self.path}", "--quotas", str(path)).address

    def quota(self, address, *arguments, code=0):
        run = socketeer(address, "quota", *arguments)
        self.assertEqual(code, run.returncode, run.stderr)
        return run

    def test_a_table(self):
        address = self.daemon("quotas: [{identities: any, sockets: 3, bytes_per_second: 10M, when_exceeded: refuse}]\n")
        self.assertEqual(0, socketeer(address, "open", "tcp4").returncode)
        run = self.quota(address)
        self.assertEqual("QUOTA             USED  ALLOWED    LEFT     BURST\n"
                         "sockets           1     3          2        -\n"
                         "sessions          0     unlimited  -        -\n"
                         "waiting_calls     0     unlimited  -        -\n"
                         "buffered_bytes    0     unlimited  -        -\n"
                         "watchers          0     unlimited  -        -\n"
                         "opens_per_second  -     unlimited  -        -\n"
                         "bytes_per_second  -     10000000   2500000  2500000\n", run.stdout)
        self.assertEqual("socketeer: who has used up a rate is refused\n", run.stderr)

    def test_json(self):
        address = self.daemon("quotas: [{identities: any, sockets: 0, opens_per_second: 20}]\n")
        shown = json.loads(self.quota(address, "-o", "json").stdout)
        self.assertEqual(f"uid:{os.getuid()}", shown["identity"])
        self.assertEqual({"name": "sockets", "used": "0", "allowed": "0"}, shown["counts"][0])
        self.assertEqual({"name": "sessions", "used": "0"}, shown["counts"][1])
        self.assertEqual({"name": "opens_per_second", "allowed": "20", "burst": "20", "available": "20"},
                         shown["rates"][0])
        self.assertEqual("WHEN_EXCEEDED_DELAY", shown["whenExceeded"])
        self.assertIn("who has used up a rate waits", self.quota(address).stderr)

    def test_it_prints_no_names(self):
        self.quota(self.daemon("quotas: []\n"), "-o", "name", code=1)

    def test_a_daemon_without(self):
        run = self.quota(self.start().address)
        self.assertEqual(("", "socketeer: this daemon has no quotas; it counts for all callers together\n"),
                         (run.stdout, run.stderr))

    def test_what_is_reached_is_told(self):
        run = socketeer(self.daemon("quotas: [{identities: any, sockets: 0}]\n"), "open", "tcp4")
        self.assertEqual(3, run.returncode)
        self.assertIn(f"the limit quota.sockets of uid:{os.getuid()} is reached; allowed: 0", run.stderr)


if __name__ == "__main__":
    unittest.main()
