"""deploy/README.md, each command of it, in a copy of the tree."""

import os
import pathlib
import sys
import tempfile
import unittest

for directory in ("support", "docs"):
    sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / directory))
import console  # noqa: E402
from compose import copy_tree  # noqa: E402


class Documents(unittest.TestCase):
    def test_deploy_README_md(self):
        with tempfile.TemporaryDirectory() as directory:
            tree = copy_tree(pathlib.Path(directory))
            environment = {name: os.environ[name] for name in ("HOME", "DOCKER_HOST") if name in os.environ}
            environment |= {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
            problems = console.check((tree / "deploy/README.md").read_text(encoding="utf-8"), {"docker"},
                                     cwd=tree, env=environment)
        self.assertEqual([], problems, "\n".join(problems))
