"""Daemons of its own for each test, files of scenarios, and `socketeer run`."""
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from daemon import SOCKETEER, DaemonTest, socketeer  # noqa: E402

# Far above what anything here takes; only a hang reaches it.
HANG = 60
LISTENER = '{socket: server, kind: tcp, bind: "127.0.0.1:0", listen: true}'


class ScenarioTest(DaemonTest):
    """Hosts a and b; no socket is left on those that live."""

    def setUp(self):
        super().setUp()
        self.daemons = {name: self.start("--listen", f"unix:{self.where(name)}") for name in "ab"}
        self.hosts = "hosts: {%s}\n" % ", ".join(f'{name}: "unix:{self.where(name)}"' for name in "ab")

    def tearDown(self):
        for name, daemon in self.daemons.items():
            if daemon.process.poll() is None:
                self.assertEqual("", socketeer(f"unix:{self.where(name)}", "ls", "-o", "name").stdout, name)
        super().tearDown()

    def where(self, name):
        return self.directory / f"{name}.sock"

    def write(self, name, text, hosts=True):
        """A scenario of that name, in the file NAME.yaml."""
        path = self.directory / f"{name}.yaml"
        path.write_text(f"name: {name}\n" + (self.hosts if hosts else "") + text)
        return str(path)

    def run_cli(self, *arguments, code=0):
        """(stdout, stderr)"""
        run = subprocess.run([SOCKETEER, "run", *map(str, arguments)], capture_output=True, text=True, timeout=HANG,
                             stdin=subprocess.DEVNULL)
        self.assertEqual(code, run.returncode, f"{arguments}: {run.stdout}{run.stderr}")
        return run.stdout, run.stderr

    def begin(self, *arguments):
        process = subprocess.Popen([SOCKETEER, "run", *map(str, arguments)], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(self.reap, process)
        return process

    @staticmethod
    def reap(process):
        process.kill()
        process.communicate()
