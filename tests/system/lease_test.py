"""A caller dies, and nothing of it is left: killed, or stopped so that its connection stays open. (Cut off from the
daemon's network: partition_test.py.)"""

import os
import pathlib
import signal
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from lease import LeaseTest  # noqa: E402

TTL = 2
IN_TIME = 3  # seconds after the death


class Death(LeaseTest):
    def unix(self):
        return f"unix:{self.path}"

    def kill(self):
        death = time.monotonic()
        self.client.kill()
        return death

    def stop(self):
        death = time.monotonic()
        os.kill(self.client.pid, signal.SIGSTOP)
        return death

    def test_killed_over_unix(self):
        self.serve(self.unix())
        self.begin(TTL)
        self.assert_all_goes(self.kill(), IN_TIME)

    def test_killed_over_tcp(self):
        self.serve("127.0.0.1:0")
        self.begin(TTL)
        self.assert_all_goes(self.kill(), IN_TIME)

    def test_stopped_over_unix(self):
        self.serve(self.unix())
        self.begin(TTL)
        self.assert_all_goes(self.stop(), IN_TIME, left_open=[self.connected])

    def test_stopped_over_tcp(self):
        self.serve("127.0.0.1:0")
        self.begin(TTL)
        self.assert_all_goes(self.stop(), IN_TIME, left_open=[self.connected])


if __name__ == "__main__":
    unittest.main()
