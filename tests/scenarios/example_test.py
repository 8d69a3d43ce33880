"""The example folder's ci.sh passes, and fails when there is a reason to."""

import os
import pathlib
import shutil
import subprocess
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
from daemon import BIN, DaemonTest  # noqa: E402


class Example(DaemonTest):
    def setUp(self):
        super().setUp()
        self.folder = self.directory / "example"
        shutil.copytree(HERE / "example", self.folder)
        for name in "ab":
            self.start("--listen", f"unix:{self.folder}/{name}.sock")

    def change(self, name, before, after):
        text = (self.folder / name).read_text()
        self.assertIn(before, text)
        (self.folder / name).write_text(text.replace(before, after, 1))

    def ci(self, code):
        """What it prints; both streams."""
        run = subprocess.run([self.folder / "ci.sh"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, timeout=60,
                             env={**os.environ, "PATH": f"{BIN.resolve()}:/usr/bin:/bin"})
        self.assertEqual(code, run.returncode, run.stdout)
        return run.stdout

    def test_passes(self):
        self.ci(0)
        self.assertEqual(3, (self.folder / "junit.xml").read_text().count("<testcase "))

    def test_a_scenario_that_fails(self):
        self.change("question.yaml", "expect: {text: pong}", "expect: {text: nothing}")
        self.assertIn("ci: a scenario failed", self.ci(1))

    def test_a_port_that_is_not_as_expected(self):
        self.change("matrix.yaml", "listen: true", "listen: true\ndefault: blocked")
        self.ci(4)
        self.assertFalse((self.folder / "junit.xml").exists())

    def test_no_report_is_no_success(self):
        (self.folder / "junit.xml").write_text("<testsuites/>")  # of a run before
        self.change("refused.yaml", "steps:", "stops:")
        self.assertIn("ci: there is no report", self.ci(2))


if __name__ == "__main__":
    unittest.main()
