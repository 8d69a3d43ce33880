"""Quotas of what flows: who is let in waits or is refused as configured, over however many sockets, connections and
streams, and others are not held up."""

import pathlib
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import grpc  # noqa: E402
from contract import attach_pb, data_pb, duration, duration_pb, error_of, inet, pb, socket_pb  # noqa: E402
from eventually import eventually  # noqa: E402
from quotas import QuotaTest, Stream, info_of  # noqa: E402

OPENS = "quotas: [{identities: token:ci, opens_per_second: %d, burst_opens: %d, when_exceeded: %s}]\n"
BYTES = "quotas: [{identities: token:ci, bytes_per_second: %s, burst_bytes: %s, when_exceeded: %s}]\n"
# Over as long as a test takes this lets nothing through but the burst, a few opens at most.
SLOW = 1


def reached(error):
    info, _ = error_of(error)
    return info.reason, info.metadata["limit"], info.metadata["allowed"], info.metadata["identity"]


class Opens(QuotaTest):
    def assert_opens(self, burst, calls, is_open=lambda error: False):
        """The calls in turn, until one is refused by the rate; `is_open`: it failed otherwise, but counts."""
        begun, count, refused = time.monotonic(), 0, None
        while refused is None:
            try:
                calls[count % len(calls)]()
            except grpc.RpcError as error:
                refused = None if is_open(error) else error
            count += refused is None
        self.assertGreaterEqual(count, burst)
        self.assertLessEqual(count, burst + SLOW * (time.monotonic() - begun) + 1)
        self.assertEqual(("LIMIT_REACHED", "quota.opens_per_second", str(SLOW), "token:ci"), reached(refused))

    def test_refused_over_many_sessions_and_connections(self):
        self.serve(OPENS % (SLOW, 4, "refuse"))
        session = self.caller().create_session(60).name
        callers = [self.caller(), self.caller(), self.caller(session=session), self.caller(session=session)]
        self.assert_opens(4, [lambda each=each: self.open(each) for each in callers])
        for _ in range(10):
            self.open(self.caller("other"))

    def test_those_that_fail_count(self):
        self.serve(OPENS % (SLOW, 3, "refuse"))
        caller = self.caller()
        self.assert_opens(3, [lambda: self.open(caller, connect=inet(1))],
                          lambda error: error.code() == grpc.StatusCode.FAILED_PRECONDITION)
        self.assertEqual(0, self.used(caller, "sockets"))

    def test_accepted_ones_are_refused(self):
        self.serve(OPENS % (SLOW, 3, "refuse"))
        caller, other = self.caller(), self.caller("other")
        listener = self.listener(caller)
        for _ in range(20):
            self.open(other, connect=listener.local)
        accept = pb.AcceptSocketRequest(name=listener.name)
        self.assert_opens(2, [lambda: caller.sockets.AcceptSocket(accept, timeout=20)])

    def test_an_attached_listener_tells_it_once_and_goes_on(self):
        self.serve(OPENS % (2, 2, "refuse"))
        caller, other = self.caller(), self.caller("other")
        listener = self.listener(caller)
        stream = Stream(caller, listener.name)
        self.addCleanup(stream.cancel)
        stream.next("opened")
        for _ in range(3):
            self.open(other, connect=listener.local)
        stream.next("accepted")
        failure = info_of(stream.next("receive_failure").error)
        self.assertEqual("quota.opens_per_second", failure.metadata["limit"])
        stream.next("accepted")

    def test_delayed_they_all_come(self):
        self.serve(OPENS % (20, 1, "delay"))
        callers = [self.caller() for _ in range(3)]
        begun = time.monotonic()
        calls = [callers[i % 3].sockets.OpenSocket.future(pb.OpenSocketRequest(
            type=socket_pb.SOCKET_TYPE_STREAM, family=socket_pb.FAMILY_INET)) for i in range(11)]
        self.open(self.caller("other"))  # held up by nobody
        for each in calls:
            each.result(timeout=20)
        self.assertGreaterEqual(time.monotonic() - begun, 0.5)  # ten of them at 20 a second

    def crowd(self, caller):
        """Calls that wait to open, the last ones for many seconds."""
        calls = [caller.sockets.OpenSocket.future(pb.OpenSocketRequest(
            type=socket_pb.SOCKET_TYPE_STREAM, family=socket_pb.FAMILY_INET)) for _ in range(60)]
        eventually(lambda: self.used(caller, "waiting_calls") > 30, "calls that wait to open")
        return calls

    def test_who_waits_to_open_may_give_up_or_time_out(self):
        self.serve(OPENS % (SLOW, 1, "delay"))
        caller = self.caller()
        target = self.listener(self.caller("other")).local
        crowd = self.crowd(caller)
        late = [caller.sockets.OpenSocket(pb.OpenSocketRequest(
            type=socket_pb.SOCKET_TYPE_STREAM, connect=target, timeout=duration_pb.Duration(nanos=1000)), timeout=20)
            for _ in range(3)]  # one of them may come just when the rate lets one through
        self.assertTrue(any(each.timed_out for each in late))
        for each in crowd:
            each.cancel()
        self.await_use(caller, "waiting_calls", 0)
        self.assertLess(self.used(caller, "sockets"), 30)

    def test_a_daemon_that_stops_lets_nobody_wait(self):
        self.serve(OPENS % (SLOW, 1, "delay"))
        crowd = self.crowd(self.caller())
        self.daemon.process.terminate()
        self.assertIn(grpc.StatusCode.UNAVAILABLE, [each.exception(timeout=20).code() for each in crowd
                                                    if each.exception(timeout=20)])
        self.assertEqual(0, self.daemon.wait())


