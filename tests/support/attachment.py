"""A stream of AttachSocket, as a test writes and reads it."""

import pathlib
import queue
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from contract import attach_pb, data_pb, details_pb  # noqa: E402


class Attachment:
    """Attached when the constructor returns. Windows are of 1,000 bytes, datagrams or connections; a listener's
    send_window is 0."""

    def __init__(self, client, name, send_window=1_000, **call):
        self._frames = queue.SimpleQueue()
        self.stream = client.sockets.AttachSocket(iter(self._frames.get, None), **call)
        self.put(open=attach_pb.AttachOpen(name=name, receive_window=1_000, send_window=send_window))
        self.opened = self.next("opened")
        self.sent = self.opened.send_offset

    def put(self, **frame):
        self._frames.put(attach_pb.AttachSocketRequest(**frame))

    def send(self, data):
        self.put(data=attach_pb.AttachData(offset=self.sent, data=data))
        self.sent += len(data)

    def send_to(self, *destinations, payload=b"x"):
        datagrams = [data_pb.OutgoingDatagram(payload=payload, destination=each) for each in destinations]
        self.put(datagrams=attach_pb.AttachOutgoingDatagrams(sequence=self.sent, datagrams=datagrams))
        self.sent += len(datagrams)

    def next(self, kind):
        """The next frame of that kind; others are passed over."""
        for response in self.stream:
            if response.HasField(kind):
                return getattr(response, kind)
        raise AssertionError(f"the stream ended without {kind}")

    def reason(self, kind):
        """Of the error that the next such frame brings."""
        frame = self.next(kind)
        info = details_pb.ErrorInfo()
        status = getattr(frame, "error", frame)
        assert status.details[0].Unpack(info), status
        return info.reason

    def close(self):
        self._frames.put(None)
        self.stream.cancel()
