"""A real Prometheus takes what the daemon serves, and every query of deploy/ has an answer there."""

import json
import pathlib
import re
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from contract import host_pb, inet, pb  # noqa: E402
from daemon import ROOT  # noqa: E402
from eventually import eventually  # noqa: E402
from metered import MeteredTest  # noqa: E402
from prometheus import Prometheus  # noqa: E402
from scrape import fetch  # noqa: E402

ALERTS = ROOT / "deploy/prometheus/alerts.yaml"
CASES = ROOT / "tests/metrics/alerts_cases.yaml"
DASHBOARD = ROOT / "deploy/grafana/dashboard.json"
COMPARISON = re.compile(r"(?P<value>.+) (==|!=|>=|<=|>|<) [\d.]+", re.DOTALL)


def variables_replaced(expression):
    """As Grafana does, with all daemons chosen."""
    return expression.replace("$__rate_interval", "1m").replace("$instance", ".*")


def dashboard_queries():
    board = json.loads(DASHBOARD.read_text())
    return [(panel["title"], variables_replaced(target["expr"])) for panel in board["panels"] for target in panel["targets"]]


class Rules(unittest.TestCase):
    def promtool(self, *arguments, **options):
        run = subprocess.run(["/usr/bin/promtool", *map(str, arguments)], capture_output=True, text=True, **options)
        self.assertEqual(0, run.returncode, run.stdout + run.stderr)
        return run.stdout + run.stderr

    def test_the_rules_are_well_formed(self):
        self.assertIn("rules found", self.promtool("check", "rules", ALERTS))

    def test_each_alert_fires_when_it_should_and_not_else(self):
        """tests/metrics/alerts_cases.yaml has a case of each."""
        self.promtool("test", "rules", CASES)
        names = re.findall(r"- alert: (\w+)", ALERTS.read_text())
        cases = CASES.read_text()
        self.assertGreater(len(names), 10)
        self.assertEqual(len(names), len(set(names)))
        for name in names:
            with self.subTest(name):
                self.assertEqual(1, cases.count(f"alertname: {name}\n        exp_alerts:\n          - exp_labels:"))
                self.assertEqual(1, cases.count(f"alertname: {name}\n        exp_alerts: []\n"))


class InPrometheus(MeteredTest):
    def setUp(self):
        super().setUp()
        self.meter()
        self.load()
        self.prometheus = Prometheus(self.directory, self.metrics, ALERTS)
        self.addCleanup(self.prometheus.stop)

    def load(self):
        """Some of all that is measured."""
        few, wrong = self.with_token("few-secret"), self.with_token("guessed")
        for _ in range(2):
            listener, near, far = self.pair()
            self.send(near, b"x" * 100)
            self.receive(far)
            self.wait_to_receive(far, 0.001)
            self.fails(self.open, "tcp4", connect=inet(1))
            self.fails(self.open, "tcp4", connect=inet(1, "127.0.0.7"))
            self.fails(wrong.hosts.GetHost, host_pb.GetHostRequest(), timeout=20)
            self.close(near)
        udp = self.opened("udp4", bind=inet(0))
        self.send_to(udp.name, udp.local)
        self.receive_from(udp.name)
        opened = few.sockets.OpenSocket(pb.OpenSocketRequest(family=1, type=1), timeout=20).socket
        self.fails(few.sockets.OpenSocket, pb.OpenSocketRequest(family=1, type=1), timeout=20)
        few.sockets.CloseSocket(pb.CloseSocketRequest(name=opened.name), timeout=20)
        self.client.end_session(self.client.create_session(60).name)

    def numbers(self, expression):
        values = [float(each["value"][1]) for each in self.prometheus.query(expression)]
        return [each for each in values if each == each]  # without NaN

    def assert_answered(self, queries):
        """Each with a number, as soon as there are rates: some of them need what comes between two scrapes."""
        without = []

        def all_are():
            nonlocal without
            self.load()
            before = self.prometheus.scrapes()
            eventually(lambda: self.prometheus.scrapes() >= before + 2, "scraped again")
            without = [each for each in queries if not self.numbers(each[1])]
            return not without
        eventually(all_are, lambda: f"without an answer: {without}")

    def test_it_is_scraped_and_well_formed(self):
        eventually(lambda: self.prometheus.scrapes() >= 2, "scraped twice")
        self.assertEqual([1.0], self.numbers("up"))
        self.assertEqual([1.0], self.numbers("socketeer_build_info"))
        run = subprocess.run(["/usr/bin/promtool", "check", "metrics"], input=fetch(self.metrics), capture_output=True,
                             text=True)
        self.assertEqual((0, "", ""), (run.returncode, run.stdout, run.stderr))

    def test_every_query_of_the_dashboard_has_an_answer(self):
        queries = dashboard_queries()
        self.assertGreater(len(queries), 30)
        self.assert_answered(queries)

    def test_every_alert_has_a_value_and_is_evaluated(self):
        """EXPRESSION COMPARISON NUMBER: the whole is understood, and has a value without the comparison."""
        rules = eventually(self.prometheus.rules, "the rules are there")
        self.assertEqual(re.findall(r"- alert: (\w+)", ALERTS.read_text()), [rule["name"] for rule in rules])
        queries = []
        for rule in rules:
            found = COMPARISON.fullmatch(rule["query"])
            self.assertTrue(found, rule["query"])
            self.prometheus.query(rule["query"])
            queries.append((rule["name"], found["value"]))
        self.assert_answered(queries)

    def test_a_daemon_that_is_gone_is_seen(self):
        eventually(lambda: self.numbers("up") == [1.0], "it is up")
        self.daemon.stop()
        eventually(lambda: self.numbers('up{job="socketeer"} == 0') == [0.0], "it is down")


if __name__ == "__main__":
    unittest.main()
