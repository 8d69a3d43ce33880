"""Leases of callers that live: what keeps a session, what does not, and what becomes of its sockets and calls."""

import os
import pathlib
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import at_once  # noqa: E402
import grpc  # noqa: E402
from contract import (Client, await_pb, data_pb, duration, error_of, host_pb, inet, pb, session_pb,  # noqa: E402
                      socket_pb)
from lease import PATIENCE, LeaseTest  # noqa: E402

STREAM = socket_pb.SOCKET_TYPE_STREAM
DGRAM = socket_pb.SOCKET_TYPE_DGRAM
SLACK = 1  # seconds that a close may be late: a look in an eighth of the lease, and a busy machine


class LifeTest(LeaseTest):
    def owner(self, ttl, grace=0):
        """A caller with a session: over self.client, its calls are made in that."""
        self.plain = Client(self.daemon.address)
        self.addCleanup(self.plain.close)
        self.session = self.plain.create_session(ttl, grace).name
        self.client = self.plain.in_session(self.session)

    def open(self, client=None, **request):
        return (client or self.client).sockets.OpenSocket(pb.OpenSocketRequest(**request)).socket

    def receive(self, socket, seconds, client=None):
        """A future: it waits at the daemon, and nothing will come."""
        return (client or self.client).sockets.ReceiveDatagrams.future(
            data_pb.ReceiveDatagramsRequest(name=socket.name, timeout=duration(seconds)))

    def assert_waits(self, socket, seconds):
        self.assertTrue(self.receive(socket, seconds).result(timeout=PATIENCE).timed_out)

    def assert_error(self, call, code, reason):
        error = call.exception(timeout=PATIENCE)
        self.assertIsNotNone(error)
        self.assertEqual((code, reason), (error.code(), error_of(error)[0].reason), error.details())
        return error

    def listed_session(self):
        """Without a sign of life for it."""
        found = self.observer.sessions.ListSessions(session_pb.ListSessionsRequest()).sessions
        return next(session for session in found if session.name == self.session)

    def assert_closes(self, socket, reason):
        """When."""
        closed, when = self.closings.next()
        self.assertEqual((socket.name, socket.uid, reason), (closed.name, closed.uid, closed.close_reason))
        return when


class Waiting(LifeTest):
    """One second of lease, and three of waiting."""

    def keeps(self, address):
        self.serve(address)
        self.owner(ttl=1)
        socket = self.open(type=DGRAM, bind=inet(0))
        self.assert_waits(socket, 3)
        hold = self.plain.hold(self.session)
        # Time passes in the observer's standing session: nothing but the stream speaks for the owner's.
        other = self.open(self.observer, type=DGRAM, bind=inet(0))
        self.assertTrue(self.receive(other, 3, self.observer).result(timeout=PATIENCE).timed_out)
        self.assertTrue(self.closings.none_yet())
        begin = time.monotonic()
        hold.cancel()
        took = self.assert_closes(socket, socket_pb.CLOSE_REASON_LEASE_EXPIRED) - begin
        self.assertLess(took, 1 + SLACK)
        self.assertGreater(took, 0.5)  # the last sign of life was a third of a second ago at most

    def test_over_unix(self):
        self.keeps(f"unix:{self.path}")

    def test_over_tcp(self):
        self.keeps("127.0.0.1:0")


class Grace(LifeTest):
    def setUp(self):
        super().setUp()
        self.serve(f"unix:{self.path}")
        self.owner(ttl=1, grace=2)
        self.socket = self.open(type=DGRAM, bind=inet(0))
        self.last_call = time.monotonic()

    def await_expiry(self):
        def expired():
            now = self.observer.hosts.GetHost(host_pb.GetHostRequest()).clock.ToNanoseconds()
            self.assertLess(self.listed_session().expire_time.ToNanoseconds(), now)

        self.eventually(expired)
        self.assertEqual([self.socket.name], self.listed())

    def assert_ends_after_the_grace(self):
        took = self.assert_closes(self.socket, socket_pb.CLOSE_REASON_LEASE_EXPIRED) - self.last_call
        self.assertGreater(took, 2.9)
        self.assertLess(took, 3 + SLACK)

    def test_sockets_stay_that_long_after_the_lease(self):
        self.await_expiry()
        self.assert_ends_after_the_grace()

    def test_a_call_within_it_revives_the_session(self):
        self.await_expiry()
        self.last_call = time.monotonic()
        self.assertEqual(self.session, self.client.sockets.GetSocket(pb.GetSocketRequest(name=self.socket.name)).session)
        self.await_expiry()  # again: it had been renewed
        self.assert_ends_after_the_grace()


