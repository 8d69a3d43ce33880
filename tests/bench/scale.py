"""Rows about a daemon that holds very many sockets."""

import pathlib
import re
import resource
import shutil
import subprocess

import peers
from report import Line


def most_sockets(wanted):
    """As many as the limit of descriptors lets one daemon hold."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return min(wanted, hard - 1_000)


def many(settings, work):
    """Memory per idle socket in the daemon, over the kernel's own; and how long listing them takes."""
    count = most_sockets(settings.sockets)
    with (peers.daemon(work) as daemon, peers.echo() as echo, peers.calls(daemon, "unix", echo) as client):
        client.ask("ours.open_close", 200)  # warms up, so that gRPC's own memory is there
        client.ask("hold", 100)
        before = peers.anonymous_bytes(daemon.pid)
        opened = client.ask("hold", count)
        per_socket = (peers.anonymous_bytes(daemon.pid) - before) / count
        yield Line("many", f"memory of an idle socket, {count:,} held", "B", [per_socket], goal="<= 1024",
                   notes={"which are": "TCP, connected, on each of which a receive has once waited",
                          "opening one took us": opened["p50_us"]})
        lists = [client.ask("list") for _ in range(settings.rounds)]
    held = lists[0]["sockets"]
    for what, key in ((f"first page of 100, {held:,.0f} held", "first_100_us"),
                      ("longest page of 1,000", "longest_page_us"),
                      (f"all {held:,.0f}, in pages of 1,000", "all_us")):
        yield Line("many", f"ls: {what}", "ms", [each[key] / 1000 for each in lists])


class Callgrind:
    """Counts the instructions of a daemon that runs under valgrind."""

    def __init__(self, daemon, work):
        self.daemon, self.work, self.dumps = daemon, work, 0

    def control(self, *arguments):
        subprocess.run(["callgrind_control", *arguments, str(self.daemon.pid)], check=True, capture_output=True)

    def count(self, client, command, calls):
        """Instructions of one call."""
        client.ask(command, 20)
        self.control("--instr=on")
        self.control("--zero")
        client.ask(command, calls)
        self.dumps += 1
        self.control("--dump")
        self.control("--instr=off")
        text = pathlib.Path(f"{self.work}/callgrind.{self.daemon.pid}.{self.dumps}").read_text()
        return int(re.search(r"^totals: (\d+)", text, re.MULTILINE)[1]) / calls


def counted(settings, work, held):
    """Instructions of each command in a daemon that holds so many sockets."""
    prefix = ("valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={work}/callgrind.%p")
    with (peers.daemon(work, prefix=prefix) as daemon, peers.echo() as echo,
          peers.calls(daemon, "unix", echo) as client):
        client.ask("hold", held)
        callgrind = Callgrind(daemon, work)
        return {command: [callgrind.count(client, f"ours.{command}", settings.instructions) for _ in range(2)]
                for command in ("get", "send_receive", "open_close")}


def instructions(settings, work):
    """Instructions in the daemon of a call on one socket, with 15,000 held against the same with 10."""
    if not shutil.which("callgrind_control"):
        raise peers.Missing("there is no valgrind: ./dev setup bench")
    many_ = most_sockets(settings.sockets)
    few, crowd = counted(settings, work, 10), counted(settings, work, many_)
    for command, what in (("get", "get"), ("send_receive", "send + receive"), ("open_close", "open + close")):
        yield Line("instructions", f"{what}, {many_:,} held", "thousand", [each / 1000 for each in crowd[command]],
                   "10 held", [each / 1000 for each in few[command]], "<= 1.1 x")
