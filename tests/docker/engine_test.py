"""An engine that cannot start: the tests on one say so, with its own words, and leave nothing."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import engine  # noqa: E402
from daemon import ROOT, as_nobody, own_namespaces  # noqa: E402


class NoEngine(unittest.TestCase):
    def setUp(self):
        if os.geteuid() != 0:
            self.skipTest("only root starts an engine")
        own_namespaces("--mount", "--pid")
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        home = mock.patch.dict(os.environ, {"XDG_CACHE_HOME": directory.name})
        home.start()
        self.addCleanup(home.stop)
        self.temporary = pathlib.Path(directory.name) / "tmp"
        self.temporary.mkdir()
        self.program = pathlib.Path(directory.name) / "dockerd"

    def why(self, script, **changes):
        """Of an engine whose dockerd is this script of the shell. Nothing of it may be left."""
        changes = {"STOP_SECONDS": 1, **changes}
        self.program.write_text(f"#!/bin/sh\n{script}\n")
        self.program.chmod(0o755)
        with mock.patch.multiple(engine, DOCKERD=str(self.program), **changes), \
                mock.patch.object(tempfile, "tempdir", str(self.temporary)), \
                self.assertRaises(engine.NoEngine) as raised:
            created = engine.Engine([], own_network=True)
            with created:
                self.fail("it started")
        self.assertIsNotNone(created._process.poll())
        self.assertEqual([], list(self.temporary.iterdir()))
        return str(raised.exception)

    def test_that_ends_is_told_with_its_last_words(self):
        why = self.why("echo first; echo 'no cgroups here' >&2; exit 1")
        self.assertRegex(why, "^dockerd ended; ")
        self.assertIn("\n  no cgroups here", why)

    def test_that_is_never_ready_is_given_up_and_ended(self):
        self.assertRegex(self.why("exec tail -f /dev/null", START_SECONDS=1), "^dockerd was not ready within 1 s; ")

    def test_that_ignores_the_request_to_end_is_killed(self):
        why = self.why("trap '' TERM; tail -f /dev/null", START_SECONDS=1)
        self.assertIn("was not ready", why)

    def test_that_does_not_answer_is_told(self):
        ready = """/usr/bin/python3 -c 'import os, socket
socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])'
exec tail -f /dev/null"""
        self.assertIn("dockerd does not answer: exit status 1", self.why(ready, DOCKER="/usr/bin/false"))

    def test_without_root_there_is_none(self):
        with tempfile.TemporaryDirectory() as home:
            os.chmod(home, 0o777)
            run = subprocess.run([*as_nobody(), ROOT / "dev", "docker"], capture_output=True, text=True,
                                 env={"PATH": os.environ["PATH"], "HOME": home, "DOCKER_HOST": "unix:///nobody/there"})
        self.assertEqual(77, run.returncode, run.stderr)
        self.assertRegex(run.stdout, "^SKIPPED: only root .*\n$")


class OneAtATime(unittest.TestCase):
    def test_a_second_engine_is_refused(self):
        with tempfile.TemporaryDirectory() as home, mock.patch.dict(os.environ, {"XDG_CACHE_HOME": home}), engine.only_one():
            with self.assertRaisesRegex(engine.NoEngine, "another engine uses"), engine.only_one():
                self.fail("it was let in")


if __name__ == "__main__":
    unittest.main()
