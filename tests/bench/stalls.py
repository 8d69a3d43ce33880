"""Rows about what sockets that move much, or do not move at all, do to others."""

import contextlib
import statistics
import sys
import threading

import peers
from bulk import DIRECTIONS, MEBIBYTE, Flow, rounds
from report import Line
from rows import interleaved

STALLS = {"reader": "clients that stop reading", "peer": "peers that stop reading"}


@contextlib.contextmanager
def moving(client, direction, count, rates):
    """Meanwhile bytes go one way through one socket, again and again; the rates are added."""
    stop = threading.Event()

    def move():
        while not stop.is_set():
            rates.append(client.ask(direction, 64 << 10, 1, count)["gb_s"])

    thread = threading.Thread(target=move)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def beside_bulk(settings, calls, name, client, words):
    """One kind of call beside one kind of bulk, both ways."""
    rates = {direction: [] for direction in DIRECTIONS}

    def alone():
        return calls.ask(name, settings.calls * 2)["p99_us"]

    def loaded(direction):
        with moving(client, direction, settings.bytes, rates[direction]):
            return alone()

    quiet, *loads = interleaved(min(settings.rounds, 5), alone, *(lambda way=way: loaded(way) for way in DIRECTIONS))
    for direction, figures in zip(DIRECTIONS, loads):
        yield Line("beside", f"p99 of {words} beside bulk {direction}", "us", figures, "alone", quiet,
                   notes={"bulk GB/s": statistics.median(rates[direction])})


def beside(settings, work):
    """p99 of a small call, 64 bytes sent and received, beside one socket's bulk at full speed, against alone."""
    with (peers.flood() as flood, peers.daemon(work) as daemon, peers.bare(work) as bare, peers.echo() as echo,
          peers.calls(daemon, "unix", echo, bare) as calls):
        with peers.bulk("library", daemon.endpoint("unix"), flood.port) as client:
            yield from beside_bulk(settings, calls, "ours.send_receive", client, "send + receive")
        with peers.bulk("bare", bare.endpoint("unix")) as client:
            yield from beside_bulk(settings, calls, "bare.send_receive", client, "two bare calls")


def beside_stalled(settings, work, kind, words):
    """One way of stalling: the others' rates, and the memory."""
    (work / "other").mkdir(parents=True)
    with (peers.flood() as flood, peers.daemon(work) as crowded, peers.daemon(work / "other") as free,
          peers.bulk("raw", crowded.endpoint("unix"), flood.port) as ours,
          peers.bulk("raw", free.endpoint("unix"), flood.port) as theirs):
        ours.ask("stall", kind, 50, 0)
        flows = [Flow(client, direction, 64 << 10, 50, settings.bytes)
                 for direction in DIRECTIONS for client in (ours, theirs)]
        figures = interleaved(rounds(settings), *flows)
        waiting = ours.ask("stall", "waiting", 0, 0)["bytes"] / MEBIBYTE
        if waiting < 50 * 0.75 / 4:  # three quarters of the windows
            sys.exit(f"bench: only {waiting} MiB wait: nothing is stalled")
        for index, direction in enumerate(DIRECTIONS):
            yield Line("stalled", f"50 sockets, {direction}, beside 50 of {words}", "GB/s", figures[2 * index],
                       "the 50 alone", figures[2 * index + 1], ">= 0.9 x", {"MiB that wait in stalled ones": waiting})
        yield Line("stalled", f"the daemon's peak memory, 50 of {words}", "MiB",
                   [peers.peak_bytes(crowded.pid) / MEBIBYTE], goal="<= 64",
                   notes={"without them, MiB": peers.peak_bytes(free.pid) / MEBIBYTE})


def stalled(settings, work):
    """100 attached sockets on one channel, windows of 256 KiB, 50 of them stalled: the rate of the other 50, and the memory."""
    for kind, words in STALLS.items():
        yield from beside_stalled(settings, work / kind, kind, words)
