"""How a run ends that is cut short: by signals, by kill -9, by a daemon that dies; and what is left then: nothing."""
import os
import signal
import subprocess
import sys
import pathlib
import unittest

from scenario_harness import HANG, ScenarioTest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from daemon import SOCKETEER, socketeer  # noqa: E402
from terminal import Terminal  # noqa: E402

# Waits for ever on host a, with a socket on each host.
WAITS = """limit: 5m
lease: 1s
steps:
- {on: b, open: {socket: sockets/other, kind: tcp, bind: "127.0.0.1:0", listen: true}}
- {on: a, open: {socket: sockets/server, kind: tcp, bind: "127.0.0.1:0", listen: true}}
- {name: lonely, on: a, accept: {socket: sockets/server, as: peer}, limit: 5m}
"""


class Ends(ScenarioTest):
    def watch(self, name):
        """Lines of what happens to sockets on a host, the first of them a snapshot's."""
        process = subprocess.Popen([SOCKETEER, "--host", f"unix:{self.where(name)}", "watch"],
                                   stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.reap, process)
        return process.stdout

    def listening(self, name, socket):
        run = socketeer(f"unix:{self.where(name)}", "wait", socket, "--for", "listening", "--allow-missing")
        self.assertEqual(0, run.returncode, run.stderr)

    def until_closed(self, lines, socket):
        for line in lines:
            if line.startswith("closed") and f"sockets/{socket} " in line:
                return line
        self.fail(f"{socket} was never closed")

    def end(self, process, code):
        out, told = process.communicate(timeout=HANG)
        self.assertEqual(code, process.returncode, out + told)
        return told

    def test_a_signal_ends_the_steps_and_the_cleanup_runs(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number):
                trace = self.directory / f"trace{number}"
                path = self.write("waits", WAITS + f"cleanup:\n- {{run: [\"false\"]}}\n- {{run: [touch, {trace}]}}\n")
                process = self.begin(path, path)
                self.listening("a", "server")
                process.send_signal(number)
                out = self.end(process, 128 + number)
                self.assertTrue(trace.exists())
                self.assertIn("interrupted", out)
                self.assertIn("1 skipped", out)
                for name in "ab":
                    self.assertEqual("", socketeer(f"unix:{self.where(name)}", "ls", "-o", "name").stdout)

    def test_a_second_signal_ends_it_at_once_and_the_lease_does_the_rest(self):
        fifo = self.directory / "fifo"
        os.mkfifo(fifo)
        path = self.write("waits", WAITS + f"cleanup: [{{run: [cat, {fifo}], limit: 5m}}]\n")
        process = self.begin(path)
        watches = {"server": self.watch("a"), "other": self.watch("b")}
        self.listening("a", "server")
        process.send_signal(signal.SIGINT)
        with open(fifo, "w"):  # opens when the cleanup reads
            process.send_signal(signal.SIGINT)
            self.end(process, 130)
        for socket, lines in watches.items():
            self.assertIn("LEASE", self.until_closed(lines, socket).upper())

    def test_after_kill_9_every_socket_is_closed_by_its_lease(self):
        path = self.write("waits", WAITS)
        process = self.begin(path)
        watches = {"server": self.watch("a"), "other": self.watch("b")}
        self.listening("a", "server")
        process.kill()
        for socket, lines in watches.items():
            self.assertIn("LEASE", self.until_closed(lines, socket).upper())

    def test_a_daemon_that_dies_is_named_and_the_other_hosts_are_tidied(self):
        trace = self.directory / "trace"
        path = self.write("waits", WAITS + "cleanup:\n- {name: there, on: a, close: {socket: sockets/server}}\n"
                          "- {name: here, on: b, close: {socket: sockets/other}}\n"
                          f"- {{run: [touch, {trace}]}}\n")
        process = self.begin(path)
        lines = self.watch("b")
        self.listening("a", "server")
        self.daemons["a"].kill()
        out = self.end(process, 2)
        self.assertIn("a: lonely", out)
        self.assertIn("cleanup: ", out)
        self.assertIn("a: there", out)
        self.assertNotIn("b: here", out)
        self.assertTrue(trace.exists())
        self.assertIn("OWNER", self.until_closed(lines, "other").upper())

    def test_pause_on_fail_holds_the_sockets_until_enter(self):
        path = self.write("fails", "steps:\n"
                          "- {on: a, open: {socket: sockets/server, kind: tcp, bind: \"127.0.0.1:0\", listen: true}}\n"
                          "- {run: [\"false\"]}\n")
        terminal = Terminal([SOCKETEER, "run", "--pause-on-fail", path], "until Enter\r\n")
        self.addCleanup(terminal.close)
        there = socketeer(f"unix:{self.where('a')}", "ls", "-o", "name").stdout
        self.assertEqual("sockets/server\n", there)
        terminal.type("\n", until=b"1 failed")

    def test_keep_on_fail_tells_the_sessions(self):
        path = self.write("fails", "lease: 1h\nsteps:\n"
                          "- {on: a, open: {socket: sockets/server, kind: tcp, bind: \"127.0.0.1:0\", listen: true}}\n"
                          "- {run: [\"false\"]}\n")
        _, told = self.run_cli("--keep-on-fail", path, code=3)
        line = next(line for line in told.splitlines() if " a: sessions/" in line)
        arguments = line.split(": socketeer ")[-1].split()  # the command that it shows
        run = subprocess.run([SOCKETEER, *arguments, "-o", "name"], capture_output=True, text=True, timeout=HANG)
        self.assertEqual("sockets/server\n", run.stdout, run.stderr)
        for each in [each for each in told.splitlines() if ": sessions/" in each]:
            arguments = each.split(": socketeer ")[-1].split()
            self.assertEqual(0, socketeer(arguments[1], "session", "end", arguments[3]).returncode)


if __name__ == "__main__":
    unittest.main()
