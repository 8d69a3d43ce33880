"""Quotas of what is taken and given back: by many sessions, connections, loops and kinds of sockets nobody gets more,
nobody else is hindered, and all is whole again after."""

import pathlib
import signal
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import grpc  # noqa: E402
from contract import await_pb, data_pb, inet, pb, socket_pb, watch_pb  # noqa: E402
from quotas import QuotaTest, Stream, info_of  # noqa: E402

SOCKETS = "quotas: [{identities: token:ci, sockets: 4}]\n"
CALLS = "quotas: [{identities: token:ci, waiting_calls: 3}]\n"
BUFFERED = "quotas: [{identities: token:ci, buffered_bytes: 512Ki}]\n"


def receive(name, **request):
    return data_pb.ReceiveDataRequest(name=name, **request)


class Sockets(QuotaTest):
    def test_many_sessions_and_connections_have_one_quota(self):
        self.serve(SOCKETS)
        sessions = [self.caller().create_session(60).name for _ in range(4)]
        callers = [self.caller(session=name) for name in sessions]
        opened = [self.open(each).name for each in callers]  # on both loops in turn
        for each in [*callers, self.caller()]:
            self.assert_reached("sockets", 4, lambda each=each: self.open(each))
        self.open(self.caller("other"))
        self.assertEqual(4, self.used(callers[0], "sockets"))
        self.close(callers[0], opened[0])
        self.open(callers[1])
        self.assert_reached("sockets", 4, lambda: self.open(callers[2]))
        for each in sessions:
            self.caller().end_session(each)
        self.assert_nothing_used(self.caller())

    def test_what_did_not_come_to_be_gives_back(self):
        self.serve(SOCKETS)
        caller = self.caller()
        for _ in range(8):
            with self.assertRaises(grpc.RpcError):
                self.open(caller, connect=inet(1))
            with self.assertRaises(grpc.RpcError):
                self.open(caller, bind=inet(0, "192.0.2.1"))
        self.open(caller, socket_id="mine")
        for _ in range(8):
            with self.assertRaises(grpc.RpcError):
                self.open(caller, socket_id="mine")
        self.assertEqual(1, self.used(caller, "sockets"))

    def test_accepted_ones_count(self):
        self.serve(SOCKETS)
        caller, other = self.caller(), self.caller("other")
        listener = self.listener(caller)
        for _ in range(2):
            self.open(other, connect=listener.local)
        self.open(caller)
        self.open(caller)
        accept = pb.AcceptSocketRequest(name=listener.name)
        first = caller.sockets.AcceptSocket(accept, timeout=20).socket
        self.assert_reached("sockets", 4, lambda: caller.sockets.AcceptSocket(accept, timeout=20))
        named = pb.AcceptSocketRequest(name=listener.name, sequence=1)
        self.assert_reached("sockets", 4, lambda: caller.sockets.AcceptSocket(named, timeout=20))
        self.close(caller, first.name)
        caller.sockets.AcceptSocket(accept, timeout=20)  # the connection was left where it was

    def test_a_call_that_waits_to_accept_gives_back_when_given_up(self):
        self.serve(SOCKETS)
        caller = self.caller()
        listener = self.listener(caller)
        waiting = [caller.sockets.AcceptSocket.future(pb.AcceptSocketRequest(name=listener.name)) for _ in range(3)]
        self.await_use(caller, "sockets", 4)
        self.assert_reached("sockets", 4, lambda: self.open(caller))
        for each in waiting:
            each.cancel()
        self.await_use(caller, "sockets", 1)

    def test_those_that_an_attached_listener_accepts_count(self):
        self.serve(SOCKETS)
        caller, other = self.caller(), self.caller("other")
        listener = self.listener(caller)
        stream = Stream(caller, listener.name)
        self.addCleanup(stream.cancel)
        stream.next("opened")
        for _ in range(4):
            self.open(other, connect=listener.local)
        accepted = [stream.next("accepted").socket.name for _ in range(3)]
        failure = info_of(stream.next("receive_failure").error)
        self.assertEqual(("LIMIT_REACHED", "quota.sockets", "token:ci"),
                         (failure.reason, failure.metadata["limit"], failure.metadata["identity"]))
        self.close(caller, accepted[0])
        stream.next("accepted")  # it goes on by itself

    def test_a_socket_that_is_sent_to_another_session_stays_counted(self):
        self.serve(SOCKETS)
        caller = self.caller()
        session = caller.create_session(60).name
        for _ in range(4):
            name = self.open(caller).name
            caller.sockets.TransferSocket(pb.TransferSocketRequest(name=name, session=session), timeout=20)
        self.assert_reached("sockets", 4, lambda: self.open(caller))
        caller.end_session(session)
        self.open(caller)


