"""Completion in the shells themselves: bash and zsh at a terminal, fish by what it would offer."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from daemon import BIN, SOCKETEER, DaemonTest, socketeer  # noqa: E402
from terminal import Terminal  # noqa: E402

PROMPT = "\x02ready\x03"
# The script itself runs the program, too: in a pipe.
SHOWN = 'socketeer() { if [ -t 1 ]; then echo "<<$*>>"; else command socketeer "$@"; fi; }'
CASES = {"socketeer hea": "healthcheck", "socketeer open --bi": "open --bind", "socketeer --tim": "--timeout",
         "socketeer session cr": "session create", "socketeer session create --gr": "session create --grace",
         "socketeer completion --he": "completion --help", "socketeer recv sockets/pro": "recv sockets/probe"}


def script(shell):
    return subprocess.run([SOCKETEER, "completion", shell], capture_output=True, text=True, check=True).stdout


class Completion(DaemonTest):
    def setUp(self):
        super().setUp()
        self.home = self.directory / "home"
        self.home.mkdir()
        address = self.start().address
        self.assertEqual(0, socketeer(address, "open", "udp4", "--id", "probe").returncode)
        self.environment = {"HOME": str(self.home), "ZDOTDIR": str(self.home), "SOCKETEER_HOST": address,
                            "PATH": f"{BIN}:{os.environ['PATH']}"}

    def shell(self, name):
        found = shutil.which(name)
        if not found:
            self.skipTest(f"there is no {name} here")
        return found

    def at_a_terminal(self, settings, command):
        """Tab, and Enter: what runs then shows what became of the line."""
        for file in (".bashrc", ".zshrc"):
            (self.home / file).write_text(f"PS1='{PROMPT}'\n{settings}\n{SHOWN}\n")
        terminal = Terminal(command, PROMPT, **self.environment)
        self.addCleanup(terminal.close)
        for line, expected in CASES.items():
            with self.subTest(command[0], line=line):
                answer = terminal.type(f"{line}\t\n")
                self.assertEqual([expected], [each.strip() for each in re.findall("<<(.*)>>", answer)], answer)

    def test_bash(self):
        (self.home / "completion").write_text(script("bash"))
        self.at_a_terminal("source ~/completion", [self.shell("bash"), "--rcfile", str(self.home / ".bashrc"), "-i"])

    def test_zsh_finds_it_by_its_name(self):
        shell = self.shell("zsh")
        (self.home / "_socketeer").write_text(script("zsh"))
        self.at_a_terminal("fpath=(~ $fpath); autoload -U compinit; compinit -u -D", [shell, "-d", "-i"])

    def test_zsh_sources_it(self):
        shell = self.shell("zsh")
        self.at_a_terminal("autoload -U compinit; compinit -u -D; source <(command socketeer completion zsh)",
                           [shell, "-d", "-i"])

    def test_fish(self):
        shell = self.shell("fish")
        (self.home / "completion").write_text(script("fish"))
        for line, expected in CASES.items():
            run = subprocess.run([shell, "--no-config", "-c", f"source ~/completion; complete -C '{line}'"],
                                 capture_output=True, text=True, env={**os.environ, **self.environment}, timeout=60)
            self.assertEqual((expected.split()[-1], ""), (run.stdout.strip(), run.stderr), line)


if __name__ == "__main__":
    unittest.main()