class Transfer(LifeTest):
    def test_a_socket_that_was_moved_survives_the_death_of_its_first_session(self):
        self.serve(f"unix:{self.path}")
        self.begin(ttl=2)
        survivor = Client(self.daemon.address)
        self.addCleanup(survivor.close)
        second = survivor.create_session(1).name  # what keeps it is the call that waits, once it has moved too
        bound = self.open_in(self.session, survivor)
        waits = self.receive(bound, 60, survivor)  # made before the move, and in no session but the caller's own
        self.eventually(lambda: self.assertEqual(1, self.waiting_reads(bound)))
        moved = survivor.sockets.TransferSocket(pb.TransferSocketRequest(name=bound.name, session=second))
        self.assertEqual(second, moved.session)
        self.client.kill()
        for _ in range(self.held["sockets"]):
            closed, _ = self.closings.next()
            self.assertEqual(socket_pb.CLOSE_REASON_LEASE_EXPIRED, closed.close_reason)
            self.assertEqual(self.session, closed.session)
            now = survivor.sockets.GetSocket(pb.GetSocketRequest(name=closed.name))
            self.assertEqual((closed.uid, socket_pb.STATE_CLOSED, socket_pb.CLOSE_REASON_LEASE_EXPIRED),
                             (now.uid, now.state, now.close_reason))
        self.assertEqual([bound.name], self.listed())
        self.send_to(bound, survivor)
        self.assertEqual(b"still there", waits.result(timeout=PATIENCE).datagrams[0].payload)

    def open_in(self, session, client):
        return self.open(client.in_session(session), type=DGRAM, bind=inet(0))

    def waiting_reads(self, socket):
        found = self.observer.sockets.ListSockets(pb.ListSocketsRequest(page_size=1000)).sockets
        return next(each.waiting_reads for each in found if each.name == socket.name)

    def send_to(self, socket, client):
        sender = self.open(client, type=DGRAM, connect=socket.local)
        client.sockets.SendDatagrams(data_pb.SendDatagramsRequest(name=sender.name,
                                                                  datagrams=[{"payload": b"still there"}]))


class StoppedDaemon(LifeTest):
    TTL = 2
    STOPPED = 3.5  # seconds: longer than the lease

    def pause_daemon(self, meanwhile=lambda: None):
        """When it went on."""
        os.kill(self.daemon.pid, signal.SIGSTOP)
        meanwhile()
        time.sleep(self.STOPPED)  # because nothing happens: it is the time that counts
        os.kill(self.daemon.pid, signal.SIGCONT)
        return time.monotonic()

    def keeps(self, address):
        self.serve(address)
        self.owner(self.TTL)
        socket = self.open(type=DGRAM, bind=inet(0))
        hold = self.plain.hold(self.session)
        self.pause_daemon()
        other = self.open(self.observer, type=DGRAM, bind=inet(0))
        self.assertTrue(self.receive(other, 2 * self.TTL, self.observer).result(timeout=PATIENCE).timed_out)
        self.assertTrue(self.closings.none_yet())
        self.assertTrue(hold.is_active())
        self.assertEqual(socket.uid, self.client.sockets.GetSocket(pb.GetSocketRequest(name=socket.name)).uid)

    def test_who_lives_keeps_its_sockets_over_unix(self):
        self.keeps(f"unix:{self.path}")

    def test_who_lives_keeps_its_sockets_over_tcp(self):
        self.keeps("127.0.0.1:0")

    def test_who_holds_nothing_has_a_lease_to_come_back(self):
        self.serve(f"unix:{self.path}")
        self.owner(self.TTL)
        socket = self.open(type=DGRAM, bind=inet(0))
        went_on = self.pause_daemon()
        self.assertEqual(self.session, self.client.sockets.GetSocket(pb.GetSocketRequest(name=socket.name)).session)
        went_on = max(went_on, time.monotonic() - SLACK)
        took = self.assert_closes(socket, socket_pb.CLOSE_REASON_LEASE_EXPIRED) - went_on
        self.assertGreater(took, self.TTL - 0.1)
        self.assertLess(took, self.TTL + 2 * SLACK)

    def test_who_died_meanwhile_is_gone_a_lease_later(self):
        self.serve(f"unix:{self.path}")
        self.begin(self.TTL)
        went_on = self.pause_daemon(self.client.kill)
        # A connection whose end comes together with our ping is gRPC's until that ping's time is over.
        self.assert_all_goes(went_on, self.TTL + SLACK, left_open=[self.baseline, self.connected])


