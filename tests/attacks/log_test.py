"""What anybody who can connect makes the daemon write in its log."""

import os
import pathlib
import re
import socket
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from tls import TlsTest  # noqa: E402

GARBAGE = b"\x16\x03\x01\x00\x05garbage, not TLS\r\n\r\n"


class GarbageTest(TlsTest):
    def serve_with(self, verbosity=None):
        environment = {key: value for key, value in os.environ.items() if key != "GRPC_VERBOSITY"}
        if verbosity:
            environment["GRPC_VERBOSITY"] = verbosity
        self.serve(env=environment)

    def garbage(self, connections):
        """Each once the daemon has closed it."""
        for _ in range(connections):
            with socket.create_connection(self.endpoint(), 20) as connection:
                connection.sendall(GARBAGE)
                try:
                    while connection.recv(65536):
                        pass
                except ConnectionResetError:
                    pass

    def lines(self):
        """Those that are gRPC's, once the daemon is gone."""
        self.whoami(self.client(self.agent))
        self.daemon.stop()
        self.log = self.daemon.log().splitlines()
        return [line for line in self.log if "] grpc: " in line]

    def test_a_flood_of_it_is_few_lines_and_a_count(self):
        self.serve_with()
        self.garbage(200)
        lines = self.lines()
        self.assertLess(len(self.log), 30, self.log)
        left_out = sum(int(re.search(r"(\d+) lines? of gRPC", line)[1]) for line in lines if "of gRPC" in line)
        self.assertGreaterEqual(left_out + len(lines), 200)
        self.assertGreater(left_out, 170)
        self.assertIn("Handshake failed", lines[0])
        self.assertTrue(all(line.isprintable() for line in self.log))
        self.assertFalse([line for line in self.log if not line.startswith("[")])  # all came through the daemon's log

    def test_who_asks_for_more_gets_all(self):
        self.serve_with("info")
        self.garbage(40)
        self.assertGreaterEqual(len([line for line in self.lines() if "Handshake failed" in line]), 40)

    def test_who_asks_for_nothing_gets_nothing(self):
        self.serve_with("none")
        self.garbage(40)
        self.assertEqual([], self.lines())


if __name__ == "__main__":
    unittest.main()
