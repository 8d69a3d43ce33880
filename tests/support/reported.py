"""The reports of sample runs, as files."""

import collections
import os
import pathlib
import subprocess
import tempfile
import unittest

BIN = pathlib.Path(os.environ["SOCKETEER_BIN"])
Reports = collections.namedtuple("Reports", "junit json tap html")


class ReportTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="socketeer-")
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)

    def reports(self, sample):
        """All reports of a run: tests/report/sample.h names them."""
        files = Reports(*(self.directory / f"{sample}.{form}" for form in Reports._fields))
        subprocess.run([BIN.parent / "samples" / "make_reports", sample, *files], check=True)
        return files

    def run_tool(self, *command, **options):
        """What it says, on both outputs; a tool that fails fails the test."""
        run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **options)
        self.assertEqual(run.returncode, 0, run.stdout)
        return run.stdout
