"""What passes between each two hosts, found out by the CLI alone."""

import concurrent.futures
import itertools
import re

from compose import HOSTS, NETWORKS

PASSES = "passes"
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
    """The local address in `sockets/x  tcp4  LISTENING  198.18.1.1:80  -`."""
    return line.split()[3]


def network_of(one, other):
    """The network that both are in, or None; and an address of the other."""
    for name, members in NETWORKS.items():
        if one in members and other in members:
            return name, members[other]
    return None, next(members[other] for members in NETWORKS.values() if other in members)


def tcp(compose, one, other, address, name):
    labelled = ["--label", f"pair={name}", "--id"]
    server = call(compose, other, "open", "tcp", "--bind", f"{address}:0", "--listen", *labelled, f"{name}-server")
    call(compose, one, "open", "tcp", "--connect", address_of(server), *labelled, f"{name}-client")
    call(compose, other, "accept", f"{name}-server", *labelled, f"{name}-accepted")
    call(compose, one, "send", f"{name}-client", name)
    return call(compose, other, "recv", f"{name}-accepted")


def udp(compose, one, other, address, name):
    labelled = ["--label", f"pair={name}", "--id"]
    server = call(compose, other, "open", "udp", "--bind", f"{address}:0", *labelled, f"{name}-server")
    call(compose, one, "open", "udp", "--connect", address_of(server), *labelled, f"{name}-client")
    call(compose, one, "send", f"{name}-client", name)
    return call(compose, other, "recv", f"{name}-server")


def verdict(compose, protocol, one, other, address):
    """PASSES, or why not."""
    name = f"{protocol.__name__}-{one}-{other}"
    try:
        came = protocol(compose, one, other, address, name).rstrip("\n")
        return PASSES if came == name else f"other bytes came: {came!r}"
    except Failed as failed:
        return str(failed)
    finally:
        for host in (one, other):
            call(compose, host, "close", "--label", f"pair={name}")


def table(compose):
    """(from, to, network or None, TCP's verdict, UDP's) for each pair; all pairs at once."""
    def row(pair):
        network, address = network_of(*pair)
        return (*pair, network, *(verdict(compose, protocol, *pair, address) for protocol in (tcp, udp)))

    with concurrent.futures.ThreadPoolExecutor() as threads:
        return list(threads.map(row, itertools.permutations(HOSTS, 2)))


def show(rows):
    print(f"\n{'FROM':6}{'TO':4}{'NETWORK':9}{'TCP':14}UDP")
    for one, other, network, of_tcp, of_udp in rows:
        print(f"{one:6}{other:4}{network or '-':9}{of_tcp:14}{of_udp}", flush=True)
