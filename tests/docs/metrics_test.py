"""docs/metrics.md has what is served, each with its kind, its labels and its help, and nothing else."""

import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from daemon import ROOT  # noqa: E402
from metered import MeteredTest  # noqa: E402
from scrape import fetch, labels_of, name_of, series  # noqa: E402

DOCUMENT = ROOT / "docs/metrics.md"
ROW = re.compile(r"\| `(?P<name>\w+)` \| (?P<kind>\w+) \| (?P<labels>[\w`, ]*?) ?\| (?P<help>.+) \|")


def documented():
    """{name: (kind, labels, help)}"""
    rows = [found for line in DOCUMENT.read_text().splitlines() if (found := ROW.fullmatch(line))]
    return {row["name"]: (row["kind"], set(re.findall(r"`(\w+)`", row["labels"])), row["help"]) for row in rows}


def served(page):
    """The same, of a page."""
    kinds, helps, labels = {}, {}, {}
    for line in page.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kinds[name] = line.split()
        elif line.startswith("# HELP "):
            name, helps[name] = line.removeprefix("# HELP ").split(" ", 1)
        else:
            one, _ = series(line)
            labels.setdefault(name_of(one), set()).update(labels_of(one).keys() - {"le"})
    return {name: (kinds[name], labels[name], helps[name]) for name in kinds}


class Table(MeteredTest):
    def test_it_is_what_is_served(self):
        self.meter()
        self.pair()
        found = served(fetch(self.metrics))
        self.assertGreater(len(found), 30)
        self.assertEqual(found, documented())


if __name__ == "__main__":
    unittest.main()
