"""The schema of scenarios: what the command reads, it admits, and mistakes of form it finds."""

import json
import os
import pathlib
import subprocess
import unittest

import jsonschema
import yaml

SCENARIOS = pathlib.Path(__file__).parents[1] / "scenarios"
SOCKETEER = pathlib.Path(os.environ["SOCKETEER_BIN"]) / "socketeer"
# Of wrong ones, those whose form alone is wrong.
OF_FORM = ["a_list", "no_name", "no_steps", "empty_steps", "unknown_key", "step_is_a_word", "no_action", "unknown_action",
           "two_actions", "sleep", "unknown_field", "unknown_kind", "option", "enum", "expect_is_a_word", "expected_word",
           "branch", "for_each", "for_each_steps", "matrix", "shell", "probe", "cleanup"]


def words(file):
    """All as text: PyYAML takes the key `on` for true, as YAML 1.1 had it."""
    return yaml.load(file.read_text(), yaml.BaseLoader)


class Schema(unittest.TestCase):
    def setUp(self):
        shown = subprocess.run([SOCKETEER, "run", "--schema"], capture_output=True, check=True, text=True).stdout
        self.schema = json.loads(shown)
        self.validator = jsonschema.Draft202012Validator(self.schema)

    def test_is_one(self):
        jsonschema.Draft202012Validator.check_schema(self.schema)

    def test_admits_what_runs(self):
        files = [*SCENARIOS.glob("*.yaml"), *(SCENARIOS / "example").glob("*.yaml")]
        scenarios = [file for file in files if "steps" in words(file)]
        self.assertGreaterEqual(len(scenarios), 12)
        for file in scenarios:
            with self.subTest(file.name):
                self.validator.validate(words(file))

    def test_finds_mistakes_of_form(self):
        for name in OF_FORM:
            with self.subTest(name):
                wrong = words(SCENARIOS / "bad" / f"{name}.yaml")
                self.assertFalse(self.validator.is_valid(wrong))


if __name__ == "__main__":
    unittest.main()