class EndSession(LifeTest):
    def setUp(self):
        super().setUp()
        self.serve(f"unix:{self.path}")
        self.owner(ttl=60)

    def begin_calls(self):
        """One of each kind, with the reason that it is to end for."""
        listener = self.open(type=STREAM, bind=inet(0), listen=pb.Listen(backlog=0))
        peer = self.open(type=STREAM, connect=listener.local)
        datagrams = self.open(type=DGRAM, bind=inet(0))
        self.sockets = [listener, peer, datagrams]
        sockets = self.client.sockets
        item = await_pb.AwaitItem(name=datagrams.name, condition=await_pb.CONDITION_READABLE)
        missing = await_pb.AwaitItem(name="sockets/later", condition=await_pb.CONDITION_LISTENING, allow_missing=True)
        return [
            (self.receive(datagrams, 60), {"SOCKET_CLOSED"}),
            (sockets.ReceiveData.future(data_pb.ReceiveDataRequest(name=peer.name)), {"SOCKET_CLOSED"}),
            (sockets.OpenSocket.future(pb.OpenSocketRequest(type=STREAM, connect=listener.local)), {"SESSION_ENDED"}),
            (sockets.AwaitSockets.future(await_pb.AwaitSocketsRequest(items=[item])),
             {"SOCKET_CLOSED", "SESSION_ENDED"}),
            (sockets.AwaitSockets.future(await_pb.AwaitSocketsRequest(items=[missing])), {"SESSION_ENDED"}),
        ]

    def assert_ended(self, calls, hold):
        for number, (call, reasons) in enumerate(calls):
            with self.subTest(number):
                error = call.exception(timeout=PATIENCE)
                self.assertEqual(grpc.StatusCode.ABORTED, error.code(), error.details())
                self.assertIn(error_of(error)[0].reason, reasons)
        with self.assertRaises(grpc.RpcError) as caught:
            next(hold)
        self.assertEqual((grpc.StatusCode.ABORTED, "SESSION_ENDED"),
                         (caught.exception.code(), error_of(caught.exception)[0].reason))
        for _ in self.sockets:
            self.assertEqual(socket_pb.CLOSE_REASON_SESSION_ENDED, self.closings.next()[0].close_reason)
        self.eventually(lambda: self.assertEqual((0, 2, 1), (self.usage().sockets, self.usage().calls,
                                                             self.usage().sessions)))
        self.assert_error(self.client.hosts.GetHost.future(host_pb.GetHostRequest()), grpc.StatusCode.NOT_FOUND,
                          "SESSION_ENDED")

    def end(self, client, **request):
        calls = self.begin_calls()
        hold = self.plain.hold(self.session)
        # Two more: the hold, and the watch.
        self.observer.await_calls(len(calls) + 2)
        answer = client.sessions.EndSession(session_pb.EndSessionRequest(name=self.session, **request))
        self.assertEqual((self.session, len(self.sockets)), (answer.session.name, answer.session.sockets))
        self.assert_ended(calls, hold)

    def test_ends_what_waits(self):
        self.end(self.plain)

    def test_also_from_within(self):
        self.end(self.client)

    def test_also_when_it_is_safe_to_repeat(self):
        self.end(self.plain, request_id="the end")
        again = self.plain.sessions.EndSession(session_pb.EndSessionRequest(name=self.session, request_id="the end"))
        self.assertEqual(len(self.sockets), again.session.sockets)


if __name__ == "__main__":
    at_once.main()
