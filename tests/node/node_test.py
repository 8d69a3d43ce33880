"""Another gRPC implementation (@grpc/grpc-js) with the proto files alone: client.js against a real daemon."""

import os
import pathlib
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from daemon import DaemonTest  # noqa: E402

HERE = pathlib.Path(__file__).parent
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")


class Node(DaemonTest):
    def run_client(self, address, identity):
        node = shutil.which("node") or shutil.which("nodejs")
        self.assertIsNotNone(node, "node is missing: ./dev setup test")
        packages = os.environ.get("NODE_PATH") or str(CACHE / "socketeer/npm/node_modules")
        return subprocess.run([node, HERE / "client.js", address, identity], capture_output=True, text=True, timeout=60,
                              env={**os.environ, "NODE_PATH": packages})

    def assert_works(self, address, identity):
        run = self.run_client(address, identity)
        self.assertEqual((0, ""), (run.returncode, run.stderr), run.stdout)
        self.assertEqual(f"all as the contract says, over {address}\n", run.stdout)

    def test_over_loopback(self):
        self.assert_works(self.start("--listen", "127.0.0.1:0").address, "anonymous")

    def test_over_a_unix_socket(self):
        self.assert_works(self.start().address, f"uid:{os.geteuid()}")

    def test_client_notices_what_differs(self):
        run = self.run_client(self.start().address, "somebody else")
        self.assertEqual(1, run.returncode)
        self.assertIn("somebody else", run.stderr)


if __name__ == "__main__":
    unittest.main()