class Sessions(QuotaTest):
    def test_the_standing_one_is_beside_them(self):
        self.serve("quotas: [{identities: token:ci, sessions: 2}]\n")
        caller = self.caller()
        self.open(caller)
        names = [self.caller().create_session(60).name for _ in range(2)]
        for each in [caller, self.caller(session=names[0])]:
            self.assert_reached("sessions", 2, lambda each=each: each.create_session(60))
        self.caller("other").create_session(60)
        caller.end_session(names[0])
        caller.create_session(60)
        self.assert_reached("sessions", 2, lambda: caller.create_session(60))

    def test_one_whose_lease_ran_out_is_given_back(self):
        self.serve("quotas: [{identities: token:ci, sessions: 1}]\n")
        caller = self.caller()
        caller.create_session(1)
        self.assert_reached("sessions", 1, lambda: caller.create_session(1))
        self.await_use(caller, "sessions", 0)
        caller.create_session(1)


class WaitingCalls(QuotaTest):
    def test_over_many_connections_and_on_many_sockets(self):
        self.serve(CALLS)
        callers = [self.caller() for _ in range(3)]
        udp = [self.open(callers[0], type=socket_pb.SOCKET_TYPE_DGRAM, bind=inet(0)).name for _ in range(3)]
        waiting = [caller.sockets.ReceiveDatagrams.future(data_pb.ReceiveDatagramsRequest(name=name))
                   for caller, name in zip(callers, udp)]
        self.await_use(callers[0], "waiting_calls", 3)  # and the question is answered
        for each in [*callers, self.caller()]:
            self.assert_reached("waiting_calls", 3, lambda each=each: self.open(each))
        other = self.caller("other")
        self.close(other, self.open(other).name)
        waiting[0].cancel()
        self.await_use(callers[0], "waiting_calls", 2)
        self.open(callers[1])
        for each in waiting[1:]:
            each.cancel()
        self.assertEqual(4, self.used(callers[0], "sockets"))
        self.await_use(callers[0], "waiting_calls", 0)

    def test_an_await_counts_by_what_it_waits_for(self):
        """A name that is waited for takes memory too."""
        self.serve(CALLS)
        caller = self.caller()

        def wait(count):
            return caller.sockets.AwaitSockets.future(await_pb.AwaitSocketsRequest(items=[await_pb.AwaitItem(
                name=f"sockets/n{i}", condition=await_pb.CONDITION_READABLE, allow_missing=True) for i in range(count)]))

        two = wait(31)
        self.await_use(caller, "waiting_calls", 2)
        self.assert_reached("waiting_calls", 3, lambda: wait(16).result())
        one = wait(15)
        self.await_use(caller, "waiting_calls", 3)
        two.cancel()
        self.await_use(caller, "waiting_calls", 1)
        one.cancel()
        self.await_use(caller, "waiting_calls", 0)

    def test_one_after_the_other_never_counts_twice(self):
        self.serve("quotas: [{identities: token:ci, waiting_calls: 1}]\n")
        caller = self.caller()
        for _ in range(300):
            self.close(caller, self.open(caller).name)

    def test_streams_are_calls(self):
        self.serve(CALLS)
        caller = self.caller()
        session = caller.create_session(60).name
        udp = self.open(caller, type=socket_pb.SOCKET_TYPE_DGRAM, bind=inet(0)).name
        hold = caller.hold(session)
        watch = caller.sockets.WatchSockets(watch_pb.WatchSocketsRequest())
        next(watch)
        stream = Stream(caller, udp)
        stream.next("opened")
        self.assert_reached("waiting_calls", 3, lambda: self.open(caller))
        self.assert_reached("waiting_calls", 3, lambda: self.caller().hold(session))
        self.assert_reached("waiting_calls", 3, lambda: Stream(caller, udp, takeover=True).next("opened"))
        for each in [hold, watch, stream]:
            each.cancel()
        self.await_use(caller, "waiting_calls", 0)


