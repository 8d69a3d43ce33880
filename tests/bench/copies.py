"""The bytes that we copy on the bulk path, counted: preload/copy_counter.cc."""

import functools
import os
import pathlib
import re
import struct
import subprocess

import peers
from bulk import MEBIBYTE
from report import Line

CALLERS = ("the program", "Protobuf", "the standard library", "Abseil", "gRPC, asked by us", "gRPC", "others")
OURS = 5  # the first so many are on our account, whoever calls the libraries


REP_MOVS = re.compile(r"^\s*([0-9a-f]+):\t((?:[0-9a-f]{2} )+)\s*rep movs([bwlq])\b", re.MULTILINE)
UNITS = {"b": 1, "w": 2, "l": 4, "q": 8}


@functools.cache
def rep_movs(path):
    """Address, length and unit of each in a file."""
    code = subprocess.run(["objdump", "-d", "-j", ".text", path], capture_output=True, text=True, check=True).stdout
    return [f"{address} {len(octets.split())} {UNITS[unit]}" for address, octets, unit in REP_MOVS.findall(code)]


def sites(program):
    """The `rep movs` of a program and of the libraries that copy for it, as copy_counter.cc wants them."""
    linked = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    objects = {"program": program}
    for library in re.findall(r"=> (/\S*lib(?:absl_|protobuf|stdc\+\+)\S*)", linked):
        objects[pathlib.Path(library).name] = library
    for name, path in objects.items():
        yield from (f"{name} {each}" for each in rep_movs(path))


class Counter:
    """The environment of a process whose copies are counted, and the counts."""

    def __init__(self, path, program=None):
        """Without a `program` only what is copied by calls."""
        self.path = pathlib.Path(path)
        list_ = self.path.with_suffix(".sites")
        list_.write_text("".join(f"{each}\n" for each in (sites(program) if program else ())))
        self.environment = os.environ | {"LD_PRELOAD": str(peers.PROGRAMS / "libcopy_counter.so"),
                                         "COPY_COUNTER": str(self.path), "COPY_SITES": str(list_)}

    def read(self):
        return struct.unpack(f"{len(CALLERS)}Q", self.path.read_bytes())

    def since(self, before):
        return [now - then for now, then in zip(self.read(), before)]


def counted(work, count, side="library"):
    """(direction, "daemon" or "client", bytes copied by each of CALLERS), with `count` bytes moved by that client."""
    counters = {"daemon": Counter(work / "daemon.copies", peers.BIN / "socketeerd"),
                "client": Counter(work / "client.copies", peers.PROGRAMS / "bulk")}
    with (peers.flood() as flood, peers.daemon(work, env=counters["daemon"].environment) as daemon,
          peers.bulk(side, daemon.endpoint("unix"), flood.port, env=counters["client"].environment) as client):
        for direction in ("up", "down"):
            client.ask(direction, 64 << 10, 1, MEBIBYTE)  # what is made once is made
            before = {who: counter.read() for who, counter in counters.items()}
            client.ask(direction, 64 << 10, 1, count)
            for who, counter in counters.items():
                yield direction, who, counter.since(before[who])


def copies(settings, work):
    """Bytes copied on our account in the daemon and in the client library, of those moved through an attached socket."""
    count = 64 * MEBIBYTE
    for direction, who, copied in counted(work, count):
        shares = [100 * each / count for each in copied]
        yield Line("copies", f"{who}, {direction}, 64 KiB, of 64 MiB", "%", [sum(shares[:OURS])],
                   goal="<= 1", notes={f"{name} %": share for name, share in zip(CALLERS, shares)})
