"""Every row that needs nothing foreign, with little to do: does it run, and is the JSON whole?"""

import unittest

import smoke

ROWS = {"unary": 4, "open": 2, "many": 4, "fairness": 2, "bulk": 42, "beside": 4, "stalled": 6,
        "datagrams": 16, "guarded": 8, "floods": 10, "scenarios": 3}  # and how many lines each gives; copies_test.py has the one that is left


class Smoke(unittest.TestCase):
    def test_runs(self):
        said = smoke.run(*ROWS)
        self.assertEqual(ROWS, {row: sum(line["row"] == row for line in said["lines"]) for row in ROWS})
        self.assertTrue(all(line["median"] > 0 for line in said["lines"]), said)
        self.assertLessEqual({"date", "commit", "machine", "rounds"}, set(said))


if __name__ == "__main__":
    unittest.main()
