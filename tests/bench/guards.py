"""Row: what a policy, quotas and an audit cost a call."""

import contextlib
import os

import peers
import rows
from report import Line

RULES = 50  # that are looked at before the one that matches

CASES = [("send, then receive", "ours.send_receive"), ("open + close", "ours.open_close")]


def policy(path):
    others = "".join(f"""
  - name: other{number}
    allow: [connect, send, receive]
    identities: [uid:{70_000 + number}, "spiffe://lab/agent{number}/*"]
    addresses: [10.{number}.0.0/16, "fd00:{number}::/32"]
    ports: [1-1023]""" for number in range(RULES))
    path.write_text(f"""
rules:{others}
  - name: mine
    allow: [connect, send, receive]
    identities: [uid:{os.getuid()}]
    addresses: [loopback]
  - name: basics
    allow: [open]
    identities: [uid:{os.getuid()}]
""")
    return path


def quotas(path):
    """None of which is ever reached."""
    path.write_text(f"""
total: {{sockets: 200, bytes_per_second: 100G, opens_per_second: 10M}}
quotas:
  - identities: [uid:{os.getuid()}]
    sockets: 100
    sessions: 10
    waiting_calls: 100
    bytes_per_second: 10G
    opens_per_second: 1M
""")
    return path


def guarded(settings, work):
    """A policy of 50 rules, quotas, an audit, and all of them: two calls of a daemon with, against one without."""
    given = {"policy": ["--policy", policy(work / "policy.yaml")], "quotas": ["--quotas", quotas(work / "quotas.yaml")],
             "audit": ["--audit", work / "audit.jsonl"]}
    sides = {"nothing": [], **given, "all three": [*sum(given.values(), [])]}
    sides["all three"][-1] = work / "audit-of-all.jsonl"
    with contextlib.ExitStack() as stack:
        echo = stack.enter_context(peers.echo())
        clients = {}
        for name, flags in sides.items():
            (work / name).mkdir()
            daemon = stack.enter_context(peers.daemon(work / name, *flags))
            clients[name] = stack.enter_context(peers.calls(daemon, "unix", echo))
        for what, command in CASES:
            figures = dict(zip(sides, rows.interleaved(
                settings.rounds, *(rows.Measured(client, command, settings.calls) for client in clients.values()))))
            plain = figures.pop("nothing")
            for name, times in figures.items():
                yield Line("guarded", f"{what}, with {name}", "us", times, "without", plain, "<= 1.05 x")
