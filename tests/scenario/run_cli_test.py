"""`socketeer run`: what runs, in which order, and its exit codes."""
import json
import os
import re
import unittest

from scenario_harness import LISTENER, ScenarioTest

FINE = 'steps: [{run: ["true"]}]\n'
FAILS = 'steps: [{name: no, run: ["false"]}]\n'


class Run(ScenarioTest):
    def titles(self, *arguments, **options):
        """Of the scenarios, in the order in which they ended."""
        return re.findall(r"^(?:ok|FAIL) +(.*) \([0-9.]+[a-z]+\)", self.run_cli(*arguments, **options)[1], re.MULTILINE)

    def test_each_kind_of_failure_has_its_exit_code(self):
        cases = {
            0: FINE,
            1: 'variables: {to: x}\nsteps: [{on: a, open: {socket: s, kind: tcp, connect: "${to}"}}]\n',
            3: 'steps: [{on: a, open: {socket: s, kind: tcp, connect: "127.0.0.1:1"}}]\n',
            4: f"steps: [{{on: a, open: {LISTENER}, expect: {{kind: tcp6}}}}]\n",
            6: f"steps:\n- {{on: a, open: {LISTENER}}}\n"
               "- {name: lonely, on: a, accept: {socket: server, as: peer}, limit: 100ms}\n",
        }
        for code, text in cases.items():
            with self.subTest(code):
                self.run_cli(self.write(f"case{code}", text), code=code)
        gone = self.write("gone", 'hosts: {c: "unix:/nowhere"}\n' + FINE, hosts=False)
        self.assertIn("c: ", self.run_cli(gone, code=2)[1])
        with self.subTest("the gravest of all"):
            self.run_cli(*[self.directory / f"case{code}.yaml" for code in (4, 6, 3, 0)], code=3)
            self.run_cli(self.directory / "case3.yaml", gone, code=2)

    def test_denied_by_a_policy(self):
        policy = self.directory / "policy.yaml"
        policy.write_text("identities: {me: [uid:%d]}\nrules: []\n" % os.getuid())
        policy.chmod(0o600)
        strict = self.start("--listen", f"unix:{self.directory}/c.sock", "--policy", str(policy))
        text = f'hosts: {{c: "{strict.address}"}}\nsteps: [{{on: c, open: {LISTENER}}}]\n'
        self.assertIn("policy denies", self.run_cli(self.write("denied", text, hosts=False), code=5)[1])

    def test_with_a_mistake_in_any_file_nothing_runs_and_all_are_told(self):
        trace = self.directory / "trace"
        fine = self.write("fine", f"steps: [{{run: [touch, {trace}]}}]\n")
        bad = [self.write("bad1", "step: []\n"), self.write("bad2", FINE + "limit: soon\n"), self.directory / "none.yaml"]
        out, told = self.run_cli(fine, *bad, code=1)
        self.assertEqual("", out)
        self.assertFalse(trace.exists())
        lines = told.splitlines()
        self.assertEqual(len(bad), len(lines), told)
        for path, line in zip(bad, lines):
            self.assertRegex(line, rf"^socketeer: run: {re.escape(str(path))}:")

    def test_a_dry_run_tells_what_would_run_and_runs_nothing(self):
        trace = self.directory / "trace"
        path = self.write("dry", f"matrix: {{size: [1, 2]}}\nsteps: [{{run: [touch, {trace}]}}]\n")
        out, _ = self.run_cli("--dry-run", "--repeat", 2, path)
        self.assertEqual(["dry [size=1]", "dry [size=1, repetition 2]", "dry [size=2]", "dry [size=2, repetition 2]"],
                         [line.split("  ")[0] for line in out.splitlines()])
        self.assertFalse(trace.exists())

    def test_the_matrix_runs_each_combination_with_what_is_set(self):
        trace = self.directory / "trace"
        path = self.write("matrix", "variables: {word: w}\nmatrix: {one: [a, b], two: [x, y]}\n"
                          f"steps: [{{run: [sh, -c, 'echo \"$$1\" >> {trace}', sh, \"${{one}}${{two}}${{word}}\"]}}]\n")
        self.run_cli(path)
        self.assertEqual(["axw", "ayw", "bxw", "byw"], trace.read_text().split())
        trace.unlink()
        self.assertEqual("matrix [one=a, two=x, word=$run=1]", self.titles("--set", "word=$run=1", path)[0])
        self.assertEqual("ax$run=1", trace.read_text().split()[0])

    def test_a_seed_is_an_order_and_a_random_one_is_told(self):
        path = self.write("often", FINE)
        given = self.titles("--repeat", 8, path)
        seven = self.titles("--repeat", 8, "--shuffle=7", path)
        self.assertEqual(["often"] + [f"often [repetition {n}]" for n in range(2, 9)], given)
        self.assertNotEqual(given, seven)
        self.assertEqual(sorted(given), sorted(seven))
        self.assertEqual(seven, self.titles("--repeat", 8, "--shuffle=7", path))
        out, told = self.run_cli("--repeat", 8, "--shuffle", "--dry-run", path)
        seed = re.search(r"--shuffle=\d+", told)[0]
        self.assertEqual(out, self.run_cli("--repeat", 8, seed, "--dry-run", path)[0])

    def test_jobs_run_at_the_same_time(self):
        fifo = self.directory / "fifo"
        os.mkfifo(fifo)  # each end opens when the other one does
        writes = self.write("writes", f"steps: [{{run: [sh, -c, 'echo > {fifo}']}}]\n")
        reads = self.write("reads", f"steps: [{{run: [cat, {fifo}]}}]\n")
        self.assertEqual(2, len(self.titles("--jobs", 2, writes, reads)))

    def test_runs_at_the_same_time_do_not_meet(self):
        path = self.write("same", f"steps:\n- {{on: a, open: {LISTENER}, capture: {{address: local}}}}\n"
                          "- {on: b, open: {socket: client, kind: tcp, connect: \"${address}\"}}\n"
                          "- {on: a, accept: {socket: server, as: peer}}\n")
        self.assertEqual(24, len(self.titles("--repeat", 24, "--jobs", 8, path)))

    def test_tags(self):
        files = [self.write("fast", "tags: [tcp]\n" + FINE), self.write("slow", "tags: [tcp, slow]\n" + FAILS),
                 self.write("none", FAILS)]
        self.assertEqual(["fast"], self.titles("--tag", "tcp", "--tag", "!slow", *files))
        self.assertEqual(["fast", "slow"], self.titles("--tag", "tcp", "--tag", "udp", *files, code=3))
        self.assertIn("--tag", self.run_cli("--tag", "udp", *files, code=1)[1])

    def test_what_does_not_go_together_is_refused(self):
        path = self.write("fine", FINE)
        for words, arguments in {
            "--set": ["--set", "x"],
            "--repeat": ["--repeat", "0"],
            "--jobs": ["--jobs", "65"],
            "--shuffle": ["--shuffle=x"],
            "no terminal": ["--pause-on-fail"],
            "--host": ["--host", f"unix:{self.where('a')}"],
            "--session": ["--session", "x"],
            "--output": ["-o", "json"],
            "--all-hosts": ["--all-hosts"],
        }.items():
            with self.subTest(words):
                out, told = self.run_cli(*arguments, path, code=1)
                self.assertEqual("", out)
                self.assertIn(words, told)
                self.assertEqual(1, told.count("\n"), told)

    def test_hosts_of_the_hosts_file(self):
        hosts = self.directory / "hosts.yaml"
        hosts.write_text(f'hosts: [{{name: near, address: "unix:{self.where("a")}"}}]\n')
        path = self.write("named", f"hosts: [near]\nsteps: [{{on: near, open: {LISTENER}}}]\n", hosts=False)
        self.run_cli("--hosts-file", hosts, path)
        other = self.write("other", f"hosts: [far]\nsteps: [{{on: far, open: {LISTENER}}}]\n", hosts=False)
        self.assertIn("near", self.run_cli("--hosts-file", hosts, other, code=1)[1])

    def test_reports_are_written_and_one_may_be_standard_output(self):
        path = self.write("fails", FAILS)
        page, junit = self.directory / "page.html", self.directory / "junit.xml"
        out, told = self.run_cli("--html", page, "--junit", junit, "--json", "-", path, code=3)
        self.assertEqual("fails", json.loads(out)["scenarios"][0]["name"])
        self.assertIn("ended with status 1", told)
        for report in (page, junit):
            self.assertIn("ended with status 1", report.read_text())
        out, told = self.run_cli("--tap", "/nowhere/x", path, code=3)
        self.assertIn("/nowhere/x", told)
        self.assertNotIn("ended with status 1", told)  # told before anything runs


if __name__ == "__main__":
    unittest.main()
