"""What was measured, as a table for people and as JSON."""

import dataclasses
import datetime
import json
import os
import pathlib
import platform
import re
import resource
import statistics
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]


@dataclasses.dataclass
class Line:
    """One figure: ours, in each round; and, where there is one, the other side's in the same rounds.

    The ratio is ours over theirs, or, with `faster`, how many times faster ours is. A goal bounds it, "<= 1.2 x", or,
    where nobody is compared, the figure itself: "<= 1024". One that could not be measured has no figures, and says why."""

    row: str
    what: str
    unit: str
    ours: list
    against: str = ""
    other: list = dataclasses.field(default_factory=list)
    goal: str = ""
    notes: dict = dataclasses.field(default_factory=dict)
    faster: bool = dataclasses.field(default=False, kw_only=True)
    not_run: str = dataclasses.field(default="", kw_only=True)

    def ratios(self):
        return [theirs / own if self.faster else own / theirs for own, theirs in zip(self.ours, self.other)]

    def ratio(self):
        """Of the medians."""
        if not self.other:
            return None
        own, theirs = statistics.median(self.ours), statistics.median(self.other)
        return theirs / own if self.faster else own / theirs

    def spread(self):
        """Half of the rounds' ratios are between these two."""
        ratios = self.ratios()
        return statistics.quantiles(ratios, n=4)[::2] if len(ratios) > 1 else (ratios[0], ratios[0])

    def met(self):
        """None without a goal, or without figures."""
        if not self.goal or self.not_run:
            return None
        sign, bound = re.match(r"([<>]=) ([\d.]+)", self.goal).groups()
        value = self.ratio() if self.other else statistics.median(self.ours)
        return value <= float(bound) if sign == "<=" else value >= float(bound)

    def json(self):
        fields = {name: value for name, value in dataclasses.asdict(self).items() if value not in ("", [], {}, False)}
        if self.not_run:
            return fields
        fields["median"] = statistics.median(self.ours)
        if self.other:
            fields |= {"other_median": statistics.median(self.other), "ratio": self.ratio(),
                       "ratio_quartiles": list(self.spread())}
        return fields if self.met() is None else fields | {"met": self.met()}


def number(value):
    """Three digits, or all of them before the point."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def cells(line):
    if line.not_run:
        return [line.row, line.what, "", "", line.against, "", line.goal, "NOT RUN"]
    ours = f"{number(statistics.median(line.ours))} {line.unit}"
    theirs, ratio = "", ""
    if line.other:
        theirs = f"{number(statistics.median(line.other))} {line.unit}"
        ratio = "{:.3g} x ({:.3g}..{:.3g})".format(line.ratio(), *line.spread())
    verdict = {None: "", True: "met", False: "MISSED"}[line.met()]
    return [line.row, line.what, ours, theirs, line.against, ratio, line.goal, verdict]


def table(lines):
    rows = [["row", "what", "ours", "theirs", "theirs is", "ratio (half of rounds)", "goal", ""], *map(cells, lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()


def missing(row, what, against, why):
    """In place of a line whose peer is not there."""
    return Line(row, what, "", [], against, not_run=str(why))


def notes(lines):
    for line in lines:
        if line.not_run:
            yield f"NOT RUN: {line.row}, {line.what}{', ' * bool(line.against)}{line.against}: {line.not_run}"
        if line.notes:
            said = ", ".join(f"{name} {value if isinstance(value, str) else number(value)}"
                             for name, value in line.notes.items())
            yield f"{line.row}, {line.what}: {said}"


class Others:
    """What others take of the cores, in percent of one core, while we and our children do what they do."""

    def __init__(self):
        self.began, self.busy, self.own = time.monotonic(), self._busy(), self._own()

    def percent(self):
        """Since the beginning; of our children only those count as ours that have ended."""
        others = (self._busy() - self.busy) - (self._own() - self.own)
        return round(100 * max(0, others) / (time.monotonic() - self.began), 1)

    @staticmethod
    def _busy():
        ticks = [int(word) for word in pathlib.Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
        return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")

    @staticmethod
    def _own():
        return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def machine():
    model = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    memory = re.search(r"MemTotal: +(\d+) kB", pathlib.Path("/proc/meminfo").read_text())
    return {"cores": os.cpu_count(), "cpu": model[1] if model else platform.machine(),
            "kernel": f"{platform.system()} {platform.release()}", "memory_mb": int(memory[1]) // 1024,}


def commit():
    """The commit, with a + when files differ from it; "" outside of a clone."""
    run = subprocess.run(["git", "-c", "safe.directory=*", "-C", ROOT, "describe", "--always", "--dirty=+",
                          "--exclude=*"], capture_output=True, text=True)
    return run.stdout.strip()


def today():
    return datetime.datetime.now(datetime.timezone.utc).date().isoformat()


def write(path, head, lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(head | {"lines": [line.json() for line in lines]}, indent=1) + "\n")
