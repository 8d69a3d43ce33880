"""What a scenario costs beside the calls that its steps are."""

import contextlib
import datetime
import json
import resource
import statistics
import subprocess
import time

import peers
from report import Line
from rows import interleaved

HOSTS = ("a", "b", "c")
TEXT = "x" * 64
# What each host does in a round: steps.cc does the same.
KINDS = {"whoami": [{"whoami": {}}],
         "inspect": [{"inspect": {"socket": "echo"}}],
         "send-recv": [{"send": {"socket": "echo", "text": TEXT}},
                       {"recv": {"socket": "echo", "bytes": len(TEXT)}, "expect": {"text": TEXT}}]}


def scenario(kind, rounds, endpoints, echo):
    return {"name": kind, "hosts": dict(zip(HOSTS, endpoints)),
            "steps": [*({"on": host, "open": {"socket": "echo", "kind": "tcp", "connect": f"127.0.0.1:{echo.port}"}}
                        for host in HOSTS),
                      {"limit": "60s", "for-each": {"over": {"round": list(range(rounds))},
                                                    "steps": [{"on": host} | step for host in HOSTS
                                                              for step in KINDS[kind]]}}]}


def ended_cpu():
    """Seconds of all children that have been waited for."""
    return sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])


class Calls:
    """The same calls by steps.cc: us a call."""

    def __init__(self, client, run):
        self.client, self.run, self.cpu = client, run, []

    def __call__(self):
        before = peers.cpu_seconds(self.client.process.pid)
        figure = self.client.ask(self.run.kind, self.run.rounds)["call_us"]
        self.cpu.append((peers.cpu_seconds(self.client.process.pid) - before) * 1e6 / self.run.steps)
        return figure


class Run:
    """A whole `socketeer run`: us a step, from the beginning of the first round to the end of the last."""

    def __init__(self, work, kind, rounds, endpoints, echo):
        self.kind, self.rounds, self.verbs = kind, rounds, {next(iter(step)) for step in KINDS[kind]}
        self.file = work / f"{kind}.yaml"
        self.steps = rounds * len(HOSTS) * len(KINDS[kind])
        self.file.write_text(json.dumps(scenario(kind, rounds, endpoints, echo)))  # JSON is YAML
        self.report = self.file.with_suffix(".json")
        self.beside, self.cpu = [], []  # ms of a run outside of its rounds; us of CPU of the whole run, a step

    def __call__(self):
        began, cpu = time.monotonic(), ended_cpu()
        subprocess.run([peers.BIN / "socketeer", "run", "--json", self.report, self.file], check=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        whole = time.monotonic() - began
        self.cpu.append((ended_cpu() - cpu) * 1e6 / self.steps)
        events = [event for event in json.loads(self.report.read_text())["scenarios"][0]["events"]
                  if event["verb"] in self.verbs]
        if len(events) != self.steps:
            raise AssertionError(f"{len(events)} steps instead of {self.steps}")
        start, end = (datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
                      for text in (min(event["start"] for event in events), max(event["end"] for event in events)))
        took = (end - start).total_seconds()
        self.beside.append((whole - took) * 1e3)
        return took * 1e6 / self.steps


def scenarios(settings, work):
    """A step of `socketeer run`, of 1,002 on three hosts, against the same call by the C++ library."""
    with contextlib.ExitStack() as stack:
        echo = stack.enter_context(peers.echo())
        endpoints = []
        for host in HOSTS:
            (work / host).mkdir()
            endpoints.append(stack.enter_context(peers.daemon(work / host)).endpoint("unix"))
        client = stack.enter_context(peers.Client(peers.PROGRAMS / "steps", echo.port, *endpoints))
        for kind, steps in KINDS.items():
            rounds = settings.steps // (len(HOSTS) * len(steps))
            run = Run(work, kind, rounds, endpoints, echo)
            alone = Calls(client, run)
            ours, calls = interleaved(settings.rounds, run, alone)
            more = statistics.median(own - other for own, other in zip(ours, calls))
            yield Line("scenarios", f"{kind}, {run.steps:,} steps on three hosts", "us", ours, "the calls alone", calls,
                       notes={"us a step more": more, "ms beside the steps": statistics.median(run.beside),
                              "CPU us a step, of the whole run": statistics.median(run.cpu),
                              "of the calls alone": statistics.median(alone.cpu)})
