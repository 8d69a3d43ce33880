"""The scenarios of this folder, on three hosts: each passes each time and leaves nothing; and each of them can fail."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]
from gallery import ALONE, GALLERY, TOGETHER, Runs, Traces, groups, mutate  # noqa: E402
from services import start_services  # noqa: E402
from three_hosts import ThreeHosts, be_root, can_be  # noqa: E402

REPEAT = 5
SEED = 20


class Gallery(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if why := can_be():
            raise unittest.SkipTest(why)
        directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(directory.cleanup)
        cls.hosts = ThreeHosts(directory.name)
        cls.addClassCleanup(cls.hosts.close)
        start_services(cls.hosts)
        cls.traces = Traces(cls.hosts)

    def test_they_are_all_here(self):
        self.assertEqual(sorted(path.name for path in HERE.glob("*.yaml")), sorted([*ALONE, *sum(TOGETHER, [])]))
        self.assertEqual(12, len(GALLERY))

    def test_each_passes_each_time_in_any_order(self):
        runs = Runs(self.hosts, groups(), "--repeat", str(REPEAT), f"--shuffle={SEED}")
        self.assertEqual([0] * len(runs.codes), runs.codes, "\n".join(runs.said))
        expected = [(file.name, "passed", "") for files in groups() for file in files] * REPEAT
        self.assertEqual(sorted(expected), sorted(runs.verdicts()))
        self.traces.assert_none()


class Program(unittest.TestCase):
    """on_three_hosts, for people."""

    def run_program(self, *command):
        if why := can_be():
            self.skipTest(why)
        return subprocess.run([HERE / "on_three_hosts", *command], capture_output=True, text=True, timeout=60)

    def test_a_scenario_passes(self):
        run = self.run_program("socketeer", "run", str(HERE / "half-close.yaml"))
        self.assertEqual(0, run.returncode, run.stderr)

    def test_it_ends_as_its_command_and_takes_the_hosts_with_it(self):
        run = self.run_program("sh", "-c", 'grep -Eo "[0-9]{2,}" "$THREE_HOSTS/bin/on"; exit 7')
        self.assertEqual(7, run.returncode, run.stderr)
        code, *daemons = [int(number) for number in reversed(run.stdout.split())]
        self.assertEqual((125, 3), (code, len(daemons)))
        for pid in daemons:
            self.assertFalse(pathlib.Path(f"/proc/{pid}").exists(), pid)

    def test_a_host_that_there_is_not(self):
        run = self.run_program("on", "d", "true")
        self.assertEqual((125, "on: there is no host 'd'\n"), (run.returncode, run.stderr))


def test_of(name, number):
    def test(self):
        with tempfile.TemporaryDirectory() as directory:
            files, code = mutate(name, number, pathlib.Path(directory))
            runs = Runs(self.hosts, files)
        self.assertEqual(code, runs.codes[0], runs.said[0])
        self.assertNotIn(0, runs.codes, runs.said)  # who meets one that fails, fails
        self.traces.assert_none()
    return test


for each, (_, mutants) in GALLERY.items():
    for place in range(len(mutants)):
        setattr(Gallery, f"test_{each.replace('-', '_')}_fails_when_it_must_{place + 1}", test_of(each, place))


if __name__ == "__main__":
    be_root()
    unittest.main()