class BufferedBytes(QuotaTest):
    def pair(self, caller):
        """(a socket of the caller's, its peer of another's)"""
        other = self.caller("other")
        listener = self.listener(other)
        mine = self.open(caller, connect=listener.local).name
        theirs = other.sockets.AcceptSocket(pb.AcceptSocketRequest(name=listener.name), timeout=20).socket.name
        return mine, lambda data: other.sockets.SendData(
            data_pb.SendDataRequest(name=theirs, data=data, mode=data_pb.MODE_WHOLE), timeout=20)

    def test_what_is_not_acknowledged_over_many_sockets(self):
        self.serve(BUFFERED)
        callers = [self.caller(), self.caller()]
        (first, send_first), (second, send_second) = self.pair(callers[0]), self.pair(callers[1])
        send_first(bytes(400 << 10))
        send_second(bytes(400 << 10))
        whole = {"max_bytes": 400 << 10, "mode": data_pb.MODE_WHOLE, "offset": 0}
        callers[0].sockets.ReceiveData(receive(first, **whole), timeout=20)
        self.assertEqual(400 << 10, self.used(callers[0], "buffered_bytes"))
        self.assert_reached("buffered_bytes", 512 << 10,
                            lambda: callers[1].sockets.ReceiveData(receive(second, **whole), timeout=20))
        # What the quota let it take is kept, and the rest with the kernel: nothing is lost.
        callers[0].sockets.ReceiveData(receive(first, offset=400 << 10, mode=data_pb.MODE_WAIT, timeout={}), timeout=20)
        got = callers[1].sockets.ReceiveData(receive(second, **whole), timeout=20)
        self.assertEqual(bytes(400 << 10), got.data)
        for name in [first, second]:
            self.close(callers[0], name)
        self.assert_nothing_used(callers[0])

    def test_send_windows_of_attached_streams(self):
        self.serve(BUFFERED)
        caller = self.caller()
        names = [self.pair(caller)[0] for _ in range(3)]
        streams = [Stream(caller, name, send_window=256 << 10) for name in names[:2]]
        for each in streams:
            each.next("opened")
        self.assert_reached("buffered_bytes", 512 << 10,
                            lambda: Stream(self.caller(), names[2], send_window=1).next("opened"))
        streams[0].cancel()
        self.await_use(caller, "buffered_bytes", 256 << 10)
        stream = Stream(caller, names[2], send_window=256 << 10)
        stream.next("opened")
        for each in [streams[1], stream]:
            each.cancel()
        self.await_use(caller, "buffered_bytes", 0)

    def test_an_attached_stream_at_the_bound_waits_and_goes_on(self):
        self.serve("quotas: [{identities: token:ci, buffered_bytes: 100000}]\n")
        caller = self.caller()
        name, send = self.pair(caller)
        stream = Stream(caller, name, receive_window=1 << 20, send_window=1)
        stream.next("opened")
        sent = bytes(range(256)) * 1024
        send(sent)
        self.await_use(caller, "buffered_bytes", 100_000)
        self.assertEqual(sent, stream.data(len(sent)))
        self.await_use(caller, "buffered_bytes", 1)
        stream.cancel()
        self.await_use(caller, "buffered_bytes", 0)


