"""Every row that needs no valgrind, with a few calls each: does it run, and is the JSON whole? ctest has it when the
benchmarks are built (SOCKETEER_BENCH)."""

import json
import pathlib
import subprocess
import tempfile
import unittest

RUN = pathlib.Path(__file__).with_name("run")
ROWS = {"unary": 4, "open": 2, "rpyc": 6, "many": 4, "fairness": 2}  # and how many lines each gives


class Smoke(unittest.TestCase):
    def test_runs(self):
        with tempfile.TemporaryDirectory() as directory:
            out = pathlib.Path(directory, "sub/bench.json")
            run = subprocess.run([RUN, "--smoke", "--out", out, *ROWS], capture_output=True, text=True, timeout=120)
            self.assertEqual(0, run.returncode, run.stderr)
            said = json.loads(out.read_text())
        self.assertEqual(ROWS, {row: sum(line["row"] == row for line in said["lines"]) for row in ROWS})
        self.assertTrue(all(line["median"] > 0 for line in said["lines"]), said)
        self.assertLessEqual({"date", "commit", "machine", "rounds"}, set(said))


if __name__ == "__main__":
    unittest.main()
