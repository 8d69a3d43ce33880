"""The reports of a real run that failed: valid, and the page as a browser shows it."""
import pathlib
import subprocess
import unittest

from scenario_harness import ScenarioTest  # first: it says where the rest lies
import browser

XSD = pathlib.Path(__file__).parents[1] / "report" / "junit.xsd"
HALF_CLOSE = """
steps:
  - on: a
    open: {socket: server, kind: tcp, bind: "127.0.0.1:0", listen: true}
    capture: {address: local}
  - parallel:
      server: [{on: a, accept: {socket: server, as: peer}}]
      client: [{on: b, open: {socket: client, kind: tcp, connect: "${address}"}}]
  - {on: b, send: {socket: client, text: "<b>hello</b>"}}
  - {on: b, shutdown: {socket: client, direction: write}}
  - {on: a, recv: {socket: peer, bytes: 12}}
  - on: a
    recv: {socket: peer}
    expect: {end_of_stream: false}
cleanup:
  - {on: a, close: {socket: peer}}
"""
WHY = 'end_of_stream was expected to be "false", and is "true"'


class Page(ScenarioTest):
    def setUp(self):
        super().setUp()
        fine = self.write("fine", 'steps: [{run: ["true"]}]\n')
        self.reports = {form: self.directory / f"run.{form}" for form in ("junit", "json", "tap", "html")}
        options = [word for form, file in self.reports.items() for word in (f"--{form}", file)]
        self.run_cli(*options, fine, self.write("half-close", HALF_CLOSE), code=4)

    def test_junit_and_tap_are_taken_by_their_readers(self):
        subprocess.run(["xmllint", "--noout", "--nonet", "--schema", XSD, self.reports["junit"]], check=True, capture_output=True)
        self.assertIn(WHY, self.reports["junit"].read_text().replace("&quot;", '"'))
        tap = self.reports["tap"].read_text()
        older = self.directory / "older.tap"
        older.write_text(tap.replace("TAP version 14", "TAP version 13", 1))  # what prove knows
        prove = subprocess.run(["prove", "--nocolor", "--exec", "cat", older], capture_output=True, text=True, check=False)
        self.assertEqual(1, prove.returncode, prove.stdout)
        self.assertIn("Failed 1/2 subtests", prove.stdout)

    def test_the_page_in_a_browser(self):
        browser.require()
        page, console = browser.document(self.reports["html"], self.directory)
        self.assertEqual([], console)
        self.assertIn("1 of 2 failed", page.text)
        self.assertIn(WHY, page.text)
        self.assertEqual(["s1", "s0"], [each["id"] for each in page.all("details") if "id" in each])  # the failed one first
        self.assertEqual(["s1"], [each["id"] for each in page.all("details") if "id" in each and "open" in each])
        arrows = [each for each in page.all("g") if "data-from" in each]
        self.assertGreaterEqual(len(arrows), 2, "connect to accept, send to recv")
        for word in ("server", "peer", "client", "LISTENING", "12"):
            self.assertIn(word.lower(), page.text.lower())
        self.assertRegex(page.text, r"clock.*±|±.*clock")


if __name__ == "__main__":
    unittest.main()
