"""A caller that will die: opens sockets of every kind in a session, has calls wait on half of them, says so, and lives
on until it is killed.

lease_client.py ADDRESS DIRECTORY TTL GRACE: DIRECTORY (on the daemon's host) is for the paths of UNIX sockets. Prints a line
of JSON when it has a session, which is when its connection is there and no socket yet: then it waits for a line. And one when
all calls are sent:
{"session": NAME, "sockets": COUNT, "calls": COUNT, "bound": [[TYPE, the endpoint in base64], ...]}.
"""

import base64
import json
import signal
import sys

from contract import Client, await_pb, data_pb, endpoint_pb, inet, pb, socket_pb

STREAM = socket_pb.SOCKET_TYPE_STREAM
DGRAM = socket_pb.SOCKET_TYPE_DGRAM
SEQPACKET = socket_pb.SOCKET_TYPE_SEQPACKET
REUSE = {"reuseaddr": True}  # so that the port can be bound again while connections to it are in TIME_WAIT
ROUNDS = 8
SOCKETS = 200
CALLS = 100


def path(name):
    return endpoint_pb.Endpoint(unix_domain=endpoint_pb.UnixEndpoint(path=name.encode()))


def abstract(name):
    return endpoint_pb.Endpoint(unix_domain=endpoint_pb.UnixEndpoint(abstract_name=name.encode()))


def both_families(port=0):
    return endpoint_pb.Endpoint(named=endpoint_pb.NamedEndpoint(port=port))


class Sockets:
    """What was opened, and the calls that could wait on it."""

    def __init__(self, client, directory):
        self.stub = client.sockets
        self.directory = directory
        self.opened = []
        self.bound = []
        self.waits = []  # functions that begin one each

    def open(self, **request):
        socket = self.stub.OpenSocket(pb.OpenSocketRequest(**request)).socket
        self.opened.append(socket)
        if "bind" in request:
            self.bound.append([socket.type, base64.b64encode(socket.local.SerializeToString()).decode()])
        return socket

    def wait(self, method, request):
        self.waits.append(lambda: method.future(request))

    def wait_until(self, name, condition):
        self.wait(self.stub.AwaitSockets,
                  await_pb.AwaitSocketsRequest(items=[await_pb.AwaitItem(name=name, condition=condition)]))

    def conversation(self, kind, where, to=lambda listener: listener.local):
        """A listener, a connection to it, and its other end."""
        listener = self.open(type=kind, bind=where, listen=pb.Listen(), options=REUSE)
        client = self.open(type=kind, connect=to(listener))
        server = self.stub.AcceptSocket(pb.AcceptSocketRequest(name=listener.name)).socket
        self.opened.append(server)
        self.wait(self.stub.AcceptSocket, pb.AcceptSocketRequest(name=listener.name))
        if kind == SEQPACKET:
            self.wait(self.stub.ReceiveDatagrams, data_pb.ReceiveDatagramsRequest(name=server.name))
        else:
            self.wait(self.stub.ReceiveData, data_pb.ReceiveDataRequest(name=server.name))
        self.wait_until(client.name, await_pb.CONDITION_PEER_CLOSED)

    def datagrams(self, where):
        socket = self.open(type=DGRAM, bind=where)
        self.wait(self.stub.ReceiveDatagrams, data_pb.ReceiveDatagramsRequest(name=socket.name))

    def round(self, number):
        self.conversation(STREAM, inet(0))
        self.conversation(STREAM, inet(0, "::1"))
        self.conversation(STREAM, both_families(), to=lambda listener: inet(listener.local.inet.port))
        self.conversation(STREAM, path(f"{self.directory}/stream-{number}"))
        self.conversation(STREAM, abstract(f"{self.directory}/stream-{number}"))
        self.conversation(SEQPACKET, path(f"{self.directory}/seqpacket-{number}"))
        self.datagrams(inet(0))
        self.datagrams(inet(0, "::1"))
        self.datagrams(both_families())
        self.datagrams(path(f"{self.directory}/dgram-{number}"))
        self.datagrams(abstract(f"{self.directory}/dgram-{number}"))

    def connects_that_wait(self):
        """To a listener whose queue is full. The last has no socket yet that would be listed."""
        full = self.open(type=STREAM, bind=inet(0), listen=pb.Listen(backlog=0), options=REUSE)
        self.open(type=STREAM, connect=full.local)
        begun = []
        for _ in range(4):
            socket = self.open(type=STREAM, family=socket_pb.FAMILY_INET)
            begun.append(lambda name=socket.name: self.stub.ConnectSocket.future(
                pb.ConnectSocketRequest(name=name, peer=full.local)))
        begun.append(lambda: self.stub.OpenSocket.future(pb.OpenSocketRequest(type=STREAM, connect=full.local)))
        self.waits[:0] = begun

    def open_all(self):
        for number in range(ROUNDS):
            self.round(number)
        self.connects_that_wait()
        while len(self.opened) < SOCKETS:
            self.open(type=DGRAM, bind=inet(0))


def main(address, directory, ttl, grace):
    first = Client(address)
    session = first.create_session(float(ttl), float(grace)).name
    print(json.dumps({"session": session}), flush=True)
    sys.stdin.readline()
    client = first.in_session(session)
    sockets = Sockets(client, directory)
    sockets.open_all()
    waiting = [begin() for begin in sockets.waits[:CALLS]]
    print(json.dumps({"session": session, "sockets": len(sockets.opened), "calls": len(waiting),
                      "bound": sockets.bound}), flush=True)
    signal.pause()


main(*sys.argv[1:])