class Bytes(QuotaTest):
    def pair(self, caller):
        other = self.caller("other")
        listener = self.listener(other)
        mine = self.open(caller, connect=listener.local).name
        theirs = other.sockets.AcceptSocket(pb.AcceptSocketRequest(name=listener.name), timeout=20).socket.name
        return mine, theirs, other

    def send(self, client, name, data, mode=data_pb.MODE_WHOLE, **request):
        return client.sockets.SendData(data_pb.SendDataRequest(name=name, data=data, mode=mode, **request), timeout=20)

    def test_refused_over_many_sockets_and_connections(self):
        self.serve(BYTES % (SLOW, 1000, "refuse"))
        callers = [self.caller() for _ in range(3)]
        pairs = [self.pair(each) for each in callers]
        for caller, (mine, _, _) in zip(callers, pairs):
            self.send(caller, mine, bytes(400))
        for caller, (mine, theirs, other) in zip(callers, pairs):
            self.send(other, theirs, bytes(400))  # is not held up
            self.assert_reached("bytes_per_second", SLOW, lambda: self.send(caller, mine, b"x"))
            for mode in [data_pb.MODE_EXACT, data_pb.MODE_WAIT]:
                self.assert_reached("bytes_per_second", SLOW, lambda: caller.sockets.ReceiveData(
                    data_pb.ReceiveDataRequest(name=mine, mode=mode), timeout=20))

    def test_delayed_nothing_is_lost(self):
        self.serve(BYTES % ("1M", "10k", "delay"))
        caller = self.caller()
        mine, theirs, other = self.pair(caller)
        sent = bytes(range(256)) * 1024
        begun = time.monotonic()
        self.send(caller, mine, sent)
        self.assertGreater(time.monotonic() - begun, 0.2)
        got = other.sockets.ReceiveData(data_pb.ReceiveDataRequest(
            name=theirs, mode=data_pb.MODE_WHOLE, max_bytes=len(sent)), timeout=20).data
        self.assertEqual(sent, got)
        self.send(other, theirs, sent)
        self.assertEqual(sent, caller.sockets.ReceiveData(data_pb.ReceiveDataRequest(
            name=mine, mode=data_pb.MODE_WHOLE, max_bytes=len(sent)), timeout=20).data)
        self.assertGreater(time.monotonic() - begun, 0.4)

    def test_an_attached_stream_is_slowed_down_both_ways(self):
        for when in ["delay", "refuse"]:
            with self.subTest(when):
                self.serve(BYTES % ("1M", "10k", when))
                caller = self.caller()
                mine, theirs, other = self.pair(caller)
                stream = Stream(caller, mine)
                stream.next("opened")
                sent = bytes(range(256)) * 1024
                begun = time.monotonic()
                self.send(other, theirs, sent)
                self.assertEqual(sent, stream.data(len(sent)))
                self.assertGreater(time.monotonic() - begun, 0.2)
                stream.send(data=attach_pb.AttachData(offset=0, data=sent))
                self.assertEqual(sent, other.sockets.ReceiveData(data_pb.ReceiveDataRequest(
                    name=theirs, mode=data_pb.MODE_WHOLE, max_bytes=len(sent)), timeout=20).data)
                self.assertGreater(time.monotonic() - begun, 0.4)
                stream.cancel()
                self.daemon.stop()
                self.path.unlink(missing_ok=True)

    def flood(self, client, name):
        """Sends to it without end, until the test is over."""
        over = threading.Event()

        def send():
            while not over.is_set():
                try:
                    client.sockets.SendData(data_pb.SendDataRequest(
                        name=name, mode=data_pb.MODE_WHOLE, data=bytes(200_000), timeout=duration(0.2)))
                except grpc.RpcError:
                    return  # its socket is gone

        thread = threading.Thread(target=send)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(over.set)

    def test_what_comes_in_does_not_hold_up_what_goes_out(self):
        self.serve(BYTES % ("1M", "10k", "delay"))
        caller = self.caller()
        mine, theirs, other = self.pair(caller)
        self.flood(other, theirs)
        stream = Stream(caller, mine)
        self.addCleanup(stream.cancel)
        stream.next("opened")
        stream.data(50_000)
        stream.send(data=attach_pb.AttachData(offset=0, data=b"x"))
        for frame in stream._call:  # within the call's 60 s
            if frame.HasField("acknowledge"):
                break
            stream.send(acknowledge=attach_pb.AttachAcknowledge(offset=frame.data.offset + len(frame.data.data)))
        self.assertEqual(1, frame.acknowledge.offset)

    def test_streams_have_their_turns(self):
        self.serve(BYTES % ("1M", "10k", "delay"))
        caller = self.caller()
        pairs = [self.pair(caller) for _ in range(3)]
        streams = [Stream(caller, mine) for mine, _, _ in pairs]
        for stream, (_, theirs, other) in zip(streams, pairs):
            self.addCleanup(stream.cancel)
            stream.next("opened")
            self.flood(other, theirs)
        got = [0] * len(streams)
        over = threading.Event()

        def take(number):
            while not over.is_set():
                got[number] += len(streams[number].data(1))

        threads = [threading.Thread(target=take, args=[number]) for number in range(len(streams))]
        for thread in threads:
            thread.start()
        eventually(lambda: min(got) >= 100_000, "each stream has its share")
        over.set()
        for thread in threads:
            thread.join()
        self.assertLess(max(got), 20 * min(got), got)

    def test_datagrams_on_streams_and_in_calls(self):
        self.serve(BYTES % (SLOW, 1000, "refuse"))
        caller = self.caller()
        udp = self.open(caller, type=socket_pb.SOCKET_TYPE_DGRAM, bind=inet(0))
        datagram = data_pb.OutgoingDatagram(payload=bytes(1200), destination=udp.local)
        request = data_pb.SendDatagramsRequest(name=udp.name, datagrams=[datagram])
        caller.sockets.SendDatagrams(request, timeout=20)
        self.assert_reached("bytes_per_second", SLOW, lambda: caller.sockets.SendDatagrams(request, timeout=20))
        self.assert_reached("bytes_per_second", SLOW, lambda: caller.sockets.ReceiveDatagrams(
            data_pb.ReceiveDatagramsRequest(name=udp.name), timeout=20))

    def test_all_together_have_one_too(self):
        self.serve("total: {bytes_per_second: 1, burst_bytes: 1000, when_exceeded: refuse}\n")
        caller = self.caller()
        mine, theirs, other = self.pair(caller)
        self.send(caller, mine, bytes(1200))
        for client, name in [(caller, mine), (other, theirs)]:
            self.assert_reached("bytes_per_second", 1, lambda: self.send(client, name, b"x"), "total")


if __name__ == "__main__":
    unittest.main()
