"""A real socketeerd, and the command line client, for tests in Python."""

import fcntl
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from eventually import eventually  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ["SOCKETEER_BIN"])
SOCKETEERD = str(BIN / "socketeerd")
SOCKETEER = str(BIN / "socketeer")
NOBODY = 65534


class Daemon:
    """A process that serves when the constructor returns. `prefix` is a command that ends in an exec of its arguments,
    `count` the number of addresses that it announces."""

    def __init__(self, *arguments, prefix=(), count=1, program=SOCKETEERD, **popen):
        self._stderr = tempfile.TemporaryFile("w+")
        # The offset is the daemon's, too: it must write at the end while we read at the beginning.
        fcntl.fcntl(self._stderr, fcntl.F_SETFL, os.O_APPEND)
        self.process = subprocess.Popen([*prefix, program, *arguments], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=self._stderr, text=True, **popen)
        self.pid = self.process.pid
        self.lines = [self.process.stdout.readline() for _ in range(count)]
        self.addresses = [line.removeprefix("listening on ").rstrip("\n") for line in self.lines]
        if not all(line.startswith("listening on ") for line in self.lines):
            self.kill()
            raise AssertionError(f"socketeerd did not start: {self.lines} {self.log()}")

    @property
    def address(self):
        return self.addresses[0]

    def log(self):
        self._stderr.seek(0)
        return self._stderr.read()

    def await_log(self, words, count=1):
        """Until it has logged them so often."""
        eventually(lambda: self.log().count(words) >= count, lambda: f"{words!r} in the log: {self.log()}")

    def descriptors(self):
        """What it has open, each as the kernel calls it, but for eventfds: gRPC keeps one for each of its threads that
        ever waited beside another."""
        directory = f"/proc/{self.pid}/fd"
        found = []
        for fd in os.listdir(directory):
            try:
                found.append(os.readlink(f"{directory}/{fd}"))
            except FileNotFoundError:
                pass  # closed meanwhile
        return sorted(each for each in found if each != "anon_inode:[eventfd]")

    def wait(self, timeout=10):
        """The exit status; negative: the signal that ended it."""
        try:
            return self.process.wait(timeout)
        finally:
            self.kill()

    def stop(self):
        self.process.terminate()
        status = self.wait()
        assert status == 0, f"socketeerd ended with {status}: {self.log()}"

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class DaemonTest(unittest.TestCase):
    """With a directory of its own, and daemons that are gone afterwards."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        self.path = self.directory / "d.sock"

    def start(self, *arguments, **options):
        """Without arguments: on the UNIX socket self.path."""
        daemon = Daemon(*(arguments or ("--listen", f"unix:{self.path}")), **options)
        self.addCleanup(daemon._stderr.close)
        self.addCleanup(daemon.kill)
        return daemon

    def refusal(self, *arguments, prefix=(), program=SOCKETEERD, **options):
        """What a daemon says that does not start; it must end with status 1."""
        run = subprocess.run([*prefix, program, *map(str, arguments)],
                             capture_output=True, text=True, timeout=10, **options)
        self.assertEqual((1, ""), (run.returncode, run.stdout), run.stderr)
        self.assertNotIn("terminate called", run.stderr)
        return run.stderr

    def assert_serves(self, address):
        run = socketeer(address, "healthcheck")
        self.assertEqual((0, "SERVING\n"), (run.returncode, run.stdout), run.stderr)


def socketeer(address, *arguments, prefix=(), program=SOCKETEER, **options):
    """Runs the client to its end."""
    return subprocess.run([*prefix, program, "--host", str(address), *arguments],
                          capture_output=True, text=True, timeout=30, **options)


def as_nobody():
    """A command prefix: another user, without any right. Only for root."""
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--inh-caps=-all"]


def own_namespaces(*kinds):
    """A command prefix for new namespaces ("--mount", "--net"), with root's rights in them; skips the test where there
    are none."""
    prefix = ["unshare", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"]), *kinds, "--"]
    run = subprocess.run([*prefix, "true"], capture_output=True, text=True)
    if run.returncode != 0:
        raise unittest.SkipTest(f"no {' and '.join(kinds)} namespaces here: {run.stderr.strip()}")
    return prefix
