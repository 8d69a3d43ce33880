"""What the workers of the soak do: each @operation is done over and over, at random, and leaves nothing open.

An operation takes a Worker. It raises AssertionError when an answer is not what it must be; what a call may fail with, it
says itself. A new kind of call gets its operation here, or in a file of its own that this one imports.
"""

import grpc
from contract import await_pb, data_pb, duration, endpoint_pb, error_of, inet, pb, socket_pb, watch_pb

STREAM = socket_pb.SOCKET_TYPE_STREAM
DGRAM = socket_pb.SOCKET_TYPE_DGRAM
SEQPACKET = socket_pb.SOCKET_TYPE_SEQPACKET
PATIENCE = 60  # seconds; a call that takes so long hangs

OPERATIONS = []


def operation(function):
    OPERATIONS.append(function)
    return function


def assert_fails(call, *codes):
    """The error of a future, which must have one of these codes."""
    error = call.exception(timeout=PATIENCE)
    assert error is not None and error.code() in codes, f"not one of {codes}: {error}"
    return error


def unix(worker, kind):
    name = worker.name().encode()
    if kind == "abstract":
        return endpoint_pb.Endpoint(unix_domain=endpoint_pb.UnixEndpoint(abstract_name=name))
    return endpoint_pb.Endpoint(unix_domain=endpoint_pb.UnixEndpoint(path=worker.directory.encode() + b"/" + name))


def somewhere(worker):
    """An endpoint to bind, of any family."""
    return worker.random.choice([lambda: inet(0), lambda: inet(0, "::1"), lambda: unix(worker, "abstract"),
                                 lambda: unix(worker, "path")])()


def pair(worker, kind):
    """(listener, client, server), connected."""
    listener = worker.open(type=kind, bind=unix(worker, "path") if kind == SEQPACKET else somewhere(worker),
                           listen=pb.Listen())
    client = worker.open(type=kind, connect=listener.local)
    return listener, client, worker.sockets.AcceptSocket(pb.AcceptSocketRequest(name=listener.name),
                                                         timeout=PATIENCE).socket


def close_all(worker, *sockets):
    for socket in worker.random.sample(sockets, len(sockets)):
        worker.close(socket)


@operation
def stream(worker):
    """Bytes through a stream of any family: as many, and the same."""
    listener, client, server = pair(worker, STREAM)
    data = worker.random.randbytes(worker.random.choice([1, 100, 4096, 100_000]))
    sent = worker.sockets.SendData.future(data_pb.SendDataRequest(name=client.name, data=data, mode=data_pb.MODE_WHOLE))
    got = worker.sockets.ReceiveData(data_pb.ReceiveDataRequest(name=server.name, max_bytes=len(data),
                                                                mode=data_pb.MODE_WHOLE), timeout=PATIENCE)
    assert got.data == data and sent.result(timeout=PATIENCE).bytes_sent == len(data)
    worker.sockets.ShutdownSocket(pb.ShutdownSocketRequest(name=client.name, direction=pb.DIRECTION_WRITE))
    end = worker.sockets.ReceiveData(data_pb.ReceiveDataRequest(name=server.name), timeout=PATIENCE)
    assert end.end_of_stream
    close_all(worker, listener, client, server)


@operation
def records(worker):
    listener, client, server = pair(worker, SEQPACKET)
    exchange(worker, client, server)
    close_all(worker, listener, client, server)


@operation
def datagrams(worker):
    receiver = worker.open(type=DGRAM, bind=somewhere(worker))
    sender = worker.open(type=DGRAM, connect=receiver.local)
    exchange(worker, sender, receiver)
    close_all(worker, receiver, sender)


