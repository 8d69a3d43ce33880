"""The processes that are measured, and those that measure."""

import json
import os
import pathlib
import re
import subprocess
import sys
import time

from report import ROOT

HERE = pathlib.Path(__file__).resolve().parent
BIN = pathlib.Path(os.environ.get("SOCKETEER_BIN", ROOT / "build/bin"))
PROGRAMS = pathlib.Path(os.environ.get("SOCKETEER_BENCHMARKS", BIN.parent / "benchmarks"))
PYTHON = "/usr/bin/python3"


class Missing(Exception):
    """A peer is not installed: what it is compared with is not run, and the results say so."""


class Peer:
    """A process that serves when the constructor returns; it announces `count` addresses. For a with statement."""

    def __init__(self, *command, count=1, env=None):
        self.process = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True, env=env)
        self.pid = self.process.pid
        lines = [self.process.stdout.readline().rstrip("\n") for _ in range(count)]
        self.addresses = [line.removeprefix("listening on ") for line in lines]
        if not all(line.startswith("listening on ") for line in lines):
            self.stop()
            sys.exit(f"bench: {command[0]} did not start: {lines}")

    def target(self, transport):
        """For gRPC: of its addresses the one of that transport, "unix" or "tcp"."""
        return next(("" if transport == "unix" else "ipv4:") + address for address in self.addresses
                    if address.startswith("unix:") == (transport == "unix"))

    def endpoint(self, transport):
        """The same for the client library."""
        return self.target(transport).removeprefix("ipv4:")

    @property
    def port(self):
        return self.target("tcp").rpartition(":")[2]

    def stop(self):
        self.process.terminate()
        self.process.communicate()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def daemon(work, *arguments, prefix=(), env=None):
    return Peer(*prefix, BIN / "socketeerd", "--listen", f"unix:{work}/daemon.sock", "--listen", "127.0.0.1:0",
                *arguments, count=2, env=env)


def bare(work):
    return Peer(PROGRAMS / "bare", work / "bare.sock", count=2)


def echo():
    return Peer(PROGRAMS / "echo")


def flood():
    return Peer(PROGRAMS / "flood")


def rpyc(work):
    if subprocess.run([PYTHON, "-c", "import rpyc"], capture_output=True).returncode != 0:
        raise Missing("there is no rpyc (Debian's python3-rpyc): ./dev setup bench")
    return Peer(PYTHON, HERE / "rpyc_peer.py", "serve", work / "rpyc.sock", count=2)


class Client:
    """A process that measures what its standard input says: NAME COUNT, or what else it understands."""

    def __init__(self, *command, **options):
        self.process = subprocess.Popen(list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, **options)

    def ask(self, name, *words):
        self.process.stdin.write(" ".join(map(str, (name, *(words or (1,))))) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            sys.exit(f"bench: {self.process.args[0]} ended at {name}")
        return json.loads(answer)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.communicate()


def calls(peer, transport, echo_peer, bare_peer=None, **options):
    bare_target = [bare_peer.target(transport)] if bare_peer else []
    return Client(PROGRAMS / "calls", peer.target(transport), echo_peer.port, *bare_target, **options)


def bulk(side, *arguments, **options):
    """The client of bulk transfers: bulk.cc tells the sides."""
    return Client(PROGRAMS / "bulk", side, *arguments, **options)


def descendants(pid):
    """The process and all that it has started."""
    children = {}
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            children.setdefault(int(stat.read_text().rpartition(")")[2].split()[1]), []).append(int(stat.parent.name))
        except OSError:
            continue  # it is gone
    found = [pid]
    for parent in found:
        found += children.get(parent, [])
    return found


def cpu_seconds(pid):
    """Of the process and all that it has started, the waited-for ones too."""
    total = 0
    for each in descendants(pid):
        try:
            fields = pathlib.Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
            total += time.clock_gettime((~each << 3) | 2)  # clock_getcpuclockid(3)
        except OSError:
            continue
        total += (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")
    return total


def peak_bytes(pid):
    """The most memory that it has had."""
    return int(re.search(r"^VmHWM:\s+(\d+) kB", pathlib.Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)[1]) * 1024


def switches(pid):
    """How often threads of the process have gone to sleep or been put aside, since each began."""
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        total += sum(map(int, re.findall(r"voluntary_ctxt_switches:\s+(\d+)", (task / "status").read_text())))
    return total


def anonymous_bytes(pid):
    rollup = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.search(r"^Anonymous: +(\d+) kB", rollup, re.MULTILINE)[1]) * 1024
