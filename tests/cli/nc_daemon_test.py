"""nc when its connection to the daemon breaks, when its daemon says nothing, and when it is another one meanwhile."""
import shutil
import signal
import tempfile
import unittest

from harness import HANG, Daemon
from nc_harness import NcTest


class BrokenConnections(NcTest):
    """A listener's; a stream's are in nc_test."""

    def test_a_connection_to_the_daemon_that_breaks(self):
        for flags in ((), ("-k",)):
            with self.subTest(flags):
                proxy = self.proxy()
                process, port = self.listening_nc(*flags, "--host", proxy.address)
                for _ in range(2):
                    proxy.cut(refused=1)
                    self.said(process, "trying again")
                    self.said(process, "the daemon is back")
                for _ in range(2 if flags else 1):
                    ours = self.joined(port)
                    ours.sendall(b"served")
                    self.assertEqual(process.stdout.read(6), b"served")
                    ours.close()
                process.send_signal(signal.SIGINT)
                self.assertEqual(process.wait(HANG), 130)

    def test_a_connection_that_it_is_not_told_of(self):
        proxy = self.proxy()
        process, port = self.listening_nc("--host", proxy.address)
        proxy.mute()
        ours = self.joined(port)
        while len(self.json("ls")["sockets"]) < 2:
            pass  # the daemon has not accepted it yet
        proxy.cut()
        self.said(process, "trying again")
        self.said(process, "the daemon is back")
        ours.sendall(b"served")
        self.assertEqual(process.stdout.read(6), b"served")
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(HANG), 130)

    def test_a_daemon_that_does_not_come_back(self):
        proxy = self.proxy()
        self.run_cli("session", "create", "--id", "job")
        process, _ = self.listening_nc("--host", proxy.address, "--session", "job", "--timeout", "300ms")
        proxy.stop()
        self.said(process, "trying again")
        _, told = self.finish(process, 2)
        self.assertIn("cannot reach the daemon", told)
        self.run_cli("session", "end", "job")


class OneOfItsOwn(NcTest):
    def setUp(self):
        self.private = tempfile.mkdtemp(prefix="socketeer-")
        self.addCleanup(shutil.rmtree, self.private)
        self.first = Daemon(self.private)
        self.addCleanup(self.first.process.stdout.close)
        self.address = "unix:" + self.first.path


class Silence(OneOfItsOwn):
    def test_a_daemon_that_does_not_answer_is_left_as_told(self):
        self.addCleanup(self.first.stop)
        self.first.process.send_signal(signal.SIGSTOP)
        self.addCleanup(self.first.process.send_signal, signal.SIGCONT)
        patient = self.start("ls", "--host", self.address, "--timeout", "5s")
        self.run_cli("nc", "--host", self.address, "--timeout", "1s", "127.0.0.1", "1", code=2,
                     said=f"nc: the daemon at {self.address} does not answer\n")
        self.assertIsNone(patient.poll(), "who waits longer, and began before, still waits")
        _, told = self.finish(patient, 2)
        self.assertIn(f"ls: the daemon at {self.address} does not answer\n", told)


class Restarts(OneOfItsOwn):
    def restart(self):
        self.first.process.kill()
        self.first.process.wait(HANG)
        self.addCleanup(Daemon(self.private).stop)

    def ended(self, process):
        _, told = self.finish(process, 3)
        self.assertIn(f"nc: the daemon at {self.address} was restarted: the socket is gone\n", told)
        self.assertNotIn("there is no", told)

    def test_under_a_connection(self):
        process, ours = self.connected_nc("--host", self.address)
        ours.sendall(b"x")
        self.assertEqual(process.stdout.read(1), b"x")
        self.restart()
        self.ended(process)

    def test_under_a_listener(self):
        process, _ = self.listening_nc("--host", self.address)
        self.restart()
        self.ended(process)

    def test_under_a_connection_of_a_listener_that_stays(self):
        process, port = self.listening_nc("-k", "--host", self.address)
        self.joined(port).sendall(b"x")
        self.assertEqual(process.stdout.read(1), b"x")
        self.restart()
        self.ended(process)

    def test_a_session_that_never_was(self):
        self.run_cli("nc", "--host", self.address, "--session", "never", "127.0.0.1", "1", code=3,
                     said='there is no session "sessions/never"')
        self.first.stop()


if __name__ == "__main__":
    unittest.main()
