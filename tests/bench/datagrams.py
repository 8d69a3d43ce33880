"""Rows about datagrams: how many a second get through."""

import peers
from bulk import DIRECTIONS, TRANSPORTS, rounds
from report import Line
from rows import interleaved

BATCH = 64
WAYS = {f"{prefix}{direction}": f"{direction}, {{size:,}} B, {words}" for prefix, words in
        {"": "one call at a time", "attached.": "attached"}.items() for direction in DIRECTIONS}


def datagrams(settings, work):
    """Datagrams of 64 and of 1,200 bytes through the daemon in batches of 64, against sendmmsg and recvmmsg on the spot."""
    with peers.daemon(work) as daemon:
        for transport, words in TRANSPORTS.items():
            with peers.Client(peers.PROGRAMS / "datagrams", daemon.endpoint(transport)) as client:
                for size in (64, 1_200):
                    sides = [lambda words=(way, size, BATCH, settings.milliseconds): client.ask(*words)["per_s"]
                             for way in ("local", *WAYS)]
                    local, *ours = interleaved(rounds(settings), *sides)
                    for what, figures in zip(WAYS.values(), ours):
                        yield Line("datagrams", f"{what.format(size=size)}, {words}", "/s", figures, "a local program", local)
