"""Runs `socketeer nc` beside a peer."""
import hashlib
import os
import socket
import subprocess
import threading

from harness import HANG, CliTest

RESET = b"\1\0\0\0\0\0\0\0"  # struct linger: on, 0 s


def digest(data):
    return len(data), hashlib.sha256(data).hexdigest()


class Flow:
    """One direction: what is written at one side comes out at the other, to the end."""

    def __init__(self, write, end, read):
        self._write, self._end, self._read = write, end, read

    def begin(self, data, under_way):
        """Writes in the background; returns when so much is under way."""
        self._data = data
        begun = threading.Event()

        def run():
            for at in range(0, len(data), 65536):
                self._write(data[at:at + 65536])
                if at >= under_way:
                    begun.set()
            self._end()
            begun.set()

        self._writer = threading.Thread(target=run, daemon=True)
        self._writer.start()
        assert begun.wait(HANG)

    def finish(self, test):
        """Reads to the end; it is what was written."""
        got = bytearray()
        while part := self._read(1 << 20):
            got += part
        self._writer.join(HANG)
        test.assertEqual(digest(got), digest(self._data))

    def transfer(self, test, data):
        self.begin(data, 0)
        self.finish(test)


class SocketPeer:
    """A socket of this process."""

    def __init__(self, ours):
        ours.settimeout(HANG)
        self.write, self.read = ours.sendall, ours.recv
        self.end = lambda: ours.shutdown(socket.SHUT_WR)


class ProgramPeer:
    """A program that joins its standard input and output to its socket."""

    def __init__(self, process):
        self.write, self.end = process.stdin.write, process.stdin.close
        self.read = process.stdout.read1


class NcTest(CliTest):
    def tearDown(self):
        # Before anything is cleaned up: nc has closed what it opened.
        left = (self.out("ls", "-o", "name"), self.out("session", "ls", "-o", "name"))
        for session in left[1].split():
            if session != "sessions/standing":
                self.run_cli("session", "end", session)
        super().tearDown()
        self.assertEqual(left, ("", "sessions/standing\n"))

    def nc(self, *arguments, **options):
        """Starts nc with pipes all around."""
        options = {"stdin": subprocess.PIPE, **options}
        return self.start("nc", *map(str, arguments), **options)

    def listening_nc(self, *arguments, **options):
        """nc -l on a port of the kernel's choice: (process, port)."""
        process = self.nc("-l", *arguments, "127.0.0.1", 0, **options)
        return process, int(self.said(process, "listening on 127.0.0.1:").rsplit(":", 1)[1])

    def server(self):
        """A listener of this process: (socket, port)."""
        listener = socket.create_server(("127.0.0.1", 0))
        listener.settimeout(HANG)
        self.addCleanup(listener.close)
        return listener, listener.getsockname()[1]

    def accepted(self, listener):
        ours = listener.accept()[0]
        ours.settimeout(HANG)
        self.addCleanup(ours.close)
        return ours

    def connected_nc(self, *arguments, **options):
        """nc as a client: (process, the socket that it is connected to)."""
        listener, port = self.server()
        process = self.nc(*arguments, "127.0.0.1", port, **options)
        return process, self.accepted(listener)

    def joined(self, port):
        """A socket of this process, connected to the port."""
        ours = socket.create_connection(("127.0.0.1", port), timeout=HANG)
        self.addCleanup(ours.close)
        return ours

    def program(self, *command, said=None, **options):
        """A peer that is a program; with `said`, also the line of its stderr that has the word."""
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, env=self.env, **options)
        self.addCleanup(self.reap, process)
        while said is not None:
            line = process.stderr.readline().decode()
            self.assertNotEqual(line, "", f"{command} ended before it said {said!r}")
            if said in line:
                return process, line
        return process

    def read_all(self, ours):
        data = bytearray()
        while part := ours.recv(1 << 20):
            data += part
        return bytes(data)

    def path(self, name):
        return os.path.join(self.directory, f"{name}-{os.urandom(4).hex()}")
