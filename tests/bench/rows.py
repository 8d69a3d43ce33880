"""Rows that compare calls: ours beside another side's, round by round."""

import json
import subprocess

import peers
from report import Line


def interleaved(rounds, *sides):
    """Runs each side once a round; the figures of each."""
    figures = [[] for _ in sides]
    for side in sides:
        side()  # warms up
    for _ in range(rounds):
        for side, list_ in zip(sides, figures):
            list_.append(side())
    return figures


class Measured:
    """One command of a client, and what it costs the server in thread switches."""

    def __init__(self, client, name, count, server=None):
        self.client, self.name, self.count, self.server = client, name, count, server
        self.cost = []

    def __call__(self):
        before = peers.switches(self.server.pid) if self.server else 0
        figure = self.client.ask(self.name, self.count)["p50_us"]
        if self.server:
            self.cost.append((peers.switches(self.server.pid) - before) / self.count)
        return figure

    def switches(self):
        return sorted(self.cost)[len(self.cost) // 2]


def against_bare(row, settings, work, cases):
    """`cases`: (what, our command, bare command, goal)."""
    for transport, words in (("unix", "UNIX socket"), ("tcp", "loopback TCP")):
        with (peers.daemon(work) as daemon, peers.bare(work) as bare, peers.echo() as echo,
              peers.calls(daemon, transport, echo, bare) as client):
            names = list(dict.fromkeys([(ours, daemon) for _, ours, _, _ in cases] +
                                       [(theirs, bare) for _, _, theirs, _ in cases]))
            sides = {name: Measured(client, name, settings.calls, server) for name, server in names}
            figures = dict(zip(sides, interleaved(settings.rounds, *sides.values())))
            for what, ours, theirs, goal in cases:
                yield Line(row, f"{what}, {words}", "us", figures[ours], "two bare calls", figures[theirs], goal,
                           {"thread switches a pair in the daemon": sides[ours].switches(),
                            "in the bare server": sides[theirs].switches()})


def unary(settings, work):
    """SendData and ReceiveData of 64 bytes to an echo server, against two bare gRPC calls of the same sizes."""
    return against_bare("unary", settings, work, [
        ("send, then receive", "ours.send_receive", "bare.send_receive", "<= 1.2 x"),
        ("receive posted first", "ours.receive_first", "bare.send_receive", "<= 1.0 x")])


def open_close(settings, work):
    """OpenSocket and CloseSocket against two bare gRPC calls of the same sizes."""
    return against_bare("open", settings, work, [("open + close", "ours.open_close", "bare.open_close", "<= 1.25 x")])


def rpyc(settings, work):
    """The C++ library against RPyC's remote sockets, over TCP as RPyC connects by itself, and over a UNIX socket."""
    slow = max(1, settings.calls // 80)  # over TCP most of RPyC's calls wait 40 ms for a delayed acknowledgement
    cases = (("send + receive", "send_receive", "send_receive", settings.calls // 2 or 1),
             ("open + close", "open_close", "open_close", slow),
             ("open + close, its socket() without arguments", "open_close", "open_close_defaults", slow))
    for transport, words in (("tcp", "loopback TCP"), ("unix", "UNIX socket")):
        with (peers.daemon(work) as daemon, peers.rpyc(work) as other, peers.echo() as echo,
              peers.calls(daemon, transport, echo) as ours,
              peers.Client(peers.PYTHON, peers.HERE / "rpyc_peer.py", other.target(transport).removeprefix("ipv4:"),
                           echo.port) as theirs):
            for what, own, rest, count in cases:
                goal = {"send_receive": ">= 2.5 x", "open_close": ">= 100 x" if transport == "tcp" else ""}.get(rest, "")
                figures = interleaved(settings.rounds, Measured(ours, f"library.{own}", settings.calls),
                                      Measured(theirs, rest, count))
                yield Line("rpyc", f"{what}, {words}", "us", figures[0], "RPyC", figures[1], goal, faster=True)


def micro(settings, work):
    """The hot inner parts without gRPC, by Google Benchmark."""
    for program in ("micro_net", "micro_rpc"):
        if not (peers.PROGRAMS / program).exists():
            raise peers.Missing(f"{program} is not built: ./dev bench builds it")
        run = subprocess.run([peers.PROGRAMS / program, "--benchmark_format=json",
                              f"--benchmark_repetitions={settings.rounds}",
                              f"--benchmark_min_time={settings.seconds}"],
                             capture_output=True, text=True, check=True)
        figures = {}
        for each in json.loads(run.stdout)["benchmarks"]:
            if each["run_type"] == "iteration":
                figures.setdefault(each["run_name"].removesuffix("/real_time"), []).append(each["real_time"])
        for name, times in figures.items():
            yield Line("micro", name, "ns", times)


def fairness(settings, work):
    """p99 of a small call beside a flooded socket of the same loop, against alone (fairness.cc)."""
    (work / "other").mkdir()
    with peers.daemon(work, "--loops", 1) as one, peers.daemon(work / "other", "--loops", 1) as two:
        run = subprocess.run([peers.PROGRAMS / "fairness", one.target("unix"), two.target("unix"),
                              str(min(settings.rounds, 5)), str(settings.calls * 8)],
                             stdout=subprocess.PIPE, text=True, check=True)
    seen = json.loads(run.stdout.splitlines()[-1])
    alone = seen["alone"]["p99_us"]
    for what, key, goal in (("flood on the same loop", "same_loop", "<= 3 x"),
                            ("flood in another daemon", "other_daemon", "")):
        yield Line("fairness", f"p99, {what}", "us", [seen[key]["p99_us"]], "alone", [alone], goal,
                   {"p50 us": seen[key]["p50_us"], "alone": seen["alone"]["p50_us"],
                    "flood MB/s": seen[key]["flood_mb_s"]})
