"""Who answers TLS badly: the question why comes to an end, and does not end the program."""
import signal
import socket
import ssl
import subprocess
import threading
import unittest

from cli_tls_test import TlsCli
from harness import CLI, HANG, environment, shut


class BadServers(TlsCli):
    def setUp(self):
        super().setUp()
        self.certs("--host", "localhost", "--client", "alice")

    def tcp_server(self, serve):
        """Who is served has serve(connection, number), each on a thread of its own."""
        listener = socket.create_server(("127.0.0.1", 0))
        threads = []

        def one(connection, number):
            with connection:
                try:
                    serve(connection, number)
                except OSError:
                    pass  # the client went away

        def accept():
            while True:
                try:
                    connection = listener.accept()[0]
                except OSError:
                    return
                threads.append(threading.Thread(target=one, args=(connection, len(threads))))
                threads[-1].start()

        thread = threading.Thread(target=accept)
        thread.start()
        self.addCleanup(lambda: (shut(listener), thread.join(), [each.join() for each in threads], listener.close()))
        return "127.0.0.1:%d" % listener.getsockname()[1]

    def test_who_goes_away_amid_the_handshake_does_not_end_the_program(self):
        """By SIGPIPE: what it would send comes to nobody."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.lab / "localhost.pem", self.lab / "localhost.key")
        context.load_verify_locations(self.lab / "ca.pem")
        context.verify_mode = ssl.CERT_REQUIRED
        context.set_alpn_protocols(["h2"])

        def serve(connection, _):
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            server = context.wrap_bio(incoming, outgoing, server_side=True)
            while not outgoing.pending:
                hello = connection.recv(65536)
                if not hello:
                    return
                incoming.write(hello)
                with self.assertRaises(ssl.SSLWantReadError):
                    server.do_handshake()
            connection.send(outgoing.read(), socket.MSG_MORE)  # goes with the end of the connection, not before

        # An answer of several segments.
        chain = self.directory / "chain.pem"
        chain.write_bytes((self.lab / "alice.pem").read_bytes() + (self.lab / "ca.pem").read_bytes() * 100)
        self.fails(self.tcp_server(serve), [*self.credentials(), "--cert", chain, "--key", self.lab / "alice.key"],
                   "it refuses the client certificate")

    def test_who_drips_is_not_waited_for_for_ever(self):
        def serve(connection, _):
            connection.recv(65536)
            connection.sendall(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc")  # a long record, of which little comes
            connection.settimeout(0.1)
            while True:
                try:
                    if not connection.recv(65536):
                        return
                except TimeoutError:
                    connection.sendall(b"\0")

        self.fails(self.tcp_server(serve), [*self.credentials("alice"), "--timeout", "1s"], "it does not answer TLS")

    def test_ctrl_c_ends_the_question(self):
        asked = threading.Event()

        def serve(connection, number):
            connection.recv(65536)
            if number == 0:
                return  # gRPC's; from now on somebody asks why
            asked.set()
            connection.recv(65536)

        process = subprocess.Popen([CLI, "--host", self.tcp_server(serve), *map(str, self.credentials("alice")), "ls"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment())
        self.assertTrue(asked.wait(HANG))
        process.send_signal(signal.SIGINT)
        out, told = process.communicate(timeout=HANG)
        self.assertEqual((130, "", ""), (process.returncode, out, told))


if __name__ == "__main__":
    unittest.main()
