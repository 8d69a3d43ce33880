"""TLS, certificates and tokens as the program takes them; what it says when one side does not believe the other."""
import hashlib
import os
import pathlib
import socket
import ssl
import stat
import subprocess
import sys
import tempfile
import threading
import unittest

from harness import CLI, DAEMON, HANG, environment, shut

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from lab import Authority  # noqa: E402

TOKEN = "correct-horse-battery-staple"


class TlsCli(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="socketeer-")
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        self.lab = self.directory / "lab"

    def run_cli(self, *arguments, code=0, said=None, **env):
        run = subprocess.run([CLI, *map(str, arguments)], capture_output=True, text=True, timeout=HANG,
                             stdin=subprocess.DEVNULL, env=environment(**{k: str(v) for k, v in env.items()}))
        self.assertEqual(code, run.returncode, run.stderr)
        self.assertNotRegex(run.stderr, r'grpc|\{"|UNKNOWN:|SSL_|routines|error:', "no dump of gRPC or OpenSSL")
        if said is not None:
            self.assertIn(said, run.stderr)
        return run.stdout

    def daemon(self, *arguments):
        """Its address; the process of the last one is self.process."""
        process = self.process = subprocess.Popen([DAEMON, *map(str, arguments)], stdout=subprocess.PIPE,
                                                  stderr=subprocess.DEVNULL, text=True)
        self.addCleanup(lambda: (process.kill(), process.wait(), process.stdout.close()))
        return process.stdout.readline().strip().removeprefix("listening on ")

    def tls_daemon(self, name="localhost", *arguments, directory=None):
        directory = directory or self.lab
        return self.daemon("--listen", "127.0.0.1:0", "--tls-cert", directory / f"{name}.pem", "--tls-key",
                           directory / f"{name}.key", "--client-ca", directory / "ca.pem", *arguments)

    def certs(self, *arguments, directory=None, **options):
        return self.run_cli("cert", directory or self.lab, *arguments, **options)

    def credentials(self, name=None, directory=None):
        directory = directory or self.lab
        own = ["--cert", directory / f"{name}.pem", "--key", directory / f"{name}.key"] if name else []
        return ["--ca", directory / "ca.pem", *own]

    def token(self, text=TOKEN):
        path = self.directory / f"token-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
        path.write_text(text + "\n")
        path.chmod(0o600)
        return path

    def tokens(self):
        path = self.directory / "tokens"
        path.write_text(f"ci sha256:{hashlib.sha256(TOKEN.encode()).hexdigest()}\n")
        path.chmod(0o600)
        return path

    def fails(self, host, credentials, said, verb=("ls",)):
        self.run_cli("--host", host, *credentials, *verb, code=2, said=f"no TLS with the daemon at {host}: {said}")


