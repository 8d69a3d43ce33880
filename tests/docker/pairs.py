"""What passes between each two hosts, found out by the CLI alone."""

import itertools
import re

from compose import HOSTS, NETWORKS

PATIENCE = "10s"  # of each call: longer than the kernel takes to find that nobody has an address


class Failed(Exception):
    """Of a call of the CLI: why, in one word where it has one."""

    def __init__(self, run):
        errno = re.search(r"\((E[A-Z]+)\)", run.stderr)
        super().__init__(errno[1] if errno else {6: "timed out"}.get(run.returncode, run.stderr.strip()))


def call(compose, host, *arguments):
    run = compose.run(host, "--timeout", PATIENCE, *arguments)
    if run.returncode:
        raise Failed(run)
    return run.stdout


def address_of(line):
    """The local address in `sockets/x  tcp4  LISTENING  192.0.2.1:80  -`."""
    return line.split()[3]


def network_of(one, other):
    """The network that both are in, or None; and an address of the other."""
    for name, members in NETWORKS.items():
        if one in members and other in members:
            return name, members[other]
    return None, next(members[other] for members in NETWORKS.values() if other in members)


def tcp(compose, one, other, address):
    server = call(compose, other, "open", "tcp", "--bind", f"{address}:0", "--listen", "--id", "pair-server")
    call(compose, one, "open", "tcp", "--connect", address_of(server), "--id", "pair-client")
    call(compose, other, "accept", "pair-server", "--id", "pair-accepted")
    call(compose, one, "send", "pair-client", f"{one} to {other}")
    return call(compose, other, "recv", "pair-accepted")


def udp(compose, one, other, address):
    server = call(compose, other, "open", "udp", "--bind", f"{address}:0", "--id", "pair-server")
    call(compose, one, "open", "udp", "--connect", address_of(server), "--id", "pair-client")
    call(compose, one, "send", "pair-client", f"{one} to {other}")
    return call(compose, other, "recv", "pair-server")


def verdict(compose, protocol, one, other, address):
    """`passes`, or why not."""
    try:
        came = protocol(compose, one, other, address)
        return "passes" if came.rstrip("\n") == f"{one} to {other}" else f"other bytes came: {came!r}"
    except Failed as failed:
        return str(failed)
    finally:
        for host in (one, other):
            call(compose, host, "close", "--all")


def table(compose):
    """(from, to, network or None, TCP's verdict, UDP's) for each pair."""
    rows = []
    for one, other in itertools.permutations(HOSTS, 2):
        network, address = network_of(one, other)
        rows.append((one, other, network, *(verdict(compose, protocol, one, other, address) for protocol in (tcp, udp))))
    return rows


def show(rows):
    print(f"\n{'FROM':6}{'TO':4}{'NETWORK':9}{'TCP':14}UDP")
    for one, other, network, of_tcp, of_udp in rows:
        print(f"{one:6}{other:4}{network or '-':9}{of_tcp:14}{of_udp}", flush=True)