def exchange(worker, sender, receiver):
    payloads = [worker.random.randbytes(worker.random.randrange(1000)) for _ in range(worker.random.randrange(1, 8))]
    worker.sockets.SendDatagrams(data_pb.SendDatagramsRequest(
        name=sender.name, datagrams=[{"payload": payload} for payload in payloads], mode=data_pb.MODE_WHOLE))
    got = worker.sockets.ReceiveDatagrams(data_pb.ReceiveDatagramsRequest(
        name=receiver.name, max_datagrams=len(payloads), mode=data_pb.MODE_WHOLE), timeout=PATIENCE)
    assert [datagram.payload for datagram in got.datagrams] == payloads


@operation
def waits_that_end(worker):
    """Calls that wait end in each way there is: cancelled, by their deadline, by their timeout, by the close."""
    listener, client, server = pair(worker, STREAM)
    receive, accept, wait = worker.sockets.ReceiveData, worker.sockets.AcceptSocket, worker.sockets.AwaitSockets
    item = await_pb.AwaitItem(name=server.name, condition=await_pb.CONDITION_PEER_CLOSED)
    cancelled = [receive.future(data_pb.ReceiveDataRequest(name=server.name)),
                 accept.future(pb.AcceptSocketRequest(name=listener.name)),
                 wait.future(await_pb.AwaitSocketsRequest(items=[item]))]
    soon = worker.random.uniform(0.001, 0.05)
    late = [receive.future(data_pb.ReceiveDataRequest(name=server.name), timeout=soon),
            accept.future(pb.AcceptSocketRequest(name=listener.name), timeout=soon),
            wait.future(await_pb.AwaitSocketsRequest(items=[item]), timeout=soon)]
    timed = [receive.future(data_pb.ReceiveDataRequest(name=server.name, timeout=duration(soon))),
             accept.future(pb.AcceptSocketRequest(name=listener.name, timeout=duration(soon)))]
    closed = [receive.future(data_pb.ReceiveDataRequest(name=client.name)),
              accept.future(pb.AcceptSocketRequest(name=listener.name))]
    for call in worker.random.sample(cancelled, len(cancelled)):
        call.cancel()
    for call in late:
        assert_fails(call, grpc.StatusCode.DEADLINE_EXCEEDED)
    for call in timed:
        assert call.result(timeout=PATIENCE).timed_out
    worker.sockets.UpdateSocket(pb.UpdateSocketRequest(
        socket=socket_pb.Socket(name=client.name, labels={"soak": "yes"}), update_mask={"paths": ["labels"]}))
    worker.close(listener)
    worker.close(client)
    for call in closed:
        assert_fails(call, grpc.StatusCode.ABORTED, grpc.StatusCode.NOT_FOUND)
    worker.close(server)


@operation
def opens_cancelled(worker):
    """Opens and connects that are given up at any moment; what became of them is the session's."""
    full = worker.open(type=STREAM, bind=inet(0), listen=pb.Listen(backlog=0))
    first = worker.open(type=STREAM, connect=full.local)
    calls = [worker.sockets.OpenSocket.future(pb.OpenSocketRequest(type=STREAM, connect=full.local)) for _ in range(3)]
    worker.random.choice(calls).cancel()
    timed = worker.sockets.OpenSocket(pb.OpenSocketRequest(type=STREAM, connect=full.local, timeout=duration(0.005)))
    assert timed.timed_out
    close_all(worker, full, first)
    for call in calls:
        call.cancel()
        if not call.cancelled():
            assert_fails(call, *grpc.StatusCode)


@operation
def name_that_appears(worker):
    name = worker.name()
    item = await_pb.AwaitItem(name=f"sockets/{name}", condition=await_pb.CONDITION_LISTENING, allow_missing=True)
    wait = worker.sockets.AwaitSockets.future(await_pb.AwaitSocketsRequest(items=[item]))
    listener = worker.open(socket_id=name, type=STREAM, bind=inet(0), listen=pb.Listen())
    assert wait.result(timeout=PATIENCE).results[0].socket.uid == listener.uid
    worker.close(listener)


