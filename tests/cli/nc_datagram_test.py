"""nc -u, over UDP and UNIX datagrams."""
import errno
import os
import signal
import socket
import unittest

from harness import HANG
from nc_harness import NcTest, digest

EVERY_BYTE = bytes(range(256))


class Datagrams(NcTest):
    def peer(self, family=socket.AF_INET, address=("127.0.0.1", 0)):
        ours = socket.socket(family, socket.SOCK_DGRAM)
        self.addCleanup(ours.close)
        ours.settimeout(HANG)
        ours.bind(address)
        return ours

    def send(self, process, data):
        process.stdin.write(data)
        process.stdin.flush()

    def interrupt(self, process):
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(HANG), 130)
        self.assertEqual(process.stderr.read(), b"")

    def exchange(self, process, ours):
        """As a client: what is read at once is one datagram, and what comes is printed."""
        for payload in (b"first", EVERY_BYTE):
            self.send(process, payload)
            got, sender = ours.recvfrom(65536)
            self.assertEqual(got, payload)
        for payload in (b"answer", b"", EVERY_BYTE, b""):
            ours.sendto(payload, sender)
        self.assertEqual(process.stdout.read(6 + 256), b"answer" + EVERY_BYTE)
        # The empty one was not the end, neither is that of standard input.
        process.stdin.close()
        ours.sendto(b"later", sender)
        self.assertEqual(process.stdout.read(5), b"later")
        self.interrupt(process)

    def test_a_client(self):
        ours = self.peer()
        self.exchange(self.nc("-u", *ours.getsockname()), ours)

    def test_a_client_from_an_address(self):
        ours = self.peer()
        process = self.nc("-u", "-s", "127.0.0.2", *ours.getsockname())
        self.send(process, b"x")
        self.assertEqual(ours.recvfrom(10)[1][0], "127.0.0.2")
        self.interrupt(process)

    def test_the_port_is_its_own(self):
        ours = self.peer()
        process = self.nc("-u", "-s", "127.0.0.1", *ours.getsockname())
        self.send(process, b"x")
        sender = ours.recvfrom(10)[1]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with self.assertRaises(OSError) as refused:
                other.bind(sender)
        self.assertEqual(refused.exception.errno, errno.EADDRINUSE)
        self.interrupt(process)

    def test_a_large_input_goes_in_pieces(self):
        ours = self.peer()
        path = self.path("large")
        with open(path, "wb") as file:
            file.write(bytes(40_000))
        with open(path, "rb") as file:
            process = self.nc("-u", *ours.getsockname(), stdin=file)
            self.assertEqual([len(ours.recv(65536)) for _ in range(3)], [16384, 16384, 40_000 - 2 * 16384])
        self.interrupt(process)

    def test_a_server_answers_its_first_sender(self):
        process = self.nc("-l", "-u", "127.0.0.1", 0)
        port = int(self.said(process, "listening on 127.0.0.1:").rsplit(":", 1)[1])
        first = self.peer()
        for payload in (b"", b"second"):  # an empty one counts
            first.sendto(payload, ("127.0.0.1", port))
        self.assertEqual(process.stdout.read(6), b"second")
        # It is connected now: another sender is not heard.
        other = self.peer()
        other.sendto(b"not heard", ("127.0.0.1", port))
        first.sendto(b"heard", ("127.0.0.1", port))
        self.assertEqual(process.stdout.read(5), b"heard")
        self.send(process, b"answer")
        self.assertEqual(first.recv(100), b"answer")
        self.interrupt(process)

    def check_burst(self, process, there, first, second):
        """Both send before nc knows of either."""
        process.send_signal(signal.SIGSTOP)
        for _ in range(3):
            first.sendto(b"heard", there)
            second.sendto(b"other", there)
        process.send_signal(signal.SIGCONT)
        self.assertEqual(process.stdout.read(15), 3 * b"heard")
        first.sendto(b"again", there)
        self.assertEqual(process.stdout.read(5), b"again")
        self.interrupt(process)

    def test_what_another_sender_sent_before_is_not_heard_either(self):
        process = self.nc("-l", "-u", "127.0.0.1", 0)
        port = int(self.said(process, "listening on 127.0.0.1:").rsplit(":", 1)[1])
        self.check_burst(process, ("127.0.0.1", port), self.peer(), self.peer())
        there = self.path("listener")
        nameless = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(nameless.close)
        for second in (self.peer(socket.AF_UNIX, self.path("second")), nameless):
            process = self.nc("-l", "-u", "-U", there)
            self.said(process, "listening on " + there)
            self.check_burst(process, there, self.peer(socket.AF_UNIX, self.path("first")), second)

    def test_k_hears_every_sender(self):
        process = self.nc("-l", "-k", "-u", "127.0.0.1", 0)
        port = int(self.said(process, "listening on 127.0.0.1:").rsplit(":", 1)[1])
        for payload in (b"one", b"two"):
            self.peer().sendto(payload, ("127.0.0.1", port))
            self.assertEqual(process.stdout.read(3), payload)
        self.interrupt(process)

    def test_k_goes_on_when_it_was_idle(self):
        process = self.nc("-l", "-k", "-u", "-w", "20ms", "127.0.0.1", 0)
        port = int(self.said(process, "listening on 127.0.0.1:").rsplit(":", 1)[1])
        for payload in (b"one", b"two"):
            self.said(process, "timed out: nothing moved for 20ms")
            self.peer().sendto(payload, ("127.0.0.1", port))
            self.assertEqual(process.stdout.read(3), payload)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(HANG), 130)

    def test_refused(self):
        ours = self.peer()
        process = self.nc("-u", *ours.getsockname())
        self.send(process, b"x")
        ours.recv(1)
        ours.close()
        self.send(process, b"y")
        _, told = self.finish(process, 3)
        self.assertIn("Connection refused (ECONNREFUSED)", told)

    def test_what_cannot_be_sent_ends_it(self):
        there = self.path("there")
        ours = self.peer(socket.AF_UNIX, there)
        process = self.nc("-u", "-U", there)
        self.send(process, b"x")
        ours.recv(1)
        ours.close()  # nothing is ever received: only the next send tells
        self.send(process, b"y")
        _, told = self.finish(process, 3)
        self.assertIn("send: Connection refused (ECONNREFUSED)", told)

    def test_w_ends_it(self):
        ours = self.peer()
        result = self.run_cli("nc", "-u", "-w", "100ms", *map(str, ours.getsockname()), stdin=b"hello", code=6,
                              said="timed out: nothing moved for 100ms")
        self.assertEqual(result.stdout, b"")
        self.assertEqual(ours.recv(100), b"hello")

    def test_unix_datagrams(self):
        there = self.path("there")
        ours = self.peer(socket.AF_UNIX, there)
        self.exchange(self.nc("-u", "-U", there), ours)
        here = self.path("here")
        process = self.nc("-u", "-U", "-s", here, there)
        self.send(process, b"x")
        self.assertEqual(ours.recvfrom(10), (b"x", here))
        self.interrupt(process)
        self.assertFalse(os.path.exists(here))

    def test_a_large_unix_datagram_comes_whole(self):
        there = self.path("there")
        ours = self.peer(socket.AF_UNIX, there)
        process = self.nc("-u", "-U", there)
        self.send(process, b"x")
        _, sender = ours.recvfrom(10)
        data = os.urandom(150_000)
        ours.sendto(data, sender)
        ours.sendto(b"behind", sender)
        self.assertEqual(digest(process.stdout.read(150_006)), digest(data + b"behind"))
        self.interrupt(process)

    def test_a_unix_listener(self):
        there = self.path("listener")
        process = self.nc("-l", "-u", "-U", there)
        self.said(process, "listening on " + there)
        ours = self.peer(socket.AF_UNIX, self.path("named"))
        ours.sendto(b"hello", there)
        self.assertEqual(process.stdout.read(5), b"hello")
        self.send(process, b"answer")
        self.assertEqual(ours.recv(100), b"answer")
        self.interrupt(process)
        self.assertFalse(os.path.exists(there))

    def test_a_sender_without_a_name_gets_no_answer(self):
        there = self.path("listener")
        process = self.nc("-l", "-u", "-U", there)
        self.said(process, "listening on " + there)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ours:
            ours.sendto(b"hello", there)
        self.assertEqual(process.stdout.read(5), b"hello")
        self.said(process, "the sender has no name")
        self.interrupt(process)


if __name__ == "__main__":
    unittest.main()