class Cert(TlsCli):
    def test_makes_a_ca_and_what_it_issues(self):
        printed = self.certs("--host", "localhost", "--host", "::1", "--client", "alice")
        self.assertEqual(["the CA", "daemon localhost", "daemon ::1", "spiffe://socketeer/alice"],
                         [line.split("  ")[-1].strip() for line in printed.splitlines()])
        self.assertEqual({f"{stem}.{suffix}" for stem in ["ca", "localhost", "--1", "alice"] for suffix in ["pem", "key"]},
                         set(os.listdir(self.lab)))
        for path in self.lab.iterdir():
            self.assertEqual(0o600 if path.suffix == ".key" else 0o644, stat.S_IMODE(path.stat().st_mode), path)
        for name, purpose in [("localhost", "sslserver"), ("alice", "sslclient")]:
            subprocess.run(["/usr/bin/openssl", "verify", "-x509_strict", "-purpose", purpose, "-CAfile",
                            self.lab / "ca.pem", self.lab / f"{name}.pem"], check=True, capture_output=True)

    def test_a_ca_that_is_there_issues_the_others(self):
        self.certs("--host", "localhost")
        before = (self.lab / "ca.pem").read_bytes()
        self.certs("--client", "bob")
        self.assertEqual(before, (self.lab / "ca.pem").read_bytes())
        self.assertIn("spiffe://socketeer/bob",
                      self.run_cli("--host", self.tls_daemon(), *self.credentials("bob"), "whoami", "-o", "name"))

    def test_never_overwrites_and_leaves_nothing_half_done(self):
        self.certs("--client", "alice")
        before = {path: path.read_bytes() for path in self.lab.iterdir()}
        self.certs("--client", "bob", "--client", "alice", code=1, said="alice.key: File exists; nothing is overwritten")
        self.assertEqual(before, {path: path.read_bytes() for path in self.lab.iterdir()})
        (self.lab / "ca.key").unlink()
        self.certs("--client", "carol", code=1, said="ca.key: is missing beside")
        other = self.directory / "other"
        self.certs(directory=other)
        os.replace(other / "ca.key", self.lab / "ca.key")
        self.certs("--client", "carol", code=1, said="no CA that its key")

    def test_a_link_is_not_followed(self):
        self.lab.mkdir()
        target = self.directory / "target"
        (self.lab / "ca.pem").symlink_to(target)
        self.certs(code=1, said="ca.pem")
        self.assertFalse(target.exists())

    def test_wrong_names_are_refused(self):
        for option, name in [("--client", "a/b"), ("--client", ""), ("--client", "a,URI:spiffe://x"), ("--client", ".."),
                             ("--host", "../x"), ("--host", "a b"), ("--host", "x,DNS:y"), ("--client", "ca"),
                             ("--host", "x" * 101)]:
            with self.subTest(name=name):
                self.certs(option, name, code=1, said=option)
        self.certs("--host", "same", "--client", "same", code=1, said='"same" is taken')
        for days in ["0", "3651", "x"]:
            self.certs("--days", days, code=1, said="--days")
        self.assertFalse(self.lab.exists())
        self.run_cli("cert", self.directory / "no" / "such", code=1, said="No such file")
        self.run_cli("cert", "", code=1, said="DIR is empty; it must be a directory's path")

    def test_as_json(self):
        self.assertIn('"meaning":"the CA"', self.certs("-o", "json"))


