"""watch behind a gap, at a daemon that says what the test wants: an idle one is heard of as well."""
import os
import queue
import signal
import sys
import unittest
from concurrent import futures

import grpc
from google.protobuf import any_pb2

from harness import CliTest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from contract import details_pb, error_pb, status_pb, watch_pb  # noqa: E402


def snapshot(name, revision):
    answer = watch_pb.WatchSocketsResponse(revision=revision, snapshot_complete=True)
    answer.changes.add(kind=watch_pb.CHANGE_KIND_SNAPSHOT, revision=revision).socket.name = name
    return answer


def too_old():
    """The status of REVISION_TOO_OLD."""
    status = status_pb.Status(code=grpc.StatusCode.OUT_OF_RANGE.value[0], message="revision is too old")
    for detail in (details_pb.ErrorInfo(reason="REVISION_TOO_OLD", domain="socketeer"),
                   error_pb.SocketError(operation="watch", origin=error_pb.ORIGIN_REGISTRY)):
        packed = any_pb2.Any()
        packed.Pack(detail)
        status.details.append(packed)
    return status


class Streams:
    """Serves WatchSockets: each stream that begins takes its answers, and how it ends, from the list."""

    def __init__(self, *streams):
        self.begun = queue.Queue()  # the requests
        self._streams = iter(streams)
        self._server = grpc.server(futures.ThreadPoolExecutor(max_workers=2))
        handler = grpc.unary_stream_rpc_method_handler(
            self._watch, watch_pb.WatchSocketsRequest.FromString, watch_pb.WatchSocketsResponse.SerializeToString)
        self._server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler("socketeer.v1.SocketService", {"WatchSockets": handler}),))
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()

    def stop(self):
        self._server.stop(None).wait()

    def _watch(self, request, context):
        self.begun.put(request)
        for step in next(self._streams):
            if isinstance(step, watch_pb.WatchSocketsResponse):
                yield step
            elif isinstance(step, status_pb.Status):
                context.set_trailing_metadata((("grpc-status-details-bin", step.SerializeToString()),))
                context.abort(grpc.StatusCode.OUT_OF_RANGE, step.message)
            else:
                context.abort(step, "Socket closed")
        left = queue.Queue()
        if context.add_callback(lambda: left.put(None)):
            left.get()


class Gap(CliTest):
    def watch(self, *streams):
        """A watch that has printed sockets/a and lost its connection; then come the streams."""
        self.streams = Streams([snapshot("sockets/a", 7), grpc.StatusCode.UNAVAILABLE], *streams)
        self.addCleanup(self.streams.stop)
        process = self.start("watch", "-o", "name", "--host", self.streams.address)
        self.assertEqual(process.stdout.readline(), b"sockets/a\n")
        self.said(process, "trying again")
        self.assertFalse(self.streams.begun.get().HasField("revision"))
        return process

    def test_an_answer_without_changes_tells_that_the_daemon_is_back(self):
        process = self.watch([watch_pb.WatchSocketsResponse(revision=7)])
        self.said(process, "the daemon is back")
        self.assertEqual(self.streams.begun.get().revision, 7)
        process.send_signal(signal.SIGINT)
        self.assertEqual(self.finish(process, 130), (b"", ""))

    def test_it_is_back_before_it_tells_that_changes_are_forgotten(self):
        process = self.watch([too_old()], [snapshot("sockets/b", 9)])
        self.said(process, "the daemon is back")
        self.said(process, "watch: the changes since then are no longer remembered; all sockets as they are now:")
        self.assertEqual(process.stdout.readline(), b"sockets/b\n")
        self.assertEqual(self.streams.begun.get().revision, 7)
        self.assertFalse(self.streams.begun.get().HasField("revision"))


if __name__ == "__main__":
    unittest.main()
