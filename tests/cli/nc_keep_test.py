"""nc -l -k: an error of one connection ends that one; one of the listener ends nc."""
import resource
import signal
import unittest

from harness import HANG
from nc_harness import NcTest


class Keeps(NcTest):
    def serves(self, process, port):
        with self.joined(port) as ours:
            ours.sendall(b"served")
            self.assertEqual(process.stdout.read(6), b"served")

    def close(self, listener):
        """Closes its listener, or its connection, at the daemon."""
        for one in self.json("ls")["sockets"]:
            if one["state"].endswith("LISTENING") == listener:
                self.run_cli("close", one["name"])

    def interrupt(self, process):
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(HANG), 130)
        self.assertEqual(process.stderr.read(), b"")

    def test_a_connection_that_is_closed_at_the_daemon(self):
        process, port = self.listening_nc("-k")
        ours = self.joined(port)
        ours.sendall(b"x")
        self.assertEqual(process.stdout.read(1), b"x")
        self.close(listener=False)
        self.assertEqual(ours.recv(1), b"")
        self.said(process, "was closed")
        self.serves(process, port)
        self.interrupt(process)

    def test_what_accept_is_short_of(self):
        process, port = self.listening_nc("-k")
        self.serves(process, port)
        daemon = self.daemon.process.pid
        limits = resource.prlimit(daemon, resource.RLIMIT_NOFILE)
        resource.prlimit(daemon, resource.RLIMIT_NOFILE, (3, limits[1]))
        try:
            ours = self.joined(port)
            self.said(process, "accept: Too many open files (EMFILE)")
        finally:
            resource.prlimit(daemon, resource.RLIMIT_NOFILE, limits)
        ours.sendall(b"late")
        self.assertEqual(process.stdout.read(4), b"late")
        ours.close()
        self.serves(process, port)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(HANG), 130)

    def test_the_listener_itself(self):
        process, port = self.listening_nc("-k")
        self.serves(process, port)
        self.close(listener=True)
        _, told = self.finish(process, 3)
        self.assertIn("was closed", told)


if __name__ == "__main__":
    unittest.main()
