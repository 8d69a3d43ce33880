"""nc over streams: how it ends, in order and not; -k, -w, -s, -p, -U."""
import os
import pty
import select
import signal
import socket
import subprocess
import threading
import tty
import unittest

from harness import CLI, HANG
from nc_harness import RESET, Flow, NcTest, SocketPeer, digest


class Ends(NcTest):
    def test_without_n_the_sending_side_stays_open(self):
        process, ours = self.connected_nc()
        process.stdin.write(b"question")
        process.stdin.close()
        self.assertEqual(ours.recv(100), b"question")
        ours.setblocking(False)
        with self.assertRaises(BlockingIOError):
            ours.recv(1)
        ours.setblocking(True)
        ours.sendall(b"answer")
        ours.shutdown(socket.SHUT_WR)
        self.assertEqual(self.finish(process, 0), (b"answer", ""))
        self.assertEqual(ours.recv(1), b"")

    def test_with_n_the_end_follows_the_data(self):
        process, ours = self.connected_nc("-N", stdin=subprocess.DEVNULL)
        self.assertEqual(ours.recv(1), b"")
        ours.sendall(b"still heard")
        ours.close()
        self.assertEqual(self.finish(process, 0), (b"still heard", ""))

    def test_a_closed_standard_input_is_at_its_end(self):
        # It was gRPC's: nc read from an eventfd.
        listener, port = self.server()
        process = subprocess.Popen(["/bin/sh", "-c", 'exec "$0" nc -N 127.0.0.1 "$1" <&-', CLI, str(port)],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.env)
        self.addCleanup(self.reap, process)
        ours = self.accepted(listener)
        self.assertEqual(os.readlink(f"/proc/{process.pid}/fd/0"), "/dev/null")
        self.assertEqual(ours.recv(1), b"")
        ours.sendall(b"still heard")
        ours.close()
        self.assertEqual(self.finish(process, 0), (b"still heard", ""))

    def test_what_was_read_is_sent_before_it_ends(self):
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        path = self.path("slow")
        listener.bind(path)
        listener.listen()
        process = self.nc("-U", path)
        ours = self.accepted(listener)
        ours.shutdown(socket.SHUT_WR)
        self.assertEqual(process.stdout.read(), b"")
        data = bytearray()
        while select.select([], [process.stdin], [], 0.2)[1]:  # until all on the way is full
            data += os.urandom(4096)
            os.write(process.stdin.fileno(), data[-4096:])
        process.stdin.close()
        got = bytearray()
        while len(got) < 192 << 10:  # now there is room to hand over the rest, but not for the kernel to take it
            got += ours.recv(4096)
        with self.assertRaises(subprocess.TimeoutExpired):
            process.wait(0.5)
        self.assertEqual(digest(got + self.read_all(ours)), digest(data))
        self.assertEqual(process.wait(HANG), 0)

    def test_64_mib_each_way_at_once(self):
        process, ours = self.connected_nc("-N")
        peer = SocketPeer(ours)
        into = Flow(peer.write, peer.end, process.stdout.read1)
        out = Flow(process.stdin.write, process.stdin.close, peer.read)
        data = os.urandom(64 << 20)
        into.begin(data, 1 << 20)
        out.begin(data, 1 << 20)
        reader = threading.Thread(target=out.finish, args=(self,))
        reader.start()
        into.finish(self)
        reader.join(HANG)
        self.assertEqual(process.wait(HANG), 0)

    def test_a_reset_is_no_end(self):
        for flags in ((), ("-N",)):
            process, ours = self.connected_nc(*flags)
            ours.sendall(b"before")
            self.assertEqual(process.stdout.read(6), b"before")
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            ours.close()
            _, told = self.finish(process, 3)
            self.assertIn("Connection reset by peer (ECONNRESET)", told)

    def test_a_reset_behind_the_peers_end(self):
        process, ours = self.connected_nc()
        ours.close()
        self.assertEqual(process.stdout.read(), b"")
        process.stdin.write(b"nobody is there")
        process.stdin.flush()
        # The first bytes make the peer's kernel say so; how soon that is known is not ours to say.
        try:
            while process.poll() is None:
                process.stdin.write(b"more")
                process.stdin.flush()
        except BrokenPipeError:
            pass
        self.assertEqual(process.wait(HANG), 3)
        self.assertRegex(process.stderr.read().decode(), "ECONNRESET|EPIPE")

    def test_refused(self):
        listener, port = self.server()
        listener.close()
        self.run_cli("nc", "127.0.0.1", str(port), code=3, said="connect: Connection refused (ECONNREFUSED)")

    def test_no_daemon(self):
        self.run_cli("--host", "unix:./nobody.sock", "nc", "127.0.0.1", "1", code=2, said="cannot reach the daemon")

    def test_at_a_terminal_the_peers_end_is_the_end(self):
        ours_end, terminal = pty.openpty()
        self.addCleanup(os.close, ours_end)
        process, ours = self.connected_nc(stdin=terminal)
        os.close(terminal)
        os.write(ours_end, b"typed\n")
        self.assertEqual(ours.recv(100), b"typed\n")
        ours.sendall(b"last words")
        ours.close()
        self.assertEqual(self.finish(process, 0), (b"last words", ""))

    def test_signals_close_the_socket(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            for arguments in ((), ("-l",)):
                with self.subTest(number=number, arguments=arguments):
                    if arguments:
                        process, port = self.listening_nc()
                        ours = self.joined(port)
                    else:
                        process, ours = self.connected_nc()
                    ours.sendall(b"x")
                    self.assertEqual(process.stdout.read(1), b"x")
                    process.send_signal(number)
                    self.assertEqual(process.wait(HANG), 128 + number)
                    self.assertEqual(process.stderr.read(), b"")
                    self.assertEqual(ours.recv(1), b"")

    def test_a_second_signal_does_not_keep_it_from_closing(self):
        for first, second in ((signal.SIGINT, signal.SIGTERM), (signal.SIGHUP, signal.SIGINT)):
            with self.subTest(first=first, second=second):
                process, ours = self.connected_nc()
                ours.sendall(b"x")
                self.assertEqual(process.stdout.read(1), b"x")
                process.send_signal(first)
                process.send_signal(second)
                self.assertEqual(process.wait(HANG), 128 + first)
                self.assertEqual(ours.recv(1), b"")

    def test_what_cannot_end_in_order_ends_in_time(self):
        # A terminal that has room, but little, blocks who writes more.
        terminal, its = pty.openpty()
        self.addCleanup(os.close, terminal)
        tty.setraw(its)
        probe = os.open(os.ttyname(its), os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
        self.addCleanup(os.close, probe)

        def room(within):
            return select.select([], [probe], [], within)[1]
        while room(0.1):
            os.write(probe, b"x")
        while not room(0.01):
            os.read(terminal, 1)
        self.run_cli("session", "create", "--id", "job")
        process, ours = self.connected_nc("--session", "job", stdout=its)
        os.close(its)
        ours.sendall(bytes(32768))
        while room(0):
            pass
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(HANG), 130)
        self.run_cli("session", "end", "job")  # as the end of its lease does

    def test_ctrl_c_while_nobody_connects(self):
        process, _ = self.listening_nc()
        process.send_signal(signal.SIGINT)
        self.finish(process, 130)

    def fill(self, ours):
        """Sends until nothing more goes, and on until the connection ends; the thread that does."""
        full = threading.Event()

        def run():
            with self.assertRaises(OSError):
                while True:
                    ours.sendall(bytes(65536))
                    if not select.select([], [ours], [], 0.1)[1]:
                        full.set()

        writer = threading.Thread(target=run)
        writer.start()
        self.assertTrue(full.wait(HANG))
        return writer

    def test_ctrl_c_while_the_output_is_full(self):
        process, ours = self.connected_nc(stdin=subprocess.DEVNULL)
        writer = self.fill(ours)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(HANG), 130)
        writer.join(HANG)

    def test_a_closed_reader_ends_it_quietly(self):
        for full in (False, True):
            with self.subTest(full=full):
                reading, writing = os.pipe()
                process, ours = self.connected_nc(stdout=writing)
                os.close(writing)
                ours.sendall(b"x")
                self.assertEqual(os.read(reading, 1), b"x")
                writer = self.fill(ours) if full else None
                os.close(reading)
                self.assertEqual(process.wait(HANG), -signal.SIGPIPE)
                self.assertEqual(process.stderr.read(), b"")
                # Its sockets are closed, too: tearDown looks.
                if writer:
                    writer.join(HANG)

    def test_a_closed_reader_at_a_socket_ends_it_quietly(self):
        reader, writing = socket.socketpair()
        reader.settimeout(HANG)
        process, ours = self.connected_nc(stdout=writing)
        writing.close()
        ours.sendall(b"x")
        self.assertEqual(reader.recv(1), b"x")
        reader.close()
        self.assertEqual(process.wait(HANG), -signal.SIGPIPE)
        self.assertEqual(process.stderr.read(), b"")

    def test_one_socket_as_input_and_output(self):
        joined, its = socket.socketpair()
        self.addCleanup(joined.close)
        joined.settimeout(HANG)
        process, ours = self.connected_nc("-N", stdin=its, stdout=its)
        its.close()
        joined.sendall(b"question")
        joined.shutdown(socket.SHUT_WR)
        self.assertEqual(self.read_all(ours), b"question")
        ours.sendall(b"answer")
        ours.close()  # both ways have ended, and not because the reader is gone
        self.assertEqual(self.read_all(joined), b"answer")
        self.finish(process, 0)

    def test_a_full_disk_is_an_error(self):
        with open("/dev/full", "wb") as full:
            process, ours = self.connected_nc(stdout=full)
            ours.sendall(b"x")
            self.assertEqual(process.wait(HANG), 3)
        self.assertIn(b"cannot write the output", process.stderr.read())

    def test_its_socket_has_a_lease(self):
        process, ours = self.connected_nc("--timeout", "7s")
        ours.sendall(b"x")
        self.assertEqual(process.stdout.read(1), b"x")
        session = self.json("ls")["sockets"][0]["session"]
        self.assertEqual(self.json("session", "inspect", session)["ttl"], "17s")
        process.kill()
        process.wait(HANG)
        self.run_cli("session", "end", session)  # as the end of the lease does
        self.assertEqual(ours.recv(1), b"")

    def test_it_outlives_its_connection_to_the_daemon(self):
        proxy = self.proxy()
        data = os.urandom(8 << 20)
        process, ours = self.connected_nc("-N", "--host", proxy.address)
        out = Flow(process.stdin.write, process.stdin.close, ours.recv)
        out.begin(data, 1 << 20)
        ours.recv(1, socket.MSG_PEEK)
        proxy.cut()
        out.finish(self)
        ours.sendall(b"thanks")
        ours.close()
        self.assertEqual(process.stdout.read(), b"thanks")
        self.assertEqual(process.wait(HANG), 0)


