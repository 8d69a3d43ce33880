"""`socketeer policy`: the cases of a policy's file, and one question. No daemon is asked."""

import json
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(__file__))
from harness import CliTest, environment  # noqa: E402

LAB = "deploy/policy/lab.yaml"
RULES = """rules:
- {name: lab, allow: connect, identities: any, addresses: 10.0.0.0/8}
"""


class Policy(CliTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.nowhere = environment(SOCKETEER_HOST="unix:/nowhere/d.sock")

    def policy(self, *arguments, **options):
        return self.run_cli("policy", *arguments, env=self.nowhere, **options)

    def file(self, text):
        path = os.path.join(self.directory, "policy.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def test_the_examples_hold(self):
        run = self.policy("test", LAB, "deploy/policy/one-user.yaml")
        self.assertEqual(f"{LAB}: 26 of 26 cases hold\ndeploy/policy/one-user.yaml: 14 of 14 cases hold\n", run.stdout.decode())

    def test_a_case_that_fails_is_told_with_its_line(self):
        path = self.file(RULES + "cases:\n- ['uid:1', connect, 'tcp:10.0.0.1:80', allow]\n- ['uid:1', connect, 'tcp:11.0.0.1:80', allow]\n")
        run = self.policy("test", path, code=4,
                          said=f"socketeer: {path}:5: uid:1 connect tcp:11.0.0.1:80: denied: no rule matches; expected: allow\n")
        self.assertEqual(f"{path}: 1 of 2 cases hold\n", run.stdout.decode())
        run = self.policy("-o", "json", "test", path, code=4)
        self.assertEqual([{"file": path, "mode": "enforce", "cases": 2,
                           "failed": ["5: uid:1 connect tcp:11.0.0.1:80: denied: no rule matches; expected: allow"]}],
                         json.loads(run.stdout))

    def test_without_cases_nothing_was_tested(self):
        path = self.file(RULES)
        self.policy("test", path, code=4, said=f"{path} has no cases, so nothing was tested")

    def test_a_policy_that_only_watches_says_so(self):
        path = self.file("mode: shadow\n" + RULES + "cases:\n- ['uid:1', connect, 'tcp:10.0.0.1:80', allow]\n")
        self.policy("test", path, said=f"{path}: mode is shadow: nothing is denied, only told")
        run = self.policy("explain", "--file", path, "uid:1", "connect", "tcp:11.0.0.1:80", said="mode is shadow")
        self.assertEqual("denied: no rule matches\n", run.stdout.decode())

    def test_what_is_given_is_shown_safely(self):
        path = self.file(RULES.replace("lab", '"\\e[2J"'))
        self.assertNotIn(b"\x1b", self.policy("explain", "-o", "json", "--file", path, "uid:1", "administer", code=1).stderr)
        self.policy("explain", "-o", "json", "--file", LAB, "uid:1", "resolve", "\udcff", code=1, said="endpoint")
        self.policy("explain", "-o", "json", "--file", LAB, "token:\x1b[2J", "administer", code=1, said="identity")

    def test_a_file_that_is_wrong(self):
        path = self.file("rules:\n- {alow: connect}\n")
        self.policy("test", path, code=1, said=f"{path}:2: unknown key \"alow\"; known are name, allow, deny")
        self.policy("test", path + "x", code=1, said="No such file or directory")
        self.policy("test", self.file("#" * (1 << 20) + "\n"), code=1, said="1048576")
        self.policy("test", code=1, said="FILE is required")

    def test_explain_names_the_rule(self):
        def explain(*question, **options):
            return self.policy("explain", "--file", LAB, *question, **options).stdout.decode()

        self.assertEqual("allowed by lab (line 19)\n", explain("uid:1000", "connect", "tcp:10.20.0.6:80"))
        self.assertEqual("denied by database (line 11)\n", explain("uid:1", "connect", "tcp:[::ffff:10.20.0.5]:80"))
        self.assertEqual("denied: no rule matches\n", explain("uid:1000", "administer"))
        self.assertEqual({"allowed": True, "mode": "enforce", "rule": "lab", "line": 19},
                         json.loads(explain("uid:1000", "connect", "udp:127.0.0.1:53", "-o", "json")))
        self.assertEqual({"allowed": False, "mode": "enforce"}, json.loads(explain("uid:1", "open", "tcp4", "-o", "json")))

    def test_a_question_that_is_none(self):
        for question, said in [
            (("uid:1", "conect", "tcp:10.0.0.1:80"), 'verb is "conect"; it must be one of open, connect'),
            (("uid:1", "connect", "tcp:127.1:80"), 'endpoint is "127.1:80"; it must be an IP address and a port'),
            (("uid:1", "connect", "tcp:example:80"), "it must be an IP address and a port"),
            (("uid:1", "connect", "sctp:10.0.0.1:80"), 'endpoint is "sctp"; it must be tcp, udp'),
            (("uid:1", "connect", "tcp:10.0.0.1:65536"), "it must be an IP address and a port"),
            (("uid:1", "connect", "tcp6:10.0.0.1:1"), "it must be an address of the socket's family"),
            (("uid:1", "connect", "unix:/run/../x"), "it must be an absolute path"),
            (("uid:1", "connect"), "it must be tcp, udp"),
            (("uid:1", "connect", "x:1"), "unix-seqpacket, and :ADDRESS behind it"),
            (("uid:1", "open", "tcp5"), "unix-dgram or unix-seqpacket\n"),
            (("uid:1", "open", "tcp"), "it must be the family too"),
            (("uid:1", "resolve"), "it must be a name"),
            (("uid:1", "end", "x"), "it must be absent: end is done to nothing"),
            (("", "end"), "identity"),
        ]:
            with self.subTest(question=question):
                self.policy("explain", "--file", LAB, *question, code=1, said=said)


if __name__ == "__main__":
    unittest.main()