@operation
def refusals(worker):
    closed = worker.open(type=STREAM, bind=inet(0))
    refused = worker.sockets.OpenSocket.future(pb.OpenSocketRequest(type=STREAM, connect=closed.local))
    assert_fails(refused, grpc.StatusCode.FAILED_PRECONDITION)
    worker.close(closed)
    assert worker.sockets.GetSocket(pb.GetSocketRequest(name=closed.name)).state == socket_pb.STATE_CLOSED
    assert_fails(worker.sockets.GetSocketOptions.future(pb.GetSocketOptionsRequest(name=closed.name)),
                 grpc.StatusCode.NOT_FOUND)


@operation
def repeats(worker):
    """A request_id: the same request again, at once and later, is the same socket; another request is refused."""
    request = pb.OpenSocketRequest(type=DGRAM, bind=inet(0), request_id=worker.name())
    calls = [worker.sockets.OpenSocket.future(request) for _ in range(3)]
    uids = {call.result(timeout=PATIENCE).socket.uid for call in calls}
    socket = worker.sockets.OpenSocket(request).socket
    assert uids == {socket.uid}
    other = pb.OpenSocketRequest(type=STREAM, bind=inet(0), request_id=request.request_id)
    error = assert_fails(worker.sockets.OpenSocket.future(other), grpc.StatusCode.INVALID_ARGUMENT)
    assert error_of(error)[0].reason == "REQUEST_ID_REUSED"
    worker.close(socket)


@operation
def session_that_ends(worker):
    """With calls in it, or without a word: then its lease runs out."""
    session = worker.client.create_session(ttl=1, grace=worker.random.choice([0, 0.5]))
    within = worker.client.in_session(session.name).sockets
    opened = [within.OpenSocket(pb.OpenSocketRequest(type=DGRAM, bind=somewhere(worker))).socket for _ in range(5)]
    calls = [within.ReceiveDatagrams.future(data_pb.ReceiveDatagramsRequest(name=socket.name)) for socket in opened]
    if worker.random.random() < 0.5:
        for call in calls:
            call.cancel()
        return
    worker.client.end_session(session.name)
    for call in calls:
        assert_fails(call, grpc.StatusCode.ABORTED, grpc.StatusCode.NOT_FOUND)


@operation
def transfer(worker):
    session = worker.client.create_session(ttl=5)
    within = worker.client.in_session(session.name).sockets
    socket = within.OpenSocket(pb.OpenSocketRequest(type=DGRAM, bind=inet(0))).socket
    call = worker.sockets.ReceiveDatagrams.future(data_pb.ReceiveDatagramsRequest(name=socket.name))
    worker.sockets.TransferSocket(pb.TransferSocketRequest(name=socket.name, session=worker.session))
    worker.client.end_session(session.name)
    exchange_with = worker.open(type=DGRAM, connect=socket.local)
    worker.sockets.SendDatagrams(data_pb.SendDatagramsRequest(name=exchange_with.name, datagrams=[{"payload": b"x"}]))
    assert call.result(timeout=PATIENCE).datagrams[0].payload == b"x"
    close_all(worker, socket, exchange_with)


@operation
def watch(worker):
    """Cut, and resumed where it was: what happened in between is told."""
    stream = worker.sockets.WatchSockets(watch_pb.WatchSocketsRequest(), timeout=PATIENCE)
    revision = next(answer.revision for answer in stream if answer.snapshot_complete)
    stream.cancel()
    socket = worker.open(type=DGRAM, bind=inet(0))
    worker.close(socket)
    stream = worker.sockets.WatchSockets(watch_pb.WatchSocketsRequest(revision=revision), timeout=PATIENCE)
    seen = []
    for answer in stream:
        seen += [change.kind for change in answer.changes if change.socket.uid == socket.uid]
        if watch_pb.CHANGE_KIND_CLOSED in seen:
            break
    stream.cancel()
    assert seen[0] == watch_pb.CHANGE_KIND_OPENED, seen
