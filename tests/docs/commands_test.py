"""README.md and docs/*.md show what the programs do; and console.py notices when they do not."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import console  # noqa: E402
from daemon import BIN, ROOT, DaemonTest  # noqa: E402


class DocumentTest(DaemonTest):
    def problems(self, document):
        daemon = self.start("--listen", f"unix:{self.directory}/daemon.sock")
        directory = self.directory / "here"
        directory.mkdir()
        example = pathlib.Path("tests", "scenarios", "example")  # as in a checkout, but free to be written in
        shutil.copytree(ROOT / example, directory / example)
        environment = {"PATH": f"{BIN}:/usr/bin:/bin", "SOCKETEER_HOST": daemon.address, "LC_ALL": "C.UTF-8"}
        usage = subprocess.run([ROOT / "dev", "help"], capture_output=True, text=True, check=True).stdout
        known = {"help", *re.findall(r"^\./dev (\w+)", usage, re.MULTILINE)}
        return console.check(document, known, cwd=directory, env=environment)


def test_of(path):
    def test(self):
        problems = self.problems(path.read_text(encoding="utf-8"))
        if problems:
            self.fail(f"{path.relative_to(ROOT)}\n" + "\n".join(problems))
    return test


class Documents(DocumentTest):
    """A test for each document."""


for document in sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]):
    setattr(Documents, "test_" + re.sub(r"\W", "_", str(document.relative_to(ROOT))), test_of(document))


SAMPLE = """
```
./dev demo      # two hosts
./dev test -R net
```
```console
$ socketeer open tcp4 --bind 127.0.0.1:0 --listen --id web
sockets/web  tcp4  LISTENING  127.0.0.1:39009  -
$ socketeer open tcp --connect 127.0.0.1:39009 \\
    --id client
sockets/client  tcp4  CONNECTED  127.0.0.1:49792  127.0.0.1:39009
$ printf hello | socketeer send client -
$ socketeer close --all
```
Text between them.
```console
$ ./dev build
$ socketeer open udp --bind 127.0.0.1:0
sockets/s-mskirogujjodpq6s5mplk4mi5m  udp4  BOUND  127.0.0.1:5000  -
$ socketeer inspect s-mskirogujjodpq6s5mplk4mi5m
Name:       sockets/s-mskirogujjodpq6s5mplk4mi5m
Uid:        0b7c1e2a-5b0c-4f6e-9d1c-3a5e8f7d6c4b
...
Created:    2026-01-01T00:00:00Z
...
Waiting:    0 reads, ... writes
$ socketeer open tcp --connect 127.0.0.1:1
socketeer: connect: Connection refused (ECONNREFUSED) 127.0.0.1:1
? 3
$ cat <<'END'
> shown
> END
shown
```
"""


class Checker(DocumentTest):
    def test_accepts_what_is_so(self):
        self.assertEqual([], self.problems(SAMPLE))

    def assert_noticed(self, shown, instead, words):
        self.assertIn(shown, SAMPLE)
        problems = self.problems(SAMPLE.replace(shown, instead, 1))
        self.assertTrue(problems)
        self.assertIn(words, problems[0])

    def test_notices_another_exit_status(self):
        self.assert_noticed("? 3", "? 2", "exits with 3, not with 2")

    def test_notices_a_failure_that_is_not_shown(self):
        self.assert_noticed("? 3\n", "", "exits with 3, not with 0")

    def test_notices_other_output(self):
        self.assert_noticed("LISTENING", "BOUND", "sockets/web  tcp4  LISTENING")

    def test_notices_a_here_document(self):
        self.assert_noticed("> shown", "> hidden", "hidden")

    def test_notices_output_that_is_missing(self):
        self.assert_noticed("...\nCreated", "Created", "line 20")

    def test_notices_output_that_never_came(self):
        self.assert_noticed("CONNECTED  127.0.0.1:49792  127.0.0.1:39009\n",
                            "CONNECTED  127.0.0.1:49792  127.0.0.1:39009\nmore\n", "line 9")

    def test_notices_a_port_that_is_another_one(self):
        self.assert_noticed("127.0.0.1:49792  127.0.0.1:39009", "127.0.0.1:49792  127.0.0.1:49792", "CONNECTED")

    def test_notices_a_port_that_nobody_showed(self):
        self.assert_noticed("--connect 127.0.0.1:39009", "--connect 127.0.0.1:39008", "ECONNREFUSED")

    def test_notices_a_command_that_dev_does_not_know(self):
        self.assert_noticed("./dev demo", "./dev demmo", "there is no ./dev demmo")

    def test_notices_a_verb_that_does_not_exist(self):
        self.assert_noticed("socketeer close --all", "socketeer shut --all", "exits with 1")


if __name__ == "__main__":
    unittest.main()
