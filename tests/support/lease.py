"""A daemon, a caller that will die (lease_client.py), and one of the same identity who sees what becomes of its sockets."""

import base64
import json
import os
import pathlib
import queue
import subprocess
import sys
import threading
import time

import grpc
from contract import Client, endpoint_pb, host_pb, pb, socket_pb, watch_pb
from daemon import DaemonTest

CLIENT = pathlib.Path(__file__).with_name("lease_client.py")
PATIENCE = 30  # seconds; for what has no time of its own


class Closings:
    """The sockets that were closed, each as it was last, with when it was told."""

    def __init__(self, client):
        self._seen = queue.Queue()
        self._stream = client.sockets.WatchSockets(watch_pb.WatchSocketsRequest())
        next(self._stream)  # the snapshot: from now on nothing is missed
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        try:
            for answer in self._stream:
                for change in answer.changes:
                    if change.kind == watch_pb.CHANGE_KIND_CLOSED:
                        self._seen.put((change.socket, time.monotonic()))
        except grpc.RpcError:
            pass  # it was cancelled, or the daemon stops

    def next(self, timeout=PATIENCE):
        return self._seen.get(timeout=timeout)

    def none_yet(self):
        return self._seen.empty()

    def cancel(self):
        self._stream.cancel()


class LeaseTest(DaemonTest):
    OBSERVED = 1  # calls of the observer that go on: its watch

    def serve(self, address):
        self.daemon = self.start("--listen", address, "--loops", "2")
        self.observe(self.daemon.address)

    def observe(self, address):
        self.observer = Client(address)
        self.addCleanup(self.observer.close)
        self.closings = Closings(self.observer)
        self.addCleanup(self.closings.cancel)
        self.paths = self.directory / "paths"
        self.paths.mkdir()
        self.warm_up(address)
        self.baseline = self.daemon.descriptors()

    def warm_up(self, address):
        """Whatever the daemon's libraries open once and keep."""
        other = Client(address)
        other.hosts.GetHost(host_pb.GetHostRequest())
        other.close()

        def it_has_left():  # its connection is no longer counted a moment before the descriptor is closed
            self.assertEqual(1, self.usage().connections)
            sockets = [each for each in self.daemon.descriptors() if each.startswith("socket:")]
            self.assertEqual(len(self.daemon.addresses) + 1, len(sockets))

        self.eventually(it_has_left)

    def usage(self):
        return self.observer.hosts.GetHost(host_pb.GetHostRequest()).usage

    def eventually(self, check, within=PATIENCE):
        """Until an assertion holds that is one call to the daemon, or a look at the system, away."""
        until = time.monotonic() + within
        while True:
            try:
                return check()
            except AssertionError:
                if time.monotonic() > until:
                    raise

    def spawn(self, *arguments, prefix=(), **popen):
        """A client's process. Its temporary files, which it will not remove, go with the test's."""
        client = subprocess.Popen([*prefix, sys.executable, str(CLIENT), *map(str, arguments)], text=True,
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  env={**os.environ, "TMPDIR": str(self.directory)}, **popen)
        self.addCleanup(client.stdin.close)
        self.addCleanup(client.stdout.close)
        self.addCleanup(client.wait)
        self.addCleanup(client.kill)
        return client

    def begin(self, ttl=2, grace=0):
        """A client with all its sockets."""
        self.client = self.spawn(self.daemon.address, self.paths, ttl, grace)
        self.await_sockets()

    def await_sockets(self):
        self.session = self.line()["session"]
        self.connected = self.daemon.descriptors()
        self.go_on()
        self.held = self.line()
        self.assertGreaterEqual(self.held["sockets"], 200)
        self.assertGreaterEqual(self.held["calls"], 100)
        self.eventually(lambda: self.assertEqual(self.held["calls"] + self.OBSERVED + 1, self.usage().calls))
        # The open and the accepts that wait have names already, and no sockets that would be listed.
        self.assertGreater(self.usage().sockets, self.held["sockets"])
        self.assertEqual(self.held["sockets"], len(self.listed()))
        self.assertNotEqual([], os.listdir(self.paths))

    def go_on(self):
        self.client.stdin.write("\n")
        self.client.stdin.flush()

    def line(self):
        text = self.client.stdout.readline()
        self.assertNotEqual("", text, "the client died too soon")
        return json.loads(text)

    def listed(self):
        """The names of all sockets of the client's identity."""
        found, token = [], ""
        while True:
            page = self.observer.sockets.ListSockets(pb.ListSocketsRequest(page_size=1000, page_token=token))
            found += [socket.name for socket in page.sockets]
            token = page.next_page_token
            if not token:
                return found

    def assert_all_goes(self, death, within, left_open=None):
        """`death`: when. `left_open`: the sets of descriptors that may be left; else, those before the client came."""
        last = death
        for _ in range(self.held["sockets"]):
            socket, last = self.closings.next(timeout=max(0.1, death + within - time.monotonic()))
            self.assertEqual((self.session, socket_pb.STATE_CLOSED, socket_pb.CLOSE_REASON_LEASE_EXPIRED),
                             (socket.session, socket.state, socket.close_reason))
        print(f"{self.id().rpartition('.')[2]}: the last of {self.held['sockets']} sockets closed "
              f"{last - death:.2f} s after the death", flush=True)
        self.assertLess(last - death, within)

        def nothing_is_left():
            usage = self.usage()
            self.assertEqual((0, self.OBSERVED + 1, 1), (usage.sockets, usage.calls, usage.sessions))
            self.assertIn(self.daemon.descriptors(), left_open or [self.baseline])

        self.eventually(nothing_is_left, max(0, death + within - time.monotonic()))
        print(f"  its calls and descriptors {time.monotonic() - death:.2f} s after it", flush=True)
        self.assertEqual([], self.listed())
        self.assertEqual([], os.listdir(self.paths))
        self.assert_can_be_bound_again()

    def assert_can_be_bound_again(self):
        for kind, endpoint in self.held["bound"]:
            where = endpoint_pb.Endpoint.FromString(base64.b64decode(endpoint))
            again = self.observer.sockets.OpenSocket(pb.OpenSocketRequest(
                type=kind, bind=where, options={"reuseaddr": True})).socket
            self.observer.sockets.CloseSocket(pb.CloseSocketRequest(name=again.name))
            self.assertEqual(again.name, self.closings.next()[0].name)
