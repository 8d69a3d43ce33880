"""The bytes that we copy on the bulk path, counted: preload/copy_counter.cc."""

import os
import pathlib
import struct

import peers
from bulk import MEBIBYTE
from report import Line

CALLERS = ("the program", "Protobuf", "the standard library", "Abseil", "gRPC, asked by us", "gRPC", "others")
OURS = 5  # the first so many are on our account, whoever calls the libraries


class Counter:
    """The environment of a process whose copies are counted, and the counts."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.environment = os.environ | {"LD_PRELOAD": str(peers.PROGRAMS / "libcopy_counter.so"),
                                         "COPY_COUNTER": str(self.path)}

    def read(self):
        return struct.unpack(f"{len(CALLERS)}Q", self.path.read_bytes())

    def since(self, before):
        return [now - then for now, then in zip(self.read(), before)]


def counted(work, count):
    """(direction, "daemon" or "client", bytes copied by each of CALLERS), with `count` bytes moved."""
    counters = {"daemon": Counter(work / "daemon.copies"), "client": Counter(work / "client.copies")}
    with (peers.flood() as flood, peers.daemon(work, env=counters["daemon"].environment) as daemon,
          peers.bulk("library", daemon.endpoint("unix"), flood.port, env=counters["client"].environment) as client):
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
