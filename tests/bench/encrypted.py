"""Row: what TLS costs, and what ssh, which encrypts too, does with the same bytes."""

import contextlib
import os
import subprocess

import peers
import relays
import report
from bulk import DIRECTIONS, Flow, rounds
from report import Line
from rows import Measured, interleaved

CALLS = [("send, then receive", "library.send_receive"), ("open + close", "library.open_close")]
FRAME = 64 << 10


def lab(work):
    """Certificates for both ends: the daemon's flags, and the environment of its clients."""
    made = work / "lab"
    subprocess.run([peers.BIN / "socketeer", "cert", made, "--host", "localhost", "--client", "bench"], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    flags = ["--tls-cert", made / "localhost.pem", "--tls-key", made / "localhost.key", "--client-ca", made / "ca.pem"]
    paths = {"SOCKETEER_CA": "ca.pem", "SOCKETEER_CERT": "bench.pem", "SOCKETEER_KEY": "bench.key"}
    return flags, os.environ | {name: str(made / path) for name, path in paths.items()}


def calls(settings, plain, secret, environment, stack):
    echo = stack.enter_context(peers.echo())
    clients = [stack.enter_context(peers.calls(secret, "tcp", echo, env=environment)),
               stack.enter_context(peers.calls(plain, "tcp", echo))]
    for what, command in CALLS:
        ours, theirs = interleaved(settings.rounds, *(Measured(client, command, settings.calls) for client in clients))
        yield Line("tls", f"{what}, TLS", "us", ours, "plain text", theirs)


def bytes_in_bulk(settings, plain, secret, environment, work, stack):
    far = stack.enter_context(peers.flood())
    sides = {"TLS": (stack.enter_context(peers.bulk("library", secret.endpoint("tcp"), far.port, env=environment)),
                     [secret.pid]),
             "plain text": (stack.enter_context(peers.bulk("library", plain.endpoint("tcp"), far.port)), [plain.pid])}
    missing = None
    try:
        ssh = stack.enter_context(relays.Ssh(work, far.port))
        sides["ssh -L"] = stack.enter_context(peers.bulk("tcp", ssh.port)), ssh.pids
    except peers.Missing as why:
        missing = why
    for direction in DIRECTIONS:
        flows = {name: Flow(client, direction, FRAME, 1, settings.bytes, pids) for name, (client, pids) in sides.items()}
        figures = dict(zip(flows, interleaved(rounds(settings), *flows.values())))
        for name, goal in (("plain text", ""), ("ssh -L", ">= 2 x")):
            what = f"{direction}, 64 KiB, TLS"
            if name not in flows:
                yield report.missing("tls", what, name, missing)
                continue
            yield Line("tls", what, "GB/s", figures["TLS"], name, figures[name], goal)
            yield Line("tls", f"CPU per GiB, {what}", "s", flows["TLS"].cpu, name, flows[name].cpu)


def tls(settings, work):
    """TLS with certificates of both sides, over loopback TCP, against the same in plain text, and against ssh -L."""
    flags, environment = lab(work)
    (work / "secret").mkdir()
    with contextlib.ExitStack() as stack:
        plain = stack.enter_context(peers.daemon(work))
        secret = stack.enter_context(peers.daemon(work / "secret", *flags))
        yield from calls(settings, plain, secret, environment, stack)
        yield from bytes_in_bulk(settings, plain, secret, environment, work, stack)
