#!/usr/bin/python3
"""Floods a daemon from an address of its own until its standard input ends: flooder.py KIND HOST PORT CA-FILE.
Prints a line when it has begun, and one with how many connections it made."""

import collections
import itertools
import pathlib
import socket
import ssl
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import floods
import http2

SOURCE = "127.0.0.2"
PER_SECOND = 1_000  # so that a daemon that accepts faster does not get the larger flood
KEPT = 600  # connections at once, more than there may be
FRAMES = {"headers": lambda: floods.repeated(http2.frame(http2.HEADERS, http2.END_HEADERS, 1, floods.HEAD)),
          "pings": floods.FRAME_FLOODS["PING"], "messages": floods.STREAM_FLOODS["messages that do not go on"]}


def context(ca):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.load_verify_locations(ca)
    made.set_alpn_protocols(["h2"])
    return made


def hello(tls):
    """What a client sends first."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    try:
        tls.wrap_bio(incoming, outgoing, server_hostname="localhost").do_handshake()
    except ssl.SSLWantReadError:
        return outgoing.read()


def connections(address, first):
    """PER_SECOND, each left as it is, and sends `first`."""
    kept = collections.deque()
    begun = time.monotonic()
    for number in itertools.count():
        time.sleep(max(0, begun + number / PER_SECOND - time.monotonic()))  # because the rate is what is set
        if len(kept) == KEPT:
            kept.popleft().close()
        try:
            made = socket.create_connection(address, 5, (SOURCE, 0))
            # Reset in the end, or all ports would soon be in TIME_WAIT.
            made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            kept.append(made)
            made.sendall(first)
            yield True
        except OSError:
            yield False


def frames(address, tls, pieces):
    """Connections on which all is sent that is taken; a new one when it is cut off."""
    while True:
        try:
            with tls.wrap_socket(socket.create_connection(address, 5, (SOURCE, 0)), server_hostname="localhost") as made:
                made.settimeout(1)
                http2.open_settled(made)
                for piece in pieces():
                    made.sendall(piece)
                    if stopped.is_set():
                        return
        except OSError:
            pass
        yield True


def flood():
    kind, host, port, ca = sys.argv[1:]
    address, tls = (host, int(port)), context(ca)
    ways = {"silent": lambda: connections(address, b""), "hellos": lambda: connections(address, hello(tls))}
    return ways.get(kind, lambda: frames(address, tls, FRAMES[kind]))()


stopped = threading.Event()


def main():
    threading.Thread(target=lambda: (sys.stdin.read(), stopped.set()), daemon=True).start()
    print("begun", flush=True)
    made = 0
    for went_well in flood():
        made += went_well
        if stopped.is_set():
            break
    print(made, flush=True)


if __name__ == "__main__":
    main()
