"""The soak's verdict notices what it is for."""

import unittest

from verdict import Sample, judge_log, judge_memory, memory_growth


def samples(memory):
    """One a second for 100 s; `memory` tells the megabytes at a time."""
    return [Sample(second, int(memory(second) * 1e6), 10, 5, 2, 1) for second in range(101)]


class Memory(unittest.TestCase):
    def test_flat_is_well(self):
        self.assertIsNone(judge_memory(samples(lambda second: 30 + second % 7)))

    def test_what_fills_up_in_the_first_quarter_is_well(self):
        self.assertIsNone(judge_memory(samples(lambda second: min(60, 20 + 2 * second))))

    def test_a_leak_is_not(self):
        said = judge_memory(samples(lambda second: 30 + 0.1 * second))
        self.assertRegex(said, r"grew from 33\.\d to 38\.\d MB")

    def test_medians_are_not_misled_by_a_peak(self):
        self.assertEqual((30e6, 30e6), memory_growth(samples(lambda second: 90 if second in (30, 99) else 30)))


class Log(unittest.TestCase):
    def test_words_of_the_house_are_well(self):
        self.assertIsNone(judge_log("[2024-01-01 00:00:00.000] [socketeerd] [warning] 127.0.0.1:1: every local user\n"))

    def test_errors_are_not(self):
        for line in ["[socketeerd] [error] no", "E0101 00:00:00.000 1 x.cc:1] no", "==1==ERROR: AddressSanitizer: no"]:
            with self.subTest(line):
                self.assertEqual(f"the daemon said: {line}", judge_log(f"listening\n{line}\nmore\n"))


if __name__ == "__main__":
    unittest.main()
