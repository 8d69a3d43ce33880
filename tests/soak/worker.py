"""One caller of the soak: worker.py ADDRESS DIRECTORY SEED. Until SIGTERM, or until it is killed, which is part of it."""

import os
import random
import signal
import sys
import threading

from contract import Client, pb
from operations import OPERATIONS

TTL = 10  # seconds; of a worker that is killed nothing is left by then
PAUSE = 0.005  # seconds: the load is to last, not to fill the machine


class Worker:
    def __init__(self, address, directory, seed):
        self.client = Client(address)
        self.directory = directory
        self.random = random.Random(seed)
        self.session = self.client.create_session(TTL).name
        self._hold = self.client.hold(self.session)
        self.sockets = self.client.in_session(self.session).sockets
        self._names = 0

    def name(self):
        """A new one, also for the id of a socket."""
        self._names += 1
        return f"w{os.getpid()}-{self._names}"

    def open(self, **request):
        return self.sockets.OpenSocket(pb.OpenSocketRequest(**request)).socket

    def close(self, socket):
        self.sockets.CloseSocket(pb.CloseSocketRequest(name=socket.name))

    def work(self, stop):
        done = 0
        while not stop.wait(PAUSE):
            self.random.choice(OPERATIONS)(self)
            done += 1
        self.client.end_session(self.session)
        self.client.close()
        return done


def main(address, directory, seed):
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    print(Worker(address, directory, seed).work(stop), flush=True)


main(*sys.argv[1:])
