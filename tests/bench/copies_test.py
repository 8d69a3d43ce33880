"""Of 64 MiB through an attached socket less than 1 % is copied on our account: by the daemon, and by the client."""

import pathlib
import subprocess
import tempfile
import unittest

import copies
import peers

MEBIBYTE = 1 << 20


class Copies(unittest.TestCase):
    def test_are_below_one_percent(self):
        with tempfile.TemporaryDirectory() as work:
            lines = list(copies.copies(None, pathlib.Path(work)))
        self.assertEqual(4, len(lines))
        for line in lines:
            self.assertTrue(line.met(), line)
            self.assertGreater(line.notes["the program %"], 0)  # frames have headers: nothing is not believed


class Counter(unittest.TestCase):
    """That it counts: Python, and the client library, copy as they are told."""

    def test_sees_what_the_library_copies(self):
        with tempfile.TemporaryDirectory() as work:
            for direction, who, copied in copies.counted(pathlib.Path(work), 8 * MEBIBYTE, "copying"):
                if (direction, who) == ("up", "client"):
                    self.assertGreaterEqual(sum(copied[:copies.OURS]), 8 * MEBIBYTE)
                    self.assertLess(sum(copied[:copies.OURS]), 9 * MEBIBYTE)

    def counted(self, program):
        with tempfile.TemporaryDirectory() as work:
            counter = copies.Counter(pathlib.Path(work, "copies"))
            subprocess.run([peers.PYTHON, "-c", program], env=counter.environment, check=True, timeout=60)
            return dict(zip(copies.CALLERS, counter.read()))

    def test_tells_callers_apart(self):
        idle = self.counted("data = bytearray(8 << 20)")
        busy = self.counted("data = bytearray(8 << 20); copy = bytes(data)")
        self.assertLess(idle["the program"], 8 * MEBIBYTE)
        self.assertGreaterEqual(busy["the program"] - idle["the program"], 8 * MEBIBYTE)
        self.assertLess(busy["others"] - idle["others"], MEBIBYTE)

    def test_moves_what_overlaps(self):
        self.counted("data = bytearray(b'0123456789' * 1000); wanted = list(data)\n"
                     "data.insert(5, 65); wanted.insert(5, 65)\n"  # upwards
                     "del data[100:103]; del wanted[100:103]\n"  # and downwards
                     "assert list(data) == wanted")


if __name__ == "__main__":
    unittest.main()
