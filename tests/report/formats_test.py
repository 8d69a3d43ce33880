"""JUnit, JSON and TAP, as the programs that read them take them."""

import json
import pathlib
import subprocess
import sys
import unittest
from xml.etree import ElementTree

import jsonschema

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from reported import ReportTest  # noqa: E402

HERE = pathlib.Path(__file__).parent
SAMPLES = ("half-close", "several", "hostile", "large", "none")


class Junit(ReportTest):
    def test_is_what_ci_systems_take(self):
        for sample in SAMPLES:
            with self.subTest(sample):
                self.run_tool("xmllint", "--noout", "--nonet", "--schema", HERE / "junit.xsd", self.reports(sample).junit)

    def test_cases(self):
        root = ElementTree.parse(self.reports("several").junit).getroot()
        self.assertEqual({name: root.get(name) for name in ("tests", "failures", "errors", "skipped")},
                         {"tests": "6", "failures": "1", "errors": "1", "skipped": "1"})
        cases = {case.get("name"): [child.tag for child in case if child.tag != "system-out"] for case in root.iter("testcase")}
        self.assertEqual(cases, {
            "UDP echo [mtu=1500, family=ipv6]": [],
            "UDP echo [mtu=9000, family=ipv6]": [],
            "UDP echo [mtu=9000, family=ipv6, repetition 2]": [],
            "TCP half-close": ["failure"],
            "only where there is SCTP": ["skipped"],
            "far away": ["error"],
        })
        suites = {suite.get("name"): suite.get("tests") for suite in root}
        self.assertEqual(suites, {"echo.yaml": "3", "half-close.yaml": "1", "sctp.yaml": "1", "far.yaml": "1"})

    def test_a_failure_says_why(self):
        failure = ElementTree.parse(self.reports("half-close").junit).find(".//failure")
        self.assertEqual(failure.get("type"), "failed")
        self.assertIn("ECONNRESET", failure.get("message"))
        self.assertIn("sockets/client: CONNECTED, local 10.0.0.2:53124", failure.text)

    def test_hostile_text_stays_text(self):
        root = ElementTree.parse(self.reports("hostile").junit).getroot()
        self.assertEqual({element.tag for element in root.iter()}, {"testsuites", "testsuite", "testcase", "failure", "system-out"})
        self.assertIn("</script>", root.find(".//testcase").get("name"))
        self.assertIn("]]>", root.find(".//failure").text)


class Json(ReportTest):
    def setUp(self):
        super().setUp()
        schema = json.loads((HERE.parents[1] / "docs" / "report.schema.json").read_text(encoding="utf-8"))
        jsonschema.Draft7Validator.check_schema(schema)
        for definition in [schema, *schema["definitions"].values()]:
            if "properties" in definition:  # here nothing may come that the schema does not tell
                definition["additionalProperties"] = False
        self.validator = jsonschema.Draft7Validator(schema)

    def test_is_what_its_schema_says(self):
        for sample in SAMPLES:
            with self.subTest(sample):
                self.validator.validate(json.loads(self.reports(sample).json.read_text(encoding="utf-8")))

    def test_has_all_of_it(self):
        run = json.loads(self.reports("several").json.read_text(encoding="utf-8"))
        self.assertEqual((run["verdict"], run["seed"], run["counts"]),
                         ("unreachable", 42, {"passed": 3, "failed": 2, "skipped": 1}))
        scenario = run["scenarios"][1]
        self.assertEqual([clock["known"] for clock in scenario["clocks"]], [True, True, False])
        self.assertAlmostEqual(scenario["clocks"][1]["offset_seconds"], 2.003)
        failed = [event for event in scenario["events"] if event["verdict"] == "failed"]
        self.assertEqual((failed[0]["errno"], failed[0]["errno_number"], failed[0]["host"]), ("ECONNRESET", 104, "b"))
        self.assertEqual(run["scenarios"][0]["parameters"], {"mtu": "1500", "family": "ipv6"})
        self.assertNotIn("start", run["scenarios"][2])

    def test_text_is_exact(self):
        text = self.reports("hostile").json.read_text(encoding="utf-8")
        self.assertEqual(json.loads(text)["scenarios"][0]["hosts"][1], "\uffff & \u202e<b>\"\x9b")
        self.assertNotIn("\u202e", text)  # a terminal that obeys it shows another text

    def test_a_thousand_steps(self):
        run = json.loads(self.reports("large").json.read_text(encoding="utf-8"))
        self.assertEqual(len(run["scenarios"][0]["events"]), 1000)


class Tap(ReportTest):
    def prove(self, sample):
        """What prove says, and how it ends. It knows TAP 13, which is the same but for its first line."""
        text = self.reports(sample).tap.read_text(encoding="utf-8")
        self.assertTrue(text.startswith("TAP version 14\n"))
        older = self.directory / "older.tap"
        older.write_text(text.replace("TAP version 14\n", "TAP version 13\n", 1), encoding="utf-8")
        return subprocess.run(["prove", "--verbose", "--nocolor", "--exec", "cat", older], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)

    def test_failures(self):
        run = self.prove("several")
        self.assertEqual(run.returncode, 1, run.stdout)
        self.assertRegex(run.stdout, r"Failed tests: +2, 4")
        self.assertNotIn("Parse errors", run.stdout)
        self.assertIn("less 1 skipped subtest: 3 okay", run.stdout)

    def test_nothing_ran(self):
        run = self.prove("none")
        self.assertEqual(run.returncode, 0, run.stdout)
        self.assertIn("NOTESTS", run.stdout)

    def test_hostile_text_forges_no_result(self):
        run = self.prove("hostile")
        self.assertNotIn("Parse errors", run.stdout)
        self.assertRegex(run.stdout, r"Failed 1/1 subtests")
        self.assertNotIn("\x1b", run.stdout)

    def test_diagnostics_are_yaml(self):
        expected = {"half-close": "fail|failed|b|half-close.yaml:56:5: receive: Connection reset by peer (ECONNRESET)",
                    "large": "fail|timed out|b|long.yaml:9:5: it was not done within 10s"}
        for sample, diagnostics in expected.items():
            found = self.run_tool("perl", "-MTAP::Parser", "-e", r"""
                my $tap = do { local $/; <STDIN> };
                $tap =~ s/^TAP version 14/TAP version 13/;
                my $parser = TAP::Parser->new({ tap => $tap });
                while (my $part = $parser->next) {
                  next unless $part->is_yaml;
                  my $data = $part->data;
                  print join("|", map { $_ =~ s/\n.*//sr } @$data{qw(severity verdict host details)}), "\n";
                }
                print "errors: ", scalar($parser->parse_errors), "\n";
                """, input=self.reports(sample).tap.read_text(encoding="utf-8"))
            self.assertEqual(found, f"{diagnostics}\nerrors: 0\n")


if __name__ == "__main__":
    unittest.main()
