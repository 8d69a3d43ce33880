"""The units of deploy/systemd: as systemd itself judges them, and under a systemd that runs them."""

import functools
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from daemon import BIN, ROOT  # noqa: E402
from eventually import eventually  # noqa: E402
from supervisor import StoppedThread, thread_named  # noqa: E402

UNITS = ROOT / "deploy" / "systemd"
UID = 971  # of the service's user, whom only this systemd knows
# What a whole system has, and these units are ordered by.
TARGETS = ["sysinit", "basic", "shutdown", "network", "sockets", "multi-user"]
BARE = "[Unit]\nDefaultDependencies=no\n"
# The program is where the test has it; what it says is kept; a loop that hangs is noticed soon.
HERE = """[Service]
ExecStart=
ExecStart=/mnt/bin/socketeerd --config /mnt/socketeerd.yaml
StandardOutput=append:/run/socketeerd.out
StandardError=append:/run/socketeerd.err
WatchdogSec=2s
"""


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, timeout=60, **options)


class Judged(unittest.TestCase):
    def test_exposure(self):
        """At most 2.0 of 10, here in tenths."""
        judged = run("systemd-analyze", "security", "--offline=yes", "--no-pager", "--threshold=20",
                     UNITS / "socketeerd.service")
        self.assertEqual(0, judged.returncode, judged.stdout)
        self.assertIn("Overall exposure level for socketeerd.service: ", judged.stdout)

    def test_each_line_is_known(self):
        """systemd-analyze ends with 0 whatever it finds: what it prints counts."""
        with tempfile.TemporaryDirectory() as folder:
            for name in ["socketeerd.service", "socketeerd.socket"]:
                text = (UNITS / name).read_text()
                # Programs and pages that are installed elsewhere are not looked at.
                text = text.replace("/usr/bin/socketeerd", "/bin/true").replace("Documentation=man:socketeerd(8)\n", "")
                (pathlib.Path(folder) / name).write_text(text)
            judged = run("systemd-analyze", "verify", "--man=no", *map(str, pathlib.Path(folder).iterdir()))
            self.assertEqual((0, "", ""), (judged.returncode, judged.stdout, judged.stderr))
            (pathlib.Path(folder) / "wrong.service").write_text("[Service]\nExecStart=/bin/true\nRestrictNamespace=yes\n")
            self.assertIn("RestrictNamespace", run("systemd-analyze", "verify", folder + "/wrong.service").stderr)