class Flags(NcTest):
    def test_a_listener_takes_one(self):
        process, port = self.listening_nc(stdin=subprocess.DEVNULL)
        first = self.joined(port)
        first.sendall(b"first")
        self.assertEqual(process.stdout.read(5), b"first")
        with self.assertRaises(ConnectionRefusedError):
            self.joined(port)
        first.close()
        self.finish(process, 0)

    def test_k_serves_one_after_the_other(self):
        process, port = self.listening_nc("-k")
        for number in range(3):
            with self.joined(port) as ours:
                ours.sendall(b"request %d" % number)
                self.assertEqual(process.stdout.read(9), b"request %d" % number)
                process.stdin.write(b"answer %d" % number)
                process.stdin.flush()
                self.assertEqual(ours.recv(100), b"answer %d" % number)
                ours.shutdown(socket.SHUT_WR)
                self.assertEqual(ours.recv(1), b"")
        with self.joined(port) as ours:
            ours.sendall(b"x")
            process.stdout.read(1)
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.said(process, "ECONNRESET")
        with self.joined(port) as ours:
            ours.sendall(b"after the reset")
            self.assertEqual(process.stdout.read(15), b"after the reset")
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(HANG), 130)

    def test_w_ends_what_is_idle(self):
        for wait in ("1", "50ms"):
            process, _ = self.connected_nc("-w", wait)
            _, told = self.finish(process, 6)
            self.assertIn("timed out: nothing moved for", told)

    def test_w_takes_its_time_once_when_nothing_goes_out(self):
        blocked, _ = self.connected_nc("-w", "2s")
        while select.select([], [blocked.stdin], [], 0.1)[1]:  # until all on the way is full
            os.write(blocked.stdin.fileno(), bytes(4096))
        quiet, _ = self.connected_nc("-w", "3s")
        self.assertEqual(quiet.wait(HANG), 6)
        self.assertEqual(blocked.poll(), 6, "the one that waits less, and began before, has ended before")

    def test_w_bounds_connecting(self):
        listener = socket.socket()
        self.addCleanup(listener.close)
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        self.joined(port)  # the queue is full now: who comes next is not answered
        self.run_cli("nc", "-w", "50ms", "127.0.0.1", str(port), code=6, said="no result in time")

    def test_the_local_address(self):
        spare, free = self.server()
        spare.close()
        for flags, expected in ((("-s", "127.0.0.2"), ("127.0.0.2", None)), (("-p", free), ("127.0.0.1", free)),
                                (("-s", "127.0.0.3", "-p", free), ("127.0.0.3", free))):
            with self.subTest(flags):
                process, ours = self.connected_nc(*flags, stdin=subprocess.DEVNULL)
                host, port = ours.getpeername()
                self.assertEqual((host, port if expected[1] else None), expected)
                ours.close()
                self.finish(process, 0)

    def test_p_is_the_port_to_listen_on(self):
        process = self.nc("-l", "-p", 0, "127.0.0.1", stdin=subprocess.DEVNULL)
        port = int(self.said(process, "listening on 127.0.0.1:").rsplit(":", 1)[1])
        with self.joined(port) as ours:
            ours.sendall(b"here")
        self.assertEqual(self.finish(process, 0)[0], b"here")

    def test_a_listener_of_both_families_and_ipv6_without_brackets(self):
        process = self.nc("-l", 0, stdin=subprocess.DEVNULL)
        port = int(self.said(process, "listening on").rsplit(":", 1)[1])
        self.run_cli("nc", "-N", "::1", str(port), stdin=b"over IPv6")
        self.assertEqual(self.finish(process, 0)[0], b"over IPv6")

    def test_unix_sockets(self):
        path = self.path("u")
        server = self.nc("-l", "-N", "-U", path, stdin=subprocess.PIPE)
        self.said(server, "listening on " + path)
        client = self.nc("-N", "-U", path)
        data = os.urandom(1_000_000)
        sends = threading.Thread(target=client.communicate, args=(data,))
        sends.start()
        out, _ = self.finish(server, 0, b"")
        sends.join(HANG)  # it reads the client's output, too
        self.assertEqual(digest(out), digest(data))
        self.assertFalse(os.path.exists(path))
        self.run_cli("nc", "-U", path, code=3, said="ENOENT")

    def test_a_session_of_the_callers(self):
        self.run_cli("session", "create", "--id", "job")
        process, ours = self.connected_nc("--session", "job", stdin=subprocess.DEVNULL)
        self.assertEqual(self.json("ls")["sockets"][0]["session"], "sessions/job")
        ours.close()
        self.finish(process, 0)
        self.run_cli("session", "end", "job")


if __name__ == "__main__":
    unittest.main()
