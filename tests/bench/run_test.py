"""The benchmarks' runner, but for what it measures: its command line and its verdicts. With the programs built,
smoke_test.py runs them."""

import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import peers  # noqa: E402
import report  # noqa: E402

RUN = pathlib.Path(__file__).with_name("run")


def run(*arguments):
    return subprocess.run([RUN, *arguments], capture_output=True, text=True, timeout=60)


class CommandLine(unittest.TestCase):
    def test_names_its_rows(self):
        listed = run("--list")
        self.assertEqual(0, listed.returncode, listed.stderr)
        self.assertEqual(["unary", "open", "rpyc", "micro", "many", "instructions", "fairness", "bulk", "forwarders",
                          "beside", "stalled", "datagrams", "guarded", "tls", "floods", "copies",
                          "scenarios"],
                         [line.split()[0] for line in listed.stdout.splitlines()])

    def test_refuses_what_is_no_row(self):
        for arguments in (("nothing",), ("--rounds", "0"), ("--rounds", "many")):
            refused = run(*arguments)
            self.assertEqual((2, ""), (refused.returncode, refused.stdout), arguments)


class Verdict(unittest.TestCase):
    def line(self, goal, ours, other=(), faster=False):
        return report.Line("row", "what", "us", list(ours), "theirs", list(other), goal, {"a note": 1}, faster=faster)

    def test_is_of_the_medians(self):
        self.assertTrue(self.line("<= 1.2 x", (11, 12, 90), (10, 10, 10)).met())
        self.assertFalse(self.line("<= 1.2 x", (11, 13, 13), (10, 10, 10)).met())

    def test_counts_how_many_times_faster(self):
        line = self.line(">= 2.5 x", (10, 10), (25, 25), True)
        self.assertTrue(line.met())
        self.assertEqual(2.5, line.ratio())
        self.assertFalse(self.line(">= 2.5 x", (10,), (24,), True).met())

    def test_bounds_a_figure_of_its_own(self):
        self.assertTrue(self.line("<= 1024", (1000,)).met())
        self.assertFalse(self.line("<= 1024", (1025,)).met())
        self.assertIsNone(self.line("<= 1024", (1000,)).ratio())

    def test_says_so_when_a_goal_is_missed(self):
        lines = [self.line("<= 1 x", (20,), (10,)), self.line("", (20,), (10,))]
        rows = list(report.table(lines))
        self.assertTrue(rows[1].endswith("MISSED"), rows)
        self.assertIn("2 x (2..2)", rows[2])
        self.assertEqual([False, None], [line.json().get("met") for line in lines])

    def test_is_not_passed_by_what_was_not_run(self):
        line = report.missing("row", "what", "theirs", "there is no such program")
        self.assertEqual((None, "there is no such program"), (line.met(), line.json()["not_run"]))
        self.assertNotIn("median", line.json())
        self.assertTrue(list(report.table([line]))[1].endswith("NOT RUN"))
        self.assertEqual(["NOT RUN: row, what, theirs: there is no such program"], list(report.notes([line])))


class Cost(unittest.TestCase):
    def test_counts_the_children_of_a_process(self):
        program = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'sum(range(5_000_000))']); print(flush=True); sys.stdin.read()"
        with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            self.assertGreater(peers.cpu_seconds(process.pid), 0.01)
            self.assertGreater(peers.peak_bytes(process.pid), 1 << 20)
            process.stdin.close()

    def test_of_what_has_gone_is_nothing(self):
        with subprocess.Popen(["true"]) as process:
            process.wait()
            self.assertEqual(0, peers.cpu_seconds(process.pid))


if __name__ == "__main__":
    unittest.main()