class Run(unittest.TestCase):
    def setUp(self):
        if os.geteuid() != 0:
            self.skipTest("only root may start a systemd of its own")
        found = run("findmnt", "-nlt", "cgroup2", "-o", "TARGET").stdout.split()
        if not found:
            self.skipTest("no cgroup2 is mounted here")
        self.group = pathlib.Path(found[0]) / f"socketeer-test-{os.getpid()}"
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.prepare()
        self.log = open(self.folder / "console", "w+")
        self.addCleanup(self.log.close)
        self.addCleanup(self.remove_group)
        boot = subprocess.Popen([pathlib.Path(__file__).parent / "boot", self.folder, self.group],
                                stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        self.addCleanup(lambda: (boot.kill(), boot.wait()))
        self.init = eventually(functools.partial(self.find_init, boot), lambda: f"systemd's start: {self.console()}")
        eventually(lambda: self.inside("systemctl", "is-active", "socketeerd.socket").stdout == "active\n",
                   lambda: f"the socket unit: {self.console()}")

    def prepare(self):
        shutil.copytree(UNITS, self.folder / "units")
        shutil.copy(UNITS / "socketeerd.yaml", self.folder)
        (self.folder / "units" / "socketeerd.service.d").mkdir()
        (self.folder / "units" / "socketeerd.service.d" / "here.conf").write_text(HERE)
        for name in TARGETS:
            (self.folder / "units" / f"{name}.target").write_text(BARE)
        (self.folder / "units" / "test.target").write_text(BARE + "Wants=socketeerd.socket\n")
        (self.folder / "bin").mkdir()
        for name in ["socketeerd", "socketeer"]:
            shutil.copy(BIN / name, self.folder / "bin")
        for name, line in [("passwd", f"socketeer:x:{UID}:{UID}::/:/bin/false\n"), ("group", f"socketeer:x:{UID}:\n")]:
            (self.folder / name).write_text(pathlib.Path("/etc", name).read_text() + line)
        self.folder.chmod(0o755)

    def console(self):
        self.log.seek(0)
        return self.log.read()

    def find_init(self, boot):
        """The number that systemd, the first process in there, has out here; None while it is not there."""
        if boot.poll() is not None:
            said = self.console()
            if "not permitted" in said or "Permission denied" in said or "Read-only file system" in said:
                self.skipTest(f"no systemd can be started here: {said}")
            raise AssertionError(f"systemd did not come up: {said}")
        for line in run("ps", "-o", "pid=,comm=", "--ppid", str(boot.pid)).stdout.splitlines():
            number, name = line.split()
            if name == "systemd" and pathlib.Path(f"/proc/{number}/root/run/systemd/private").is_socket():
                return int(number)
        return None

    def remove_group(self):
        """Its processes are gone with the first of them, or soon."""
        def removed():
            for folder, _, _ in os.walk(self.group, topdown=False):
                try:
                    os.rmdir(folder)
                except OSError:
                    return False
            return True
        eventually(removed, f"{self.group} is empty")

    def inside(self, *command):
        return run("nsenter", "-t", str(self.init), "-a", *command)

    def service(self, *properties):
        """What systemd knows of it."""
        said = self.inside("systemctl", "show", "-p", ",".join(properties), "socketeerd.service").stdout
        values = dict(line.split("=", 1) for line in said.splitlines())
        return tuple(values[each] for each in properties)

    def whoami(self, *prefix):
        said = self.inside(*prefix, "/mnt/bin/socketeer", "--host", "unix:/run/socketeer.sock", "whoami", "-o", "name")
        return said.stdout.strip() or said.stderr

    def main_pid(self):
        """Out here."""
        inner = self.service("MainPID")[0]
        for line in run("pgrep", "-x", "socketeerd").stdout.split():
            fields = pathlib.Path(f"/proc/{line}/status").read_text()
            numbers = next(each for each in fields.splitlines() if each.startswith("NSpid:")).split()
            if numbers[-1] == inner and os.readlink(f"/proc/{line}/ns/pid") == os.readlink(f"/proc/{self.init}/ns/pid"):
                return int(line)
        raise AssertionError(f"no process {inner}")

    def test_the_first_caller_starts_it_and_the_kernel_says_who_he_is(self):
        self.assertEqual("uid:0", self.whoami())
        self.assertEqual(("running", "Serving on unix:/run/socketeer.sock"), self.service("SubState", "StatusText"))
        self.assertNotIn("Landlock", self.inside("cat", "/run/socketeerd.err").stdout)  # the unit lets it limit itself
        # The members of its group may call it, others not.
        member = ["setpriv", "--reuid=4711", f"--regid={UID}", "--clear-groups"]
        self.assertEqual("uid:4711", self.whoami(*member))
        self.assertIn("Permission denied", self.whoami("setpriv", "--reuid=4711", "--regid=4711", "--clear-groups"))

    def test_sockets_work_in_there(self):
        self.assertEqual("uid:0", self.whoami())
        script = ("set -e; PATH=/mnt/bin:$PATH; for kind in 'tcp 127.0.0.1:7001' 'tcp [::1]:7001' 'unix /run/socketeer/s'; "
                  "do set -- $kind; socketeer open $1 --bind $2 --listen --id l; socketeer open $1 --connect $2 --id c; "
                  "socketeer accept l --id a; echo hello | socketeer send c -; socketeer recv a; socketeer close l c a; "
                  "done; socketeer open udp --bind 127.0.0.1:0 --id u")
        said = self.inside("bash", "-c", script)
        self.assertEqual(0, said.returncode, said.stderr)
        self.assertEqual((3, 1), (said.stdout.count("hello\n"), said.stdout.count("sockets/u")), said.stdout)

    def test_reload_and_stop(self):
        self.assertEqual("uid:0", self.whoami())
        self.assertEqual(0, self.inside("systemctl", "reload", "socketeerd").returncode)
        # systemd may not have heard yet that it is done.
        eventually(lambda: self.service("SubState", "NRestarts") == ("running", "0"), lambda: self.service("SubState"))
        stopped = self.inside("systemctl", "stop", "socketeerd.socket", "socketeerd.service")
        self.assertEqual((0, ("dead", "success", "0")),
                         (stopped.returncode, self.service("SubState", "Result", "ExecMainStatus")), stopped.stderr)
        said = self.inside("cat", "/run/socketeerd.err").stdout
        self.assertIn("draining: signal 15", said)
        self.assertIn("drained\n", said)

    def test_a_loop_that_hangs_ends_it_and_it_serves_again(self):
        self.assertEqual("uid:0", self.whoami())
        stuck = self.main_pid()
        StoppedThread(thread_named(stuck, "socket-loop")).await_death()
        eventually(lambda: self.service("NRestarts") == ("1",), lambda: f"a restart: {self.console()}")
        self.assertEqual("uid:0", self.whoami())
        self.assertNotEqual(stuck, self.main_pid())
        self.assertIn("an event loop does not turn", self.inside("cat", "/run/socketeerd.err").stdout)

    def test_by_itself_it_brings_its_socket(self):
        self.inside("systemctl", "stop", "socketeerd.socket", "socketeerd.service")
        started = self.inside("systemctl", "start", "socketeerd.service")
        self.assertEqual((0, "uid:0"), (started.returncode, self.whoami()), started.stderr)
        self.assertEqual("active\n", self.inside("systemctl", "is-active", "socketeerd.socket").stdout)

    def test_settings_that_are_wrong_are_told_and_it_never_is_ready(self):
        root = pathlib.Path(f"/proc/{self.init}/root")
        (root / "mnt/socketeerd.yaml").write_text("loop: 2\n")
        started = self.inside("systemctl", "start", "socketeerd.service")
        self.assertEqual(1, started.returncode)
        self.assertIn('socketeerd: /mnt/socketeerd.yaml:1: unknown key "loop"', (root / "run/socketeerd.err").read_text())


if __name__ == "__main__":
    unittest.main()