class Identities(TlsCli):
    def setUp(self):
        super().setUp()
        self.certs("--host", "localhost", "--client", "alice", "--client", "bob")

    def whoami(self, *arguments, **options):
        return self.run_cli(*arguments, "whoami", "-o", "name", **options).strip()

    def test_by_certificate(self):
        host = self.tls_daemon()
        shown = self.run_cli("--host", host, *self.credentials("alice"), "whoami")
        self.assertRegex(shown, r"Identity: +spiffe://socketeer/alice\nProven by: +certificate\n"
                                r"Session: +sessions/standing\nExpires: +20\d\d-.*Z\n")
        self.assertIn('"proof":"PROOF_CERTIFICATE"', self.run_cli("--host", host, *self.credentials("alice"), "whoami",
                                                                   "-o", "json"))
        name = "localhost:" + host.rsplit(":", 1)[1]
        self.assertEqual("spiffe://socketeer/alice", self.whoami("--host", name, *self.credentials("alice")))

    def test_by_variables_and_flags_win(self):
        host = self.tls_daemon()
        alice = dict(SOCKETEER_HOST=host, SOCKETEER_CA=self.lab / "ca.pem", SOCKETEER_CERT=self.lab / "alice.pem",
                     SOCKETEER_KEY=self.lab / "alice.key")
        self.assertEqual("spiffe://socketeer/alice", self.whoami(**alice))
        self.assertEqual("spiffe://socketeer/bob", self.whoami(*self.credentials("bob")[2:], **alice))
        wrong = dict(alice, SOCKETEER_CA=self.directory / "missing")
        self.whoami(**wrong, code=1, said="missing: No such file")
        self.assertEqual("spiffe://socketeer/alice", self.whoami("--ca", self.lab / "ca.pem", **wrong))

    def test_empty_is_no_way_to_turn_tls_off(self):
        """As of a script's variable that is not set: nothing is sent in plain text."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(0)
            host = "127.0.0.1:%d" % listener.getsockname()[1]
            for option in ["--ca", "--cert", "--key", "--token-file"]:
                variable = "SOCKETEER_" + option.removeprefix("--").replace("-", "_").upper()
                with self.subTest(option=option):
                    self.whoami("--host", host, option, "", code=1, said=f"{option} is empty; it must be a file's path")
                    self.whoami("--host", host, code=1, said=f"{variable} is empty; it must be a file's path",
                                **{variable: ""})
            self.assertRaises(BlockingIOError, listener.accept)
        host = self.tls_daemon()
        # One that does not count here is not looked at.
        self.assertEqual("spiffe://socketeer/alice", self.whoami("--host", host, *self.credentials("alice"),
                                                                 SOCKETEER_CA="", SOCKETEER_CERT="", SOCKETEER_KEY=""))
        host = self.daemon("--listen", f"unix:{self.directory}/d.sock")
        self.assertEqual(f"uid:{os.getuid()}", self.whoami("--host", host, SOCKETEER_CA=""))
        self.whoami("--host", host, SOCKETEER_TOKEN_FILE="", code=1, said="SOCKETEER_TOKEN_FILE is empty")

    def test_by_token(self):
        tokens = self.tokens()
        host = self.tls_daemon("localhost", "--token-file", tokens)
        shown = self.run_cli("--host", host, *self.credentials(), "--token-file", self.token(), "whoami")
        self.assertRegex(shown, r"Identity: +token:ci\nProven by: +token\n")
        self.assertEqual("token:ci", self.whoami("--host", host, *self.credentials("alice"),
                                                 SOCKETEER_TOKEN_FILE=self.token()))
        self.whoami("--host", host, *self.credentials(), "--token-file", self.token("wrong"), code=5,
                    said="the token is none of this daemon's")
        self.whoami("--host", host, *self.credentials(), code=5, said="without a client certificate and without a token")

    def test_files_that_others_may_read_are_not_used(self):
        """As ssh does: whoever reads them is who one is."""
        host = self.tls_daemon("localhost", "--token-file", self.tokens())
        key, token = self.lab / "alice.key", self.token()
        by_token = ["--host", host, *self.credentials(), "--token-file", token]
        for mode in [0o640, 0o604, 0o620, 0o602, 0o644]:
            key.chmod(mode)
            self.whoami("--host", host, *self.credentials("alice"), code=1,
                        said=f"{key}: has mode {mode:04o}; nobody else may read or write it: chmod 600")
            token.chmod(mode)
            self.whoami(*by_token, code=1, said=f"{token}: has mode {mode:04o}; nobody else may read or write it")
        key.chmod(0o400)
        token.chmod(0o700)
        self.assertEqual("spiffe://socketeer/alice", self.whoami("--host", host, *self.credentials("alice")))
        self.assertEqual("token:ci", self.whoami(*by_token))
        if os.geteuid() == 0:
            os.chown(token, 12345, 12345)
            self.whoami(*by_token, code=1, said=f"{token}: belongs to another user, uid 12345")

    def test_a_token_may_come_through_a_pipe(self):
        host = self.daemon("--listen", f"unix:{self.directory}/d.sock", "--token-file", self.tokens())
        run = subprocess.run([CLI, "--host", host, "--token-file", "/dev/stdin", "whoami", "-o", "name"], text=True,
                             input=TOKEN, capture_output=True, timeout=HANG, env=environment())
        self.assertEqual("token:ci\n", run.stdout, run.stderr)

    def test_over_a_unix_socket(self):
        host = self.daemon("--listen", f"unix:{self.directory}/d.sock", "--token-file", self.tokens())
        self.assertRegex(self.run_cli("--host", host, "whoami"),
                         rf"Identity: +uid:{os.getuid()}\nProven by: +uid, by the kernel\n")
        self.assertEqual("token:ci", self.whoami("--host", host, "--token-file", self.token()))
        # The variables are for other daemons.
        self.assertEqual(f"uid:{os.getuid()}", self.whoami("--host", host, SOCKETEER_CA=self.lab / "ca.pem"))
        self.whoami("--host", host, *self.credentials(), code=1, said="--ca, --cert and --key do not go with")

    def test_a_token_is_not_sent_over_plain_tcp(self):
        """Not even to who listens there: nothing is sent at all."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(0)
            host = "127.0.0.1:%d" % listener.getsockname()[1]
            self.whoami("--host", host, "--token-file", self.token(), code=1, said="over TCP without TLS")
            self.assertRaises(BlockingIOError, listener.accept)

    def test_files_that_do_not_fit_are_refused(self):
        (self.lab / "alice.pem").chmod(0o600)  # it stands for a key below
        ca, alice, bob = (self.lab / name for name in ["ca.pem", "alice.pem", "bob.key"])
        for arguments, said in [(["--ca", self.lab / "ca.key"], "ca.key: holds no certificate"),
                                (["--ca", ca, "--cert", alice], "needed together"),
                                (["--ca", ca, "--cert", alice, "--key", bob], "bob.key: is not the key"),
                                (["--ca", ca, "--cert", alice, "--key", alice], "alice.pem: holds no private key"),
                                (["--cert", alice, "--key", self.lab / "alice.key"], "needs the daemon's CA"),
                                (["--ca", ca, "--token-file", self.token("two words")], "must hold one token"),
                                (["--ca", ca, "--token-file", self.token("")], "holds no token")]:
            with self.subTest(said=said):
                self.whoami("--host", "127.0.0.1:1", *arguments, code=1, said=said)
        self.assertNotIn("words", self.run_cli("--host", "127.0.0.1:1", "--ca", ca, "--token-file",
                                               self.token("two words"), "ls", code=1))

    def test_streams_too(self):
        host = self.tls_daemon("localhost", "--token-file", self.tokens())
        peer = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(peer.close)
        answer = threading.Thread(target=lambda: (connection := peer.accept()[0]).sendall(b"hello") or
                                  connection.close())
        answer.start()
        self.addCleanup(answer.join)
        port = str(peer.getsockname()[1])
        self.assertEqual("hello", self.run_cli("--host", host, *self.credentials(), "--token-file", self.token(), "nc",
                                               "127.0.0.1", port))


