"""What a daemon tells of itself at its metrics port."""

import re
import urllib.request

SERIES = re.compile(r"(?P<name>\w+)(?:\{(?P<labels>.*)\})? (?P<value>\S+)")
LABEL = re.compile(r'(\w+)="([^"\\]*)"')


def fetch(address):
    """The page, as text."""
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=20) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4"), answer.headers
        return answer.read().decode()


def scrape(address):
    """{'name{label="value",...}': number}, a series each."""
    return dict(series(line) for line in fetch(address).splitlines() if not line.startswith("#"))


def series(line):
    found = SERIES.fullmatch(line)
    assert found, line
    labels = f"{{{found['labels']}}}" if found["labels"] else ""
    return found["name"] + labels, float(found["value"])


def name_of(one):
    """Of a series; of a part of a histogram as well."""
    return re.sub(r"(_bucket|_sum|_count)$", "", one.split("{")[0])


def labels_of(one):
    return dict(LABEL.findall(one))


def grown(before, after):
    """What is different in `after`, by how much; a series that is new began at 0."""
    return {each: after[each] - before.get(each, 0) for each in after if after[each] != before.get(each, 0)}
