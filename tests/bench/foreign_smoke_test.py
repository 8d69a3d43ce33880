"""The rows that need other people's programs, with little to do. One whose program is not here is skipped, and says
which it is: ./dev setup bench installs them all. (Rows of Google Benchmark and valgrind take longer: ./dev bench.)"""

import unittest

import smoke


class Smoke(unittest.TestCase):
    def check(self, row, count):
        lines = smoke.run(row)["lines"]
        missing = [line["not_run"] for line in lines if "not_run" in line]
        self.assertTrue(missing or len(lines) == count, lines)
        self.assertTrue(all(line["median"] > 0 for line in lines if "not_run" not in line), lines)
        if missing:
            self.skipTest(f"{row}: {'; '.join(sorted(set(missing)))}")

    def test_rpyc(self):
        self.check("rpyc", 6)

    def test_tls(self):
        self.check("tls", 10)

    def test_forwarders(self):
        self.check("forwarders", 16)


if __name__ == "__main__":
    unittest.main()