class Failures(TlsCli):
    """Exit code 2, and which kind it was."""

    def setUp(self):
        super().setUp()
        self.certs("--host", "localhost", "--host", "elsewhere.lab", "--client", "alice")

    def test_the_daemons_ca_is_another(self):
        self.certs("--client", "alice", directory=self.directory / "other")
        host = self.tls_daemon()
        for verb in [("ls",), ("watch",), ("healthcheck",), ("nc", "127.0.0.1", "1")]:
            self.fails(host, self.credentials("alice", self.directory / "other"), "its certificate is not by the CA", verb)

    def test_the_daemons_name_is_another(self):
        self.fails(self.tls_daemon("elsewhere.lab"), self.credentials("alice"),
                   "its certificate is not for the name 127.0.0.1")

    def test_ours_is_of_another_ca(self):
        self.certs("--client", "mallory", directory=self.directory / "other")
        pair = self.credentials("mallory", self.directory / "other")[2:]
        self.fails(self.tls_daemon(), [*self.credentials(), *pair], "it refuses the client certificate")

    def test_we_have_none(self):
        self.fails(self.tls_daemon(), self.credentials(), "it wants a client certificate, and none was given")

    def test_ours_has_expired(self):
        ca = Authority(self.directory, "clock")
        server, late = ca.server(), ca.client("late", begin=-7200, end=-60)
        host = self.daemon("--listen", "127.0.0.1:0", "--tls-cert", server.cert, "--tls-key", server.key, "--client-ca",
                           ca.cert)
        self.fails(host, ["--ca", ca.cert, "--cert", late.cert, "--key", late.key], "the client certificate has expired")

    def test_the_daemons_has_expired(self):
        ca = Authority(self.directory, "clock")
        for times, said in [(dict(begin=-7200, end=-60), "has expired"), (dict(begin=3600, end=7200), "is not valid yet")]:
            self.fails(self.tls_server(ca.server(f"at{times['end']}", **times)), ["--ca", ca.cert],
                       f"its certificate {said}")

    def tls_server(self, pair):
        """For daemons that would not start."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.cert, pair.key)
        context.set_alpn_protocols(["h2"])
        listener = socket.create_server(("127.0.0.1", 0))

        def serve():
            while True:
                try:
                    connection = listener.accept()[0]
                except OSError:
                    return
                try:
                    context.wrap_socket(connection, server_side=True).close()
                except OSError:
                    pass  # the client went away

        thread = threading.Thread(target=serve)
        thread.start()
        self.addCleanup(lambda: (shut(listener), thread.join(), listener.close()))
        return "127.0.0.1:%d" % listener.getsockname()[1]

    def test_the_daemon_speaks_no_tls(self):
        self.fails(self.daemon("--listen", "127.0.0.1:0"), self.credentials("alice"), "it speaks no TLS there")

    def test_the_daemon_speaks_nothing_else(self):
        self.fails(self.tls_daemon(), [], "it speaks TLS, and no CA to know it by was given")

    def test_a_daemon_that_is_not_there_is_told_as_before(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            host = "127.0.0.1:%d" % free.getsockname()[1]
        self.run_cli("--host", host, *self.credentials("alice"), "ls", code=2, said="Connection refused")


if __name__ == "__main__":
    unittest.main()
