"""The manual pages: made of --help, whole, without a warning; and the programs take every example in them."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from daemon import BIN, ROOT, SOCKETEER, DaemonTest, own_namespaces  # noqa: E402

MAKER = ROOT / "deploy/man/page.py"
SECTIONS = {"socketeer": 1, "socketeerd": 8}
# Each call, with its exit status, is written down.
NOTED = """
socketeer() {
  command socketeer "$@"
  local status=$?
  echo "$status socketeer $*" >>called
  return $status
}
jq() { cat; }
"""
PREPARED = "\n".join([
    "ip link set lo up",
    "ip address add 10.20.0.1/32 dev lo",
    "mount -t tmpfs tmpfs /run",
    'exec bash -c "exec env $1"',
])


def page(program):
    run = subprocess.run(["/usr/bin/python3", MAKER, BIN / program, str(SECTIONS[program]),
                          ROOT / f"deploy/man/{program}.roff"], capture_output=True, text=True, check=True,
                         env={**os.environ, "SOURCE_DATE_EPOCH": "1767225600"})
    return run.stdout


def plain(roff):
    for escape, meant in ((r"\-", "-"), (r"\(aq", "'"), (r"\(ha", "^"), (r"\(ti", "~"), (r"\&", ""), (r"\e", "\\")):
        roff = roff.replace(escape, meant)
    return roff


def examples(program):
    """The commands, in their order: what stands as it is and calls the program, without a remark behind."""
    blocks = re.findall(r"^\.nf\n(.*?)^\.fi$", plain(page(program)), re.MULTILINE | re.DOTALL)
    lines = dict.fromkeys(re.split(r" {3,}", line)[0] for block in blocks for line in block.splitlines())
    return [line for line in lines if re.search(rf"\b{program}( |$)", line)]


def verbs(*words):
    """Every verb, and those of verbs, with what its --help says."""
    text = subprocess.run([SOCKETEER, *words, "--help"], capture_output=True, text=True, check=True).stdout
    found = {words: text} if words else {}
    listed = text.split("\nSubcommands:\n")
    for name in re.findall(r"^  (\w\S*)", listed[1].split("\n\n")[0], re.MULTILINE) if len(listed) > 1 else []:
        found.update(verbs(*words, name))
    return found


class Pages(DaemonTest):
    def test_man_has_nothing_to_say_against_them(self):
        if not shutil.which("man"):
            self.skipTest("there is no man here")
        for program in SECTIONS:
            file = self.directory / "page"
            file.write_text(page(program))
            run = subprocess.run(["man", "--warnings", "-l", file], capture_output=True, text=True,
                                 env={**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "100"})
            self.assertEqual((0, ""), (run.returncode, run.stderr))
            self.assertIn(f"{program} - ", run.stdout)
            self.assertIn("2026-01-01", run.stdout)

    def test_every_verb_and_each_of_its_options(self):
        sections = dict(re.findall(r'^\.SS "(.*?)"\n(.*?)(?=^\.S[SH])', plain(page("socketeer")), re.MULTILINE | re.DOTALL))
        every = verbs()
        self.assertLess(30, len(every))
        self.assertEqual({" ".join(words) for words in every}, set(sections))
        for words, text in every.items():
            for option in re.findall(r"^  (-\S+)", text, re.MULTILINE):
                if not option.startswith("-h,"):
                    self.assertIn(f"\\fB{option}", sections[" ".join(words)], words)

    def test_every_option_of_the_programs(self):
        for program in SECTIONS:
            text = subprocess.run([BIN / program, "--help"], capture_output=True, text=True, check=True).stdout
            options = re.findall(r"^  (-\S+)", text, re.MULTILINE)
            self.assertLess(8, len(options))
            for option in options:
                self.assertIn(f"\\fB{option}", plain(page(program)))


class Examples(DaemonTest):
    """The command meets no daemon: what is left to fail is the example. The daemon must serve."""

    def setUp(self):
        super().setUp()
        shutil.copy(ROOT / "deploy/systemd/socketeerd.yaml", self.directory)
        shutil.copy(ROOT / "deploy/policy/lab.yaml", self.directory)
        shutil.copy(ROOT / "deploy/policy/lab.yaml", self.directory / "policy.yaml")
        (self.directory / "image.bin").write_bytes(b"image")
        (self.directory / "config.json").write_text("{}")
        (self.directory / "tests").mkdir()
        for scenario in ("half-close.yaml", "race.yaml", "tests/one.yaml"):
            (self.directory / scenario).write_text(
                'name: example\ntags: [tcp]\nvariables: {server: here}\nsteps: [{run: ["true"]}]\n')
        self.environment = {**os.environ, "PATH": f"{BIN}:/usr/sbin:/usr/bin:/sbin:/bin", "XDG_RUNTIME_DIR": str(self.directory)}
        (self.directory / "network.yaml").write_text("{from: [build-3], to: [db], ports: [5432]}\n")
        (self.directory / "hosts.yaml").write_text(
            "hosts:\n- name: build-3\n  address: unix:/nobody.sock\n  labels: {rack: r1, role: web}\n"
            "- name: db\n  address: unix:/nobody.sock\n  data_address: 127.0.0.1\n  labels: {rack: r1, role: server}\n"
            "- name: localhost\n  address: 127.0.0.1:1\n")

    def test_the_command_takes_each(self):
        environment = {**self.environment, "SOCKETEER_HOSTS_FILE": str(self.directory / "hosts.yaml")}
        for example in examples("socketeer"):
            with self.subTest(example):
                called = self.directory / "called"
                called.unlink(missing_ok=True)
                run = subprocess.run(["/bin/bash", "-c", f"{NOTED}\n{example}\nwait"], stdin=subprocess.DEVNULL, cwd=self.directory,
                                     capture_output=True, text=True, env=environment, timeout=60)
                calls = called.read_text().splitlines() if called.exists() else []
                self.assertTrue(calls or "<(" in example, run.stderr)
                mistakes = [call for call in calls if re.match(r"1 |12[67] ", call)]  # 1: of usage
                self.assertEqual([], mistakes, run.stderr)

    def test_the_daemon_serves_with_each(self):
        prefix = own_namespaces("--mount", "--net")
        made = subprocess.run([SOCKETEER, "cert", ".", "--host", "host"], cwd=self.directory, capture_output=True, text=True)
        self.assertEqual(0, made.returncode, made.stderr)
        found = examples("socketeerd")
        self.assertLess(5, len(found))
        for example in found:
            with self.subTest(example):
                self.start(example, program="/bin/bash", prefix=[*prefix, "bash", "-ec", PREPARED],
                           cwd=self.directory, env=self.environment).stop()


if __name__ == "__main__":
    unittest.main()
