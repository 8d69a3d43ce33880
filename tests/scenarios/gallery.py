"""The gallery: what is run together, and for each a change that makes it fail, with the exit code that says how."""

import contextlib
import pathlib
import re
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
UNEXPECTED, FAILED, TIMED_OUT = 4, 3, 6

# Name: the files, which run at the same time as programs of their own, and the mutants: (what stands there, what in its
# place, the exit code), in the first file.
GALLERY = {
    "half-close": (["half-close.yaml"], [
        ("expect: {end_of_stream: true}", "expect: {end_of_stream: false}", UNEXPECTED),
        ("shutdown: {socket: client, direction: write}", "shutdown: {socket: client, direction: read}", TIMED_OUT)]),
    "udp-loss": (["udp-loss.yaml"], [
        ("mod 2 0 counter drop", "mod 2 0 counter accept", UNEXPECTED),
        ("mod 2 0 counter drop", "mod 1 0 counter drop", TIMED_OUT)]),
    "firewall": (["firewall.yaml"], [
        ("counter ${verdict}", "counter accept", UNEXPECTED),
        ("ip saddr ${a_ip} tcp", "tcp", UNEXPECTED)]),
    "failover": (["failover.yaml"], [
        ("close: {socket: primary}", "inspect: {socket: primary}", UNEXPECTED),
        ("text: from c}", "text: from b}", UNEXPECTED)]),
    "rendezvous": (["rendezvous.yaml"], [
        ('local: {not: "${address_for_b}"}', 'local: "${address_for_b}"', UNEXPECTED),
        ('kind: tcp, connect: "${address_for_c}"', 'kind: tcp, connect: "${a_ip}:1"', FAILED)]),
    "reset": (["reset.yaml"], [
        ("options: {linger: 0}", "options: {nodelay: on}", UNEXPECTED),
        ("error: ECONNRESET", "error: EPIPE", UNEXPECTED)]),
    "slow-reader": (["slow-reader.yaml"], [
        ("[seq, 1, 100000]", "[seq, 100000, -1, 1]", UNEXPECTED),
        ("sndbuf: 4096", "sndbuf: 1000000", TIMED_OUT)]),
    "dns": (["dns.yaml"], [
        ("big.example TXT IN", "none.example", 0),
        ("matches: \"123487", "matches: \"123485", UNEXPECTED)]),
    "http": (["http.yaml"], [
        ("GET /hello.txt", "GET /goodbye.txt", UNEXPECTED),
        ("green, black and white\\n\"}", "green, black and green\\n\"}", UNEXPECTED)]),
    "unix": (["unix.yaml"], [
        ("/web.sock", "/no.sock", FAILED),
        ("error: ENOENT", "error: ECONNREFUSED", UNEXPECTED)]),
    "link-local": (["link-local.yaml"], [
        ("error: EINVAL", "error: ENETUNREACH", UNEXPECTED),
        ("interface: eth0", "interface: lo", FAILED)]),
    "meeting": (["meeting-first.yaml", "meeting-second.yaml"], [
        ("text: \"is it you\"", "text: \"who is it\"", UNEXPECTED)]),
}
