"""Where the packages cannot be tried, that is said and is no success."""

import os
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from daemon import ROOT, as_nobody  # noqa: E402


class Packages(unittest.TestCase):
    def test_not_root(self):
        prefix = as_nobody() if os.geteuid() == 0 else []
        run = subprocess.run([*prefix, ROOT / "tests/clean_root/packages", "/"], capture_output=True, text=True)
        self.assertEqual((77, "SKIPPED: the packages are not tried: that needs root\n"), (run.returncode, run.stdout), run.stderr)


if __name__ == "__main__":
    unittest.main()
