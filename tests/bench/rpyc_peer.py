"""RPyC's remote sockets: a server and a client, each a process of its own.

  rpyc_peer.py serve UNIX_PATH          serves there and on a free port of 127.0.0.1, and prints both
  rpyc_peer.py ADDRESS ECHO_PORT        reads "NAME COUNT" a line, answers each with a line of JSON, as calls.cc does
  rpyc_peer.py ADDRESS FLOOD_PORT bulk  reads "up|down FRAME 1 BYTES", answers as bulk.cc does
"""

import json
import pathlib
import socket
import struct
import sys
import threading
import time

import rpyc
from rpyc.utils.server import ThreadedServer

PAYLOAD = b"x" * 64


def serve(path):
    pathlib.Path(path).unlink(missing_ok=True)  # of the server before: it does not clean up when it is terminated
    servers = [ThreadedServer(rpyc.SlaveService, socket_path=path),
               ThreadedServer(rpyc.SlaveService, hostname="127.0.0.1", port=0)]
    print(f"listening on unix:{path}\nlistening on 127.0.0.1:{servers[1].port}", flush=True)
    threading.Thread(target=servers[0].start, daemon=True).start()
    servers[1].start()


def measure(once, count):
    times = []
    for _ in range(count):
        start = time.perf_counter()
        once()
        times.append((time.perf_counter() - start) * 1e6)
    times.sort()
    return {"p50_us": times[count // 2], "p99_us": times[count * 99 // 100]}


def connect(address):
    if address.startswith("unix:"):
        return rpyc.classic.unix_connect(address.removeprefix("unix:"))
    return rpyc.classic.connect(*address.split(":"))


def client(address, echo_port):
    module = connect(address).modules.socket
    remote = module.socket()
    remote.connect(("127.0.0.1", int(echo_port)))

    def send_receive():
        remote.sendall(PAYLOAD)
        assert remote.recv(65536) == PAYLOAD

    def open_close():
        module.socket(module.AF_INET, module.SOCK_STREAM).close()

    # The second without the remote constants, for each of which RPyC also tells the server that it is gone: on TCP such a
    # message waits for a delayed acknowledgement.
    commands = {"send_receive": send_receive, "open_close": open_close,
                "open_close_defaults": lambda: module.socket().close()}
    for line in sys.stdin:
        name, count = line.split()
        print(json.dumps(measure(commands[name], int(count))), flush=True)


def move(module, port, direction, frame, count):
    """Through one socket, from its first byte to the far end's last (flood.cc)."""
    with module.socket() as remote:
        remote.connect(("127.0.0.1", port))
        cpu, start = time.process_time(), time.perf_counter()
        if direction == "up":
            remote.sendall(bytes(8))
            data = bytes(frame)
            for _ in range(count // frame):
                remote.sendall(data)
            remote.shutdown(socket.SHUT_WR)
            assert remote.recv(1) == b""
        else:
            remote.sendall(struct.pack("<Q", count))
            left = count
            while data := remote.recv(frame):
                left -= len(data)
            assert left == 0
        seconds = time.perf_counter() - start
        return {"gb_s": count / seconds / 1e9, "cpu_s": time.process_time() - cpu, "bytes": count}


def bulk(address, port):
    module = connect(address).modules.socket
    for line in sys.stdin:
        direction, frame, _, count = line.split()
        print(json.dumps(move(module, int(port), direction, int(frame), int(count))), flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2])
    elif sys.argv[3:] == ["bulk"]:
        bulk(*sys.argv[1:3])
    else:
        client(*sys.argv[1:])
