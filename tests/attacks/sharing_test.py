"""A socket that is shared, in the hands of somebody who wants more than he was given, or keeps what was taken back."""

import pathlib
import socket
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import grpc  # noqa: E402
from attachment import Attachment  # noqa: E402
from contract import await_pb, data_pb, error_of, inet, pb, share_pb, socket_pb  # noqa: E402
from foreign_test import REQUESTS  # noqa: E402
from shared import (DGRAM, GUEST, ME, OBSERVE, PATIENCE, STREAM, USE, SharedTest, attach_open,  # noqa: E402
                    await_state, receive, send)

LOOKS = {"GetSocket", "GetSocketOptions", "AwaitSockets"}
OWNERS = {"CloseSocket", "UpdateSocket", "TransferSocket", "ShareSocket", "UnshareSocket"}


class EveryRpc(SharedTest):
    """A shared socket through every RPC that takes one; foreign_test.py has the one that is not shared."""

    def ask(self, client, method, made):
        call = getattr(client.sockets, method)(REQUESTS[method]({"name": made.name}), timeout=PATIENCE)
        return next(call) if method == "AttachSocket" else call

    def test_whoever_observes_changes_and_reads_nothing(self):
        made, peer = self.connected(socket_id="mine")
        self.share(made, OBSERVE)
        peer.sendall(b"secret")
        before = self.get(self.owner, made)
        for method in REQUESTS:
            with self.subTest(method=method):
                if method in LOOKS:
                    self.ask(self.guest, method, made)
                    continue
                error = self.assert_reason("GRANT_INSUFFICIENT", lambda: self.ask(self.guest, method, made))
                self.assertEqual(grpc.StatusCode.PERMISSION_DENIED, error.code())
                metadata = dict(error_of(error)[0].metadata)
                self.assertEqual({"granted": "OBSERVE", "needed": "OWNER" if method in OWNERS else "USE"}, metadata)
        self.assertEqual(before, self.get(self.owner, made))
        self.assertEqual({GUEST: OBSERVE}, self.grants(made))

    def test_whoever_uses_it_is_not_its_owner(self):
        made, _ = self.connected(socket_id="mine")
        self.share(made)
        for method in OWNERS:
            with self.subTest(method=method):
                error = self.assert_reason("GRANT_INSUFFICIENT", lambda: self.ask(self.guest, method, made))
                self.assertEqual("OWNER", error_of(error)[0].metadata["needed"])
        self.assertEqual({GUEST: USE}, self.grants(made))
        self.assertEqual(ME, self.get(self.guest, made).owner)

    def test_a_grant_is_for_one_socket_and_one_identity(self):
        made, _ = self.connected()
        other, _ = self.connected()
        self.share(made)
        for client, which in [(self.guest, other), (self.third, made), (self.third, other)]:
            for method in REQUESTS:
                with self.subTest(method=method):
                    self.assert_reason("SOCKET_NOT_FOUND", lambda: self.ask(client, method, which))

    def test_withdrawn_it_is_as_if_it_had_never_been(self):
        made, _ = self.connected(socket_id="mine")
        for access in [OBSERVE, USE]:
            self.share(made, access)
            self.unshare(made)
            for method in REQUESTS:
                with self.subTest(method=method):
                    error = self.error(lambda: self.ask(self.guest, method, made))
                    never = self.error(lambda: self.ask(self.guest, method, socket_pb.Socket(name="sockets/never")))
                    self.assertEqual(never.code(), error.code())
                    self.assertEqual(never.details().replace("never", "mine"), error.details())
        self.assertEqual([], list(self.guest.sockets.ListSockets(pb.ListSocketsRequest()).sockets))

    def test_whoever_uses_it_does_what_a_file_is_for(self):
        made = self.open(**STREAM)
        self.share(made)
        calls = self.guest.sockets
        calls.SetSocketOptions(pb.SetSocketOptionsRequest(name=made.name, options={"keepalive": True}))
        calls.BindSocket(pb.BindSocketRequest(name=made.name, local=inet(0)))
        local = calls.ListenSocket(pb.ListenSocketRequest(name=made.name)).local
        with socket.create_connection(("127.0.0.1", local.inet.port), PATIENCE) as peer:
            accepted = calls.AcceptSocket(pb.AcceptSocketRequest(name=made.name)).socket
            self.assertEqual(GUEST, accepted.owner)
            self.assertEqual("sessions/standing", accepted.session)
            self.assertEqual("", calls.GetSocket(pb.GetSocketRequest(name=made.name)).session)
            self.assert_reason("SOCKET_NOT_FOUND", lambda: self.get(self.owner, accepted))
            calls.SendData(send(accepted, b"hello"))
            self.assertEqual(b"hello", peer.recv(9))


