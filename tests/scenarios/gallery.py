"""The gallery: what is run together, and for each a change that makes it fail, with the exit code that says how."""

import json
import pathlib
import subprocess

from daemon import SOCKETEER
from eventually import eventually

HERE = pathlib.Path(__file__).resolve().parent
FAILED, UNEXPECTED, TIMED_OUT = 3, 4, 6

# Name: the files, each of which a program of its own runs at the same time, and mutants of the first: what stands there,
# what in its place, and the exit code.
GALLERY = {
    "half-close": (["half-close.yaml"], [
        ("expect: {end_of_stream: true}", "expect: {end_of_stream: false}", UNEXPECTED),
        ("direction: write", "direction: read", TIMED_OUT)]),
    "udp-loss": (["udp-loss.yaml"], [
        ("mod 2 0 counter drop", "mod 2 0 counter accept", UNEXPECTED),
        ("mod 2 0 counter drop", "mod 1 0 counter drop", TIMED_OUT)]),
    "firewall": (["firewall.yaml"], [
        ("dport ${port} drop", "dport ${port} accept", UNEXPECTED),
        ("ip saddr ${a_ip} tcp dport ${port} drop", "tcp dport ${port} drop", UNEXPECTED),
        ("reject with tcp reset", "drop", UNEXPECTED)]),
    "failover": (["failover.yaml"], [
        ("arping, ", "true, arping, ", TIMED_OUT),  # nobody is told
        ("close: {socket: primary}", "inspect: {socket: primary}", UNEXPECTED),
        ("text: from c}", "text: from b}", UNEXPECTED)]),
    "rendezvous": (["rendezvous.yaml"], [
        ('local: {not: "${address_for_b}"}', 'local: "${address_for_b}"', UNEXPECTED),
        ('kind: tcp, connect: "${address_for_c}"', 'kind: tcp, connect: "${a_ip}:1"', FAILED)]),
    "reset": (["reset.yaml"], [
        ("close: {socket: peer}", "shutdown: {socket: peer, direction: read}", TIMED_OUT),
        ("error: ECONNRESET", "error: EPIPE", UNEXPECTED)]),
    "slow-reader": (["slow-reader.yaml"], [
        ("[seq, 1, 100000]", "[seq, 100000, -1, 1]", UNEXPECTED),
        ("at-most: 100000", "at-most: 1", TIMED_OUT)]),
    "dns": (["dns.yaml"], [
        ("6c650000100001", "6c650000010001", UNEXPECTED),  # asks for an address, of which there is none
        ("123487", "123485", UNEXPECTED)]),
    "http": (["http.yaml"], [
        ("GET /hello.txt", "GET /goodbye.txt", UNEXPECTED),
        ('stdout: "green', 'stdout: "blue', UNEXPECTED)]),
    "unix": (["unix.yaml"], [
        ("/web.sock", "/no.sock", FAILED),
        ("error: ENOENT", "error: ECONNREFUSED", UNEXPECTED)]),
    "link-local": (["link-local.yaml"], [
        ("error: EINVAL", "error: ENETUNREACH", UNEXPECTED),
        ("interface: eth0", "interface: lo", FAILED)]),
    "meeting": (["meeting-first.yaml", "meeting-second.yaml"], [
        ("is it you", "who is it", UNEXPECTED)]),
}
ALONE = [files[0] for files, _ in GALLERY.values() if len(files) == 1]
TOGETHER = [files for files, _ in GALLERY.values() if len(files) > 1]


class Runs:
    """Programs `socketeer run` with their reports, all at the same time. `groups`: the files of each."""

    def __init__(self, hosts, groups, *arguments):
        self._reports = [hosts.directory / f"report-{number}.json" for number in range(len(groups))]
        programs = [subprocess.Popen([SOCKETEER, "run", *map(str, files), *arguments, "--json", str(report)],
                                     stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                     env=hosts.environment())
                    for files, report in zip(groups, self._reports)]
        self.said = [program.communicate()[0] for program in programs]
        self.codes = [program.returncode for program in programs]

    def verdicts(self):
        """(file, verdict, message) of each run of a scenario."""
        return [(pathlib.Path(run["file"]).name, run["verdict"], run.get("message", ""))
                for report in self._reports for run in json.loads(report.read_text())["scenarios"]]


def groups():
    """Of the whole gallery: all that stand alone in one program, and one for each of the others."""
    return [[HERE / name for name in ALONE], *([HERE / name] for files in TOGETHER for name in files)]


def mutate(name, number, directory):
    """Writes the files with that mutant of the first into the directory; (the groups, the exit code)."""
    files, mutants = GALLERY[name]
    before, after, code = mutants[number]
    text = (HERE / files[0]).read_text()
    assert before in text, f"{files[0]} has no {before!r}"
    text = text.replace(before, after, 1)
    if code == TIMED_OUT:
        text = text.replace("\nsteps:", "\nlimit: 2s\nsteps:", 1)
    (directory / files[0]).write_text(text)
    return [[directory / files[0]], *([HERE / other] for other in files[1:])], code


class Traces:
    """What the hosts had before, so that what is left over can be told."""

    def __init__(self, hosts):
        self._hosts = hosts
        hosts.sockets()  # the first call opens what a daemon keeps
        self._before = self._seen()

    def _seen(self):
        networks = [subprocess.run(self._hosts.on(name, *command), capture_output=True, text=True, check=True).stdout
                    for name in "abc" for command in [("nft", "list", "ruleset"), ("ip", "-brief", "address")]]
        return {"sockets": self._hosts.sockets(), "descriptors": self._hosts.descriptors(), "networks": networks}

    def assert_none(self):
        """Until the last connections are gone, too."""
        eventually(lambda: self._seen() == self._before, lambda: f"what was before, {self._before}: {self._seen()}")
