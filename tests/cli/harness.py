"""A daemon of its own for each test class, and the program under test."""
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import unittest

BIN = os.environ.get("SOCKETEER_BIN", "build/bin")
CLI = os.path.join(BIN, "socketeer")
DAEMON = os.path.join(BIN, "socketeerd")
# Far above what anything here takes; only a hang reaches it.
HANG = 60


def environment(**changes):
    env = {name: value for name, value in os.environ.items()
           if not name.startswith("SOCKETEER_") or name == "SOCKETEER_BIN"}
    env.update(changes)
    return env


class Daemon:
    """One socketeerd on a UNIX socket and on a port of the loopback."""

    def __init__(self, directory):
        self.path = os.path.join(directory, "s.sock")
        self.process = subprocess.Popen(
            [DAEMON, "--listen", "unix:" + self.path, "--listen", "127.0.0.1:0", "--loops", "2"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        lines = [self.process.stdout.readline() for _ in range(2)]
        self.endpoints = [line.strip().removeprefix("listening on ") for line in lines]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(HANG)
        self.process.stdout.close()
        return code


class Proxy:
    """Connections to a daemon that a test can cut: a UNIX socket before its own."""

    def __init__(self, daemon, path):
        self.address = "unix:" + path
        self._to = daemon.path
        self._pairs = []
        self._refused = 0
        self._muted = ()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(path)
        self._listener.listen()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def cut(self, refused=0):
        """Ends every connection that there is, and then this many that come."""
        self._refused = refused
        pairs, self._pairs = self._pairs, []
        for one in [end for pair in pairs for end in pair]:
            shut(one)

    def mute(self):
        """What the daemon answers on the connections that there are, is lost."""
        self._muted = {theirs for _, theirs in self._pairs}

    def stop(self):
        shut(self._listener)
        self._thread.join()
        self.cut()
        self._listener.close()

    def _serve(self):
        while True:
            try:
                ours = self._listener.accept()[0]
            except OSError:
                return
            if self._refused > 0:
                self._refused -= 1
                ours.close()
                continue
            theirs = socket.socket(socket.AF_UNIX)
            theirs.connect(self._to)
            self._pairs.append((ours, theirs))
            for source, sink in ((ours, theirs), (theirs, ours)):
                threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source, sink):
        with source:
            try:
                while data := source.recv(65536):
                    if source not in self._muted:
                        sink.sendall(data)
            except OSError:
                pass  # it was cut
            shut(sink)


def shut(one):
    try:
        one.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # it was already


def collect(process, stdin=None):
    """What it still prints, until it ends: (stdout, stderr)."""
    if process.stdin and process.stdin.closed:
        process.stdin = None  # else communicate flushes it
    return process.communicate(stdin, timeout=HANG)


class CliTest(unittest.TestCase):
    """Starts the daemon once a class; after each test no socket is left."""

    @classmethod
    def setUpClass(cls):
        for program in (CLI, DAEMON):
            if not os.access(program, os.X_OK):
                raise unittest.SkipTest(f"{program} is not built")
        cls.directory = tempfile.mkdtemp(prefix="socketeer-")
        cls.addClassCleanup(shutil.rmtree, cls.directory)
        cls.daemon = Daemon(cls.directory)
        cls.addClassCleanup(cls.daemon.stop)
        cls.env = environment(SOCKETEER_HOST="unix:" + cls.daemon.path)

    def tearDown(self):
        self.run_cli("close", "--all")
        self.assertEqual(self.out("ls", "-o", "name"), "")

    def run_cli(self, *arguments, code=0, stdin=b"", env=None, said=None):
        """Runs the program, checks its exit code and that stderr has `said`."""
        result = subprocess.run([CLI, *arguments], input=stdin, capture_output=True,
                                env=env or self.env, timeout=HANG, check=False)
        told = result.stderr.decode()
        self.assertEqual(result.returncode, code, f"{arguments}: {told}")
        if said is not None:
            self.assertIn(said, told)
        if code == 0 and said is None:
            self.assertNotIn("rror", told)
        self.assertNotRegex(told, r'grpc|\{"|UNKNOWN:', "no dump of gRPC")
        return result

    def out(self, *arguments, **options):
        return self.run_cli(*arguments, **options).stdout.decode()

    def json(self, *arguments, **options):
        return json.loads(self.out(*arguments, "-o", "json", **options))

    def start(self, *arguments, **options):
        """Runs the program in the background; it is ended and reaped after the test."""
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE,
                   "stderr": subprocess.PIPE, "env": self.env, **options}
        process = subprocess.Popen([CLI, *arguments], **options)
        self.addCleanup(self.reap, process)
        return process

    @staticmethod
    def reap(process):
        if process.poll() is None:
            process.kill()
        collect(process)

    def finish(self, process, code, stdin=None):
        out, told = collect(process, stdin)
        self.assertEqual(process.returncode, code, told.decode())
        return out, told.decode()

    def proxy(self):
        """A Proxy before the class's daemon."""
        proxy = Proxy(self.daemon, os.path.join(tempfile.mkdtemp(dir=self.directory), "p.sock"))
        self.addCleanup(proxy.stop)
        return proxy

    def said(self, process, words):
        """The next line of its stderr, which has the words."""
        line = process.stderr.readline().decode()
        self.assertIn(words, line)
        return line

    def listener(self, name="web", *arguments):
        """A TCP listener in the daemon; its port."""
        made = self.json("open", "tcp", "--bind", "127.0.0.1:0", "--listen", "--id", name,
                         *arguments)
        return made["local"]["inet"]["port"]

    def connection(self, name="conn"):
        """A socket in the daemon, connected to the socket of this process that is returned."""
        port = self.listener("pair-listener")
        ours = socket.create_connection(("127.0.0.1", port), timeout=HANG)
        self.addCleanup(ours.close)
        self.run_cli("accept", "pair-listener", "--id", name)
        self.run_cli("close", "pair-listener")
        return ours

    def until_waiting(self, name, direction="waitingReads"):
        """Returns when a call waits on the socket."""
        for _ in range(1000):
            if self.json("inspect", name)[direction] > 0:
                return
        self.fail(f"nothing waits on {name}")
