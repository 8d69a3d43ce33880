"""The demo works on each rung of its ladder, leaves nothing behind, and fails when something differs from what it says."""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from daemon import BIN, NOBODY, ROOT, DaemonTest, as_nobody, own_namespaces  # noqa: E402

LAST_LINE = r"\nAll as it should be, in \d+ s\.\n$"


class DemoTest(DaemonTest):
    """Runs a copy, in a place that any user can read."""

    def setUp(self):
        super().setUp()
        self.directory.chmod(0o755)
        self.bin = self.directory / "bin"
        self.bin.mkdir()
        for program in ["socketeer", "socketeerd"]:
            shutil.copy(BIN / program, self.bin)
        shutil.copytree(ROOT / "tests/demo", self.directory / "demo")
        self.scratch = self.directory / "scratch"  # where the demo has its temporary directory
        self.scratch.mkdir()
        self.scratch.chmod(0o777)

    def begin(self, *arguments, prefix=()):
        environment = {"PATH": "/usr/bin:/bin", "SOCKETEER_BIN": str(self.bin), "TMPDIR": str(self.scratch)}
        return subprocess.Popen([*prefix, str(self.directory / "demo/run"), *arguments], env=environment, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)

    def end(self, demo):
        """(exit status, stdout, stderr); nothing may be left."""
        out, err = demo.communicate(timeout=60)
        deadline = time.monotonic() + 30  # a client that was interrupted takes a moment to end
        while (left := processes_of_session(demo.pid)) and time.monotonic() < deadline:
            pass
        self.assertEqual([], left)
        self.assertEqual([], list(self.scratch.iterdir()))
        return demo.returncode, out, err

    def run_demo(self, *arguments, **options):
        return self.end(self.begin(*arguments, **options))


def processes_of_session(session):
    found = []
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            fields = (process / "stat").read_text().rpartition(")")[2].split()
            if int(fields[3]) == session:
                found.append((process / "cmdline").read_text().replace("\0", " "))
        except OSError:
            pass  # it ended meanwhile
    return found


class Ladder(DemoTest):
    def assert_works(self, words, *arguments, **options):
        status, out, err = self.run_demo(*arguments, **options)
        self.assertEqual((0, ""), (status, err), out)
        self.assertIn(words, out.partition("\n")[0])
        self.assertRegex(out, LAST_LINE)
        return out

    @unittest.skipUnless(os.geteuid() == 0, "the first rung needs root")
    def test_root_gets_namespaces(self):
        own_namespaces("--net")
        out = self.assert_works("made as root")
        self.assertIn("ENETUNREACH", out)
        self.assertNotIn("SKIPPED", out)

    def test_a_user_gets_namespaces_too(self):
        prefix = as_nobody() if os.geteuid() == 0 else []
        probe = subprocess.run([*prefix, "unshare", "--user", "--map-root-user", "--net", "true"], capture_output=True)
        if probe.returncode != 0:
            self.skipTest("no user namespaces for users here")
        out = self.assert_works("made without root", prefix=prefix)
        self.assertIn("ENETUNREACH", out)
        self.assertNotIn("SKIPPED", out)

    def test_without_namespaces_it_is_loopback(self):
        script = 'echo 0 >/proc/sys/user/max_net_namespaces && exec "$0" "$@"'
        prefix = ["unshare", "--user", "--map-root-user", "sh", "-c", script]
        if subprocess.run([*prefix, "true"], capture_output=True).returncode != 0:
            self.skipTest("no user namespace here, in which to forbid network namespaces")
        self.assert_works("No network namespaces here", prefix=prefix)

    def test_loopback_says_what_it_cannot_show(self):
        out = self.assert_works("No network namespaces here", "loopback")
        self.assertNotIn("ENETUNREACH", out)
        self.assertIn("\nSKIPPED: an unreachable network", out)

    def test_an_unknown_rung_is_refused(self):
        status, out, err = self.run_demo("moon")
        self.assertEqual((1, ""), (status, out))
        self.assertIn("namespaces|user|loopback", err)


class Interrupted(DemoTest):
    def test_nothing_is_left_of_it(self):
        for number in [signal.SIGTERM, signal.SIGINT, signal.SIGHUP]:
            with self.subTest(number):
                demo = self.begin("loopback")
                while not demo.stdout.readline().startswith("== TCP"):
                    pass
                os.killpg(demo.pid, number)  # as a terminal does
                self.assertNotEqual(0, self.end(demo)[0])


class Differs(DemoTest):
    """With a client that does something else, when its arguments match a pattern of the shell."""

    def assert_noticed(self, expected, pattern, instead, program="socketeer"):
        (self.bin / program).unlink()
        (self.bin / program).write_text(
            f'#!/bin/bash\nreal=("{BIN}/{program}" "$@")\ncase "$*" in {pattern}) {instead} ;; *) exec "${{real[@]}}" ;; esac\n')
        (self.bin / program).chmod(0o755)
        status, out, err = self.run_demo("loopback")
        self.assertEqual(1, status, out)
        self.assertNotRegex(out, LAST_LINE)
        self.assertIn(f"demo: FAILED: expected {expected}", err)

    def test_other_bytes(self):
        self.assert_noticed("the bytes that a sent", r"*recv\ conn*", '"${real[@]}" | tr h j')

    def test_bytes_that_come_twice(self):
        self.assert_noticed("the bytes that b sent", r"*recv\ client*", '"${real[@]}" | sed p')

    def test_no_end_of_stream(self):
        self.assert_noticed("the end of the stream", r"*recv\ conn*", '"${real[@]}" 2>/dev/null')

    def test_another_port(self):
        self.assert_noticed("a listener with its real port", r"*open*--listen*", '"${real[@]}" | sed s/:[0-9]*/:0/')

    def test_another_address(self):
        self.assert_noticed("the address 127.0.0.2", r"*recv\ dns*", r'"${real[@]}" | sed "s/\x02$/\x03/"')

    def test_a_page_that_is_cut(self):
        self.assert_noticed("the page", r"*--until-eof*", '"${real[@]}" | head -c -5')

    def test_another_exit_code(self):
        self.assert_noticed("exit code 3", r"*127.0.0.2:1*", '"${real[@]}"; [[ $? != 3 ]] && exit')

    def test_another_errno(self):
        self.assert_noticed("a refused connect", r"*127.0.0.2:1",
                            '"${real[@]}" 2>&1 | sed s/ECONNREFUSED/ETIMEDOUT/ >&2; exit ${PIPESTATUS[0]}')

    def test_a_socket_that_is_not_listed(self):
        self.assert_noticed("the sockets of a", r"*ls", '"${real[@]}" | grep -v dns')

    def test_a_socket_too_many(self):
        self.assert_noticed("host a to hold no sockets but", r"*ls*name", '"${real[@]}"; echo sockets/more')

    def test_a_close_that_does_nothing(self):
        self.assert_noticed("host a to hold no sockets but: ", r"*close\ --all*", "")

    def test_a_daemon_that_does_not_start(self):
        self.assert_noticed("daemon-a to print", "*", "echo no; exit 1", program="socketeerd")

    def test_a_daemon_that_ends_badly(self):
        self.assert_noticed("exit status 0 of the daemon on a", "*",
                            '"${real[@]}" & pid=$!; trap "kill $pid; wait; exit 7" TERM; wait', program="socketeerd")


if __name__ == "__main__":
    unittest.main()
