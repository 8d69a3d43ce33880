"""Callers who are believed, and flood with messages: large ones, ones that inflate, ones that nobody knows."""

import sys
import pathlib
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import grpc  # noqa: E402
import floods  # noqa: E402
from contract import duration, session_pb  # noqa: E402
from flood_test import FloodTest  # noqa: E402

SHORT_OF_MEMORY = [grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNAVAILABLE]  # a call ended; a connection
AT_ONCE = 400  # calls of the largest size: more bytes than gRPC may hold
UNKNOWN = b"\xfa\x3f\x04abcd"  # a field of GetCallerRequest that there is not

EMPTY_ITEM = b"\x0a\x00"  # of an AwaitSocketsRequest


class Messages(FloodTest):
    MOST_GROWTH = FloodTest.MOST_GROWTH + (2 << 30)  # kMaxTransportBytes, and kMaxRequestBytes that is made of them

    def method(self, name="HostService/GetCaller", client=None):
        """It takes bytes, and gives bytes."""
        return (client or self.attacker).channel.unary_unary("/socketeer.v1." + name)

    def setUp(self):
        super().setUp()
        self.attacker = self.client(token="right")

    def ends_of(self, calls, may_meet_others=False):
        """The codes by which they end; the honest one calls meanwhile, which gRPC may end, too, if memory is short."""
        ended = threading.Event()
        left = [len(calls)]
        lock = threading.Lock()

        def one_ended(_):
            with lock:
                left[0] -= 1
                if left[0] == 0:
                    ended.set()

        for call in calls:
            call.add_done_callback(one_ended)
        while not ended.is_set():
            try:
                self.assertEqual("token:ci", self.whoami(self.honest).identity)
            except grpc.RpcError as error:
                if not may_meet_others or error.code() not in SHORT_OF_MEMORY:
                    raise
        self.attacker.close()
        return {call.code() for call in calls}

    def flood_of(self, message, count, name="HostService/GetCaller", may_meet_others=False, **options):
        method = self.method(name)
        return self.ends_of([method.future(message, timeout=60, **options) for _ in range(count)], may_meet_others)

    def test_larger_than_may_be(self):
        self.assertEqual({grpc.StatusCode.RESOURCE_EXHAUSTED}, self.flood_of(bytes(floods.BIG + 1), 40))
        self.assert_well()

    def test_unknown_fields(self):
        self.assertEqual({grpc.StatusCode.INVALID_ARGUMENT}, self.flood_of(UNKNOWN * (1 << 20), 40))
        self.assert_well()

    def test_more_than_the_daemon_may_hold(self):
        """All at once, of the largest size: gRPC ends some for want of memory."""
        codes = self.flood_of(UNKNOWN * (floods.BIG // len(UNKNOWN)), AT_ONCE, may_meet_others=True)
        self.assertTrue(codes & set(SHORT_OF_MEMORY), codes)
        self.assert_well()

    def test_more_than_may_be_made_of_messages(self):
        """Items of two bytes, of each of which some hundred would be made."""
        message = EMPTY_ITEM * (floods.BIG // len(EMPTY_ITEM))
        with self.assertRaises(grpc.RpcError) as raised:
            self.method("SocketService/AwaitSockets")(message, timeout=60)
        self.assertEqual(grpc.StatusCode.RESOURCE_EXHAUSTED, raised.exception.code())
        self.assertIn("max_request_weight", raised.exception.details())
        codes = self.flood_of(message, 80, "SocketService/AwaitSockets", may_meet_others=True)
        self.assertLessEqual(codes, set(SHORT_OF_MEMORY))
        self.assert_well()

    def test_what_was_made_of_messages_is_given_back(self):
        """One after the other, they may be far more than all may be at once."""
        method = self.method("SocketService/AwaitSockets")
        for _ in range(1_000):  # each counts for some 4 MB
            with self.assertRaises(grpc.RpcError) as raised:
                method(EMPTY_ITEM * 10_000, timeout=60)
            self.assertEqual(grpc.StatusCode.INVALID_ARGUMENT, raised.exception.code())
        self.attacker.close()
        self.assert_well()

    def test_malformed(self):
        with self.assertRaises(grpc.RpcError) as raised:
            self.method("SocketService/AwaitSockets")(EMPTY_ITEM[:1], timeout=60)
        self.assertEqual(grpc.StatusCode.INVALID_ARGUMENT, raised.exception.code())
        self.assertIn("AwaitSocketsRequest", raised.exception.details())
        self.attacker.close()
        self.assert_well()

    def test_unknown_methods(self):
        self.assertEqual({grpc.StatusCode.UNIMPLEMENTED}, self.flood_of(b"", 5_000, "HostService/Nothing"))
        self.assert_well()

    def test_compressed(self):
        """What is compressed is refused, before it is looked at."""
        request = session_pb.CreateSessionRequest(session_id="a" * 60, ttl=duration(60))
        for compression in (grpc.Compression.Gzip, grpc.Compression.Deflate):
            with self.assertRaises(grpc.RpcError) as raised:
                self.attacker.sessions.CreateSession(request, compression=compression)
            self.assertEqual(grpc.StatusCode.UNIMPLEMENTED, raised.exception.code())
        self.attacker.sessions.CreateSession(request)
        self.attacker.end_session("sessions/" + "a" * 60)
        self.attacker.close()
        self.assert_well()

    def test_bombs(self):
        """A quarter of a megabyte each, and a quarter of a gigabyte when it is inflated."""
        self.MOST_GROWTH = 128 << 20
        self.flood_of(bytes(256 << 20), 4, compression=grpc.Compression.Gzip)
        self.assert_well()


if __name__ == "__main__":
    unittest.main()