class Withdrawn(SharedTest):
    """While something is under way."""

    def end_of(self, call):
        return self.assert_reason("GRANT_WITHDRAWN", call)

    def test_waiting_receive_and_accept_and_await(self):
        made, peer = self.connected()
        listener = self.listener()
        for each in [made, listener]:
            self.share(each)
        calls = [self.guest.sockets.ReceiveData.future(receive(made)),
                 self.guest.sockets.AcceptSocket.future(pb.AcceptSocketRequest(name=listener.name)),
                 self.guest.sockets.AwaitSockets.future(await_state(listener, await_pb.CONDITION_READABLE)),
                 self.guest.sockets.AwaitSockets.future(
                     await_state(made, await_pb.CONDITION_READABLE, allow_missing=True))]
        owners = [self.owner.sockets.AcceptSocket.future(pb.AcceptSocketRequest(name=listener.name)),
                  self.owner.sockets.AwaitSockets.future(await_state(made, await_pb.CONDITION_READABLE))]
        self.await_waiting(made, reads=1)
        self.await_waiting(listener, reads=2)
        self.owner.await_calls(6)
        for each in [made, listener]:
            self.unshare(each)
        for call in calls:
            error = self.end_of(call)
            self.assertEqual(grpc.StatusCode.ABORTED, error.code())
            told = error_of(error)[1]
            self.assertEqual((b"", b""), (told.local.SerializeToString(), told.peer.SerializeToString()), told)
            self.assertEqual(socket_pb.STATE_UNSPECIFIED, told.state, told)
        self.assertFalse(any(call.done() for call in owners), "the owner's calls go on")
        peer.sendall(b"for the owner")
        self.assertEqual(made.name, owners[1].result(PATIENCE).results[0].socket.name)
        self.assertEqual(b"for the owner", self.owner.sockets.ReceiveData(receive(made)).data)
        with socket.create_connection(("127.0.0.1", listener.local.inet.port)):
            self.assertEqual(ME, owners[0].result(PATIENCE).socket.owner)

    def test_to_observe_ends_what_uses_and_nothing_else(self):
        made, _ = self.connected()
        self.share(made)
        reading = self.guest.sockets.ReceiveData.future(receive(made))
        looking = self.guest.sockets.AwaitSockets.future(await_state(made, await_pb.CONDITION_PEER_CLOSED))
        self.await_waiting(made, reads=1)
        self.owner.await_calls(2)
        self.share(made, OBSERVE)
        self.end_of(reading)
        self.assertFalse(looking.done())
        self.unshare(made)
        self.end_of(looking)

    def test_one_who_waits_for_it_to_be_shared(self):
        made, _ = self.connected(socket_id="mine")
        for access in [OBSERVE, USE]:
            waiting = self.guest.sockets.AwaitSockets.future(
                await_state(made, await_pb.CONDITION_WRITABLE, allow_missing=True))
            self.owner.await_calls(1)
            self.share(made, access)
            self.assertEqual(made.name, waiting.result(PATIENCE).results[0].socket.name)
            self.unshare(made)

    def end_of_stream(self, attached):
        def read_on():
            for _ in attached.stream:
                pass
        return self.end_of(read_on)

    def test_a_stream_and_what_it_had_is_the_owners(self):
        made, peer = self.connected()
        self.share(made)
        attached = Attachment(self.guest, made.name, timeout=PATIENCE)
        attached.send(b"before")
        self.assertEqual(b"before", peer.recv(99))
        peer.sendall(b"one")
        self.assertEqual(b"one", attached.next("data").data)
        self.unshare(made)
        peer.sendall(b"two")
        self.assertEqual(b"two", self.owner.sockets.ReceiveData(receive(made)).data)
        self.end_of_stream(attached)
        # To come back with what it knew of the stream.
        error = self.error(lambda: next(self.guest.sockets.AttachSocket(
            iter([attach_open(made, resumes=attached.opened.attachment, receive_offset=0)]), timeout=PATIENCE)))
        self.assertEqual("SOCKET_NOT_FOUND", error_of(error)[0].reason)
        mine = Attachment(self.owner, made.name, timeout=PATIENCE)
        mine.send(b"after")
        self.assertEqual(b"after", peer.recv(99))
        mine.close()

    def test_a_stream_of_datagrams(self):
        made = self.open(**DGRAM, bind=inet(0))
        self.share(made)
        peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(peer.close)
        peer.bind(("127.0.0.1", 0))
        attached = Attachment(self.guest, made.name, timeout=PATIENCE)
        attached.send_to(inet(peer.getsockname()[1]))
        self.assertEqual(b"x", peer.recv(9))
        self.unshare(made)
        attached.send_to(inet(peer.getsockname()[1]), payload=b"late")
        self.end_of_stream(attached)
        peer.sendto(b"stays", ("127.0.0.1", made.local.inet.port))
        got = self.owner.sockets.ReceiveDatagrams(data_pb.ReceiveDatagramsRequest(name=made.name))
        self.assertEqual(b"stays", got.datagrams[0].payload)
        self.owner.sockets.SendDatagrams(data_pb.SendDatagramsRequest(name=made.name, datagrams=[
            data_pb.OutgoingDatagram(payload=b"owner's", destination=inet(peer.getsockname()[1]))]))
        self.assertEqual(b"owner's", peer.recv(9), "what came late was never sent")

    def test_a_listener(self):
        made = self.listener()
        self.share(made)
        attached = Attachment(self.guest, made.name, send_window=0, timeout=PATIENCE)
        with socket.create_connection(("127.0.0.1", made.local.inet.port)):
            accepted = attached.next("accepted").socket
            self.assertEqual(GUEST, accepted.owner)
            self.unshare(made)
            self.end_of_stream(attached)
            # What he accepted stays his, and is not told to the next who has the listener.
            self.assertEqual(GUEST, self.get(self.guest, accepted).owner)
            mine = Attachment(self.owner, made.name, send_window=0, timeout=PATIENCE)
            with socket.create_connection(("127.0.0.1", made.local.inet.port)):
                told = mine.next("accepted")
                if not told.HasField("socket"):
                    told = mine.next("accepted")
                self.assertEqual(ME, told.socket.owner)
            mine.close()

    def test_a_connection_that_another_accepted_is_not_told_again(self):
        made = self.listener()
        mine = Attachment(self.owner, made.name, send_window=0, timeout=PATIENCE)
        with socket.create_connection(("127.0.0.1", made.local.inet.port)):
            mine.next("accepted")
            mine.close()
            self.owner.await_calls(0)
            self.share(made)
            replay = pb.AcceptSocketRequest(name=made.name, sequence=0)
            self.assert_reason("ACCEPTED_BY_ANOTHER", lambda: self.guest.sockets.AcceptSocket(replay, timeout=PATIENCE))
            self.assertEqual(ME, self.owner.sockets.AcceptSocket(replay, timeout=PATIENCE).socket.owner)

    def test_not_one_byte_more(self):
        """A flood of sends and streams, and withdrawals in its midst: what the peer has when the answer is there, is all
        that it ever gets."""
        made, peer = self.connected()
        got = 0
        for round_ in range(30):
            self.share(made)
            over = threading.Event()
            floods = [threading.Thread(target=self.flood, args=(made, over, round_ % 2 == 0)) for _ in range(3)]
            for each in floods:
                each.start()
            begun = got
            while got - begun <= 20_000 * (round_ % 4):
                got += len(peer.recv(1 << 16))
            self.unshare(made)
            sent = self.get(self.owner, made).counters.bytes_sent
            over.set()
            for each in floods:
                each.join(PATIENCE)
            self.assertEqual(sent, self.get(self.owner, made).counters.bytes_sent)
            self.owner.sockets.SendData(send(made, b"!"))
            while got < sent:  # what the kernels had by then
                got += len(peer.recv(min(sent - got, 1 << 16)))
            self.assertEqual(b"!", peer.recv(9), "nothing of the flood is behind it")
            got += 1

    def flood(self, made, over, streams):
        try:
            while not over.is_set():
                if not streams:
                    self.guest.sockets.SendData(send(made, b"x" * 5_000), timeout=PATIENCE)
                    continue
                attached = Attachment(self.guest, made.name, send_window=1 << 20, timeout=PATIENCE)
                for _ in range(200):
                    attached.send(b"y" * 5_000)
                for _ in attached.stream:
                    pass
        except (grpc.RpcError, AssertionError, StopIteration):
            pass  # refused, attached already, or withdrawn

    def test_not_one_datagram_more(self):
        made = self.open(**DGRAM, bind=inet(0))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.bind(("127.0.0.1", 0))
            to = inet(peer.getsockname()[1])
            for _ in range(20):
                self.share(made)
                attached = Attachment(self.guest, made.name, timeout=PATIENCE)
                for _ in range(50):
                    attached.send_to(*[to] * 20)
                attached.next("acknowledge")
                self.unshare(made)
                sent = self.get(self.owner, made).counters.datagrams_sent
                self.end_of_stream(attached)
                self.assertEqual(sent, self.get(self.owner, made).counters.datagrams_sent)

    def test_not_one_connection_more(self):
        made = self.listener()
        over = threading.Event()

        def connect():
            while not over.is_set():
                try:
                    socket.create_connection(("127.0.0.1", made.local.inet.port), timeout=1).close()
                except OSError:
                    pass  # while nobody accepts, the backlog is full
        flood = threading.Thread(target=connect)
        flood.start()
        try:
            for _ in range(10):
                self.share(made)
                attached = Attachment(self.guest, made.name, send_window=0, timeout=PATIENCE)
                attached.next("accepted")
                self.unshare(made)
                accepted = self.get(self.owner, made).counters.accepted
                self.end_of_stream(attached)
                self.assertEqual(accepted, self.get(self.owner, made).counters.accepted)
        finally:
            over.set()
            flood.join()

    def test_a_request_id_is_not_worth_anything_to_another(self):
        made, _ = self.connected(socket_id="mine")
        request = share_pb.ShareSocketRequest(name=made.name, identity=GUEST, access=USE, request_id="same")
        self.owner.sockets.ShareSocket(request)
        self.assert_reason("SOCKET_NOT_FOUND", lambda: self.third.sockets.ShareSocket(request, timeout=PATIENCE))
        self.unshare(made)
        # A repeat is answered from memory, and grants nothing anew.
        self.assertEqual([GUEST], [each.identity for each in self.owner.sockets.ShareSocket(request).grants])
        self.assertEqual({}, self.grants(made))
        self.assert_reason("SOCKET_NOT_FOUND", lambda: self.get(self.guest, made))


if __name__ == "__main__":
    unittest.main()