class Watchers(QuotaTest):
    def test_over_many_connections(self):
        self.serve("quotas: [{identities: token:ci, watchers: 2}]\n")
        request = watch_pb.WatchSocketsRequest()
        watches = [self.caller().sockets.WatchSockets(request) for _ in range(2)]
        for each in watches:
            next(each)
        self.assert_reached("watchers", 2, lambda: next(self.caller().sockets.WatchSockets(request)))
        next(self.caller("other").sockets.WatchSockets(request))
        watches[0].cancel()
        self.await_use(self.caller(), "watchers", 1)
        next(self.caller().sockets.WatchSockets(request))


class Total(QuotaTest):
    def test_of_all_together(self):
        self.serve("total: {sockets: 3, sessions: 1}\nquotas: [{identities: token:ci, sockets: 2}]\n")
        caller, other = self.caller(), self.caller("other")
        self.open(caller)
        names = [self.open(other).name for _ in range(2)]
        self.assert_reached("sockets", 3, lambda: self.open(caller), "total")
        self.assert_reached("sockets", 3, lambda: self.open(other), "total")
        self.assertEqual(1, self.used(caller, "sockets"))  # what was refused is given back to both
        self.close(other, names[0])
        self.open(caller)
        self.close(other, names[1])
        self.assert_reached("sockets", 2, lambda: self.open(caller))
        caller.create_session(60)
        self.assert_reached("sessions", 1, lambda: other.create_session(60), "total")

    def test_each_identity_that_a_rule_matches_has_its_own(self):
        self.serve("identities: {all: [token:*]}\nquotas: [{identities: all, sockets: 1}]\n")
        caller, other = self.caller(), self.caller("other")
        self.open(caller)
        self.open(other)
        self.assert_reached("sockets", 1, lambda: self.open(caller))
        self.assert_reached("sockets", 1, lambda: self.open(other), "token:other")


class Reload(QuotaTest):
    def reload(self, text, words):
        known = self.daemon.log().count(words)
        self.write(text)
        self.daemon.process.send_signal(signal.SIGHUP)
        self.daemon.await_log(words, known + 1)

    def test_counts_at_once_and_takes_nothing_away(self):
        self.serve(SOCKETS)
        caller = self.caller()
        names = [self.open(caller).name for _ in range(4)]
        self.reload(SOCKETS.replace("4", "2"), "quotas.yaml are in force")
        self.assertEqual(4, self.used(caller, "sockets"))
        self.assert_reached("sockets", 2, lambda: self.open(caller))
        for name in names[:3]:
            self.close(caller, name)
        self.open(caller)
        self.assert_reached("sockets", 2, lambda: self.open(caller))
        self.reload("quotas: []\n", "quotas.yaml are in force")
        self.open(caller)

    def test_a_wrong_file_changes_nothing_and_is_told(self):
        self.serve(SOCKETS)
        caller = self.caller()
        self.reload("quotas: [{identities: token:ci, sockets: -1}]\n", "the quotas before them stay in force")
        self.assertIn(f"{self.quotas}:1: sockets is \"-1\"; it must be a number from 0", self.daemon.log())
        for _ in range(4):
            self.open(caller)
        self.assert_reached("sockets", 4, lambda: self.open(caller))

    def test_a_daemon_does_not_start_with_a_wrong_one(self):
        path = self.directory / "quotas.yaml"
        path.write_text("total: {sockets: 100M}\n")
        path.chmod(0o600)
        said = self.refusal("--listen", f"unix:{self.path}", "--quotas", path)
        self.assertIn(f"quotas: {path}:1: sockets of total is above this daemon's own limit max_sockets", said)
        self.assertIn("No such file", self.refusal("--listen", f"unix:{self.path}", "--quotas", "/nowhere"))
        path.chmod(0o666)
        self.assertIn("chmod go-w", self.refusal("--listen", f"unix:{self.path}", "--quotas", path))


if __name__ == "__main__":
    unittest.main()
