"""Sockets that were opened by somebody else (sd_listen_fds(3)), handed over by systemd's own tool and by hand."""

import os
import pathlib
import socket
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from daemon import SOCKETEERD, DaemonTest  # noqa: E402

# Becomes the daemon, as the process that its sockets, from descriptor 3 on, are for.
HAND_OVER = ("import os, sys; os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=sys.argv[1]); "
             "os.execv(sys.argv[2], sys.argv[2:])")


class Activation(DaemonTest):
    def by_tool(self, *options, arguments=()):
        """The listener is there before the daemon, which comes with the first caller."""
        tool = subprocess.Popen(["systemd-socket-activate", *options, SOCKETEERD, *arguments],
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(lambda: (tool.kill(), tool.communicate()))
        said = tool.stderr.readline()
        while "Listening on" not in said:
            said = tool.stderr.readline()
        return tool

    def handed(self, *sockets):
        """Descriptors 3, 4 and so on."""
        def place():
            for number, each in enumerate([os.dup(one.fileno()) for one in sockets]):
                os.dup2(each, 3 + number)
        return {"prefix": ["/usr/bin/python3", "-c", HAND_OVER, str(len(sockets))], "preexec_fn": place,
                "pass_fds": list(range(3, 3 + len(sockets)))}

    def listening(self, family, address, kind=socket.SOCK_STREAM):
        made = socket.socket(family, kind)
        self.addCleanup(made.close)
        made.bind(address)
        if kind != socket.SOCK_DGRAM:
            made.listen()
        return made

    def test_a_unix_socket_of_the_tool(self):
        tool = self.by_tool("-l", str(self.path))
        self.assert_serves(f"unix:{self.path}")
        self.assertEqual(f"listening on unix:{self.path}\n", tool.stdout.readline())
        tool.terminate()
        self.assertEqual(0, tool.wait(20))
        self.assertTrue(self.path.is_socket())  # it is not the daemon's

    def test_what_is_named_is_served_beside_it(self):
        inherited = self.listening(socket.AF_INET6, ("::1", 0))
        daemon = self.start("--listen", f"unix:{self.path}", count=2, **self.handed(inherited))
        self.assertEqual([f"[::1]:{inherited.getsockname()[1]}", f"unix:{self.path}"], daemon.addresses)
        for address in daemon.addresses:
            self.assert_serves(address)

    def test_without_a_name_it_alone(self):
        inherited = self.listening(socket.AF_INET, ("127.0.0.1", 0))
        daemon = self.start("--loops", "1", **self.handed(inherited))
        self.assertEqual([f"127.0.0.1:{inherited.getsockname()[1]}"], daemon.addresses)
        daemon.process.terminate()
        self.assertEqual("", daemon.process.stdout.read())  # there is no other

    def test_two(self):
        daemon = self.start("--loops", "1", count=2, **self.handed(
            self.listening(socket.AF_INET, ("127.0.0.1", 0)), self.listening(socket.AF_UNIX, str(self.path))))
        for address in daemon.addresses:
            self.assert_serves(address)

    def test_its_address_is_a_control_socket(self):
        """Which nobody reaches through the daemon."""
        inherited = self.listening(socket.AF_UNIX, str(self.path))
        daemon = self.start("--loops", "1", **self.handed(inherited))
        run = subprocess.run([os.environ["SOCKETEER_BIN"] + "/socketeer", "--host", daemon.address, "open", "unix",
                              "--connect", str(self.path)], capture_output=True, text=True)
        self.assertEqual(5, run.returncode, run.stderr)

    def test_a_network_needs_protection(self):
        inherited = self.listening(socket.AF_INET, ("0.0.0.0", 0))
        said = self.refusal(**self.handed(inherited))
        self.assertIn(f'listen is "0.0.0.0:{inherited.getsockname()[1]}"; it must be a UNIX socket or a loopback', said)

    def test_what_does_not_listen_is_refused(self):
        connected, _ = pair = socket.socketpair()
        for each in pair:
            self.addCleanup(each.close)
        cases = [(self.listening(socket.AF_UNIX, str(self.path), socket.SOCK_DGRAM), "is a socket of another type"),
                 (self.listening(socket.AF_INET, ("127.0.0.1", 0), socket.SOCK_DGRAM), "is a socket of another type"),
                 (connected, "does not listen"),
                 (self.listening(socket.AF_UNIX, f"\0socketeer-test-{os.getpid()}"), "listens at an abstract name"),
                 (open("/dev/null"), "is no socket")]
        self.addCleanup(cases[-1][0].close)
        for one, words in cases:
            with self.subTest(words):
                good = self.listening(socket.AF_INET, ("127.0.0.1", 0))
                said = self.refusal(**self.handed(good, one))
                self.assertIn("descriptor 4, handed over by LISTEN_FDS, " + words, said)
                self.assertEqual(1, said.count("\n"), said)

    def test_a_number_that_is_none_is_refused(self):
        program = HAND_OVER.replace("sys.argv[1]", "'x'")
        said = self.refusal("--listen", f"unix:{self.path}", prefix=["/usr/bin/python3", "-c", program, "0"])
        self.assertIn("LISTEN_FDS and LISTEN_PID", said)

    def test_those_of_another_process_are_not_taken(self):
        environment = {**os.environ, "LISTEN_PID": "1", "LISTEN_FDS": "1"}
        self.assertEqual([f"unix:{self.path}"], self.start("--listen", f"unix:{self.path}", env=environment).addresses)


if __name__ == "__main__":
    unittest.main()
