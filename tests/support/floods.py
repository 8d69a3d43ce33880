"""Floods: what a caller may send without end, each a generator of pieces. HTTP/2 by hand (http2.py)."""

import itertools
import select
import struct
import threading

import http2
from http2 import (CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, PING, PRIORITY, RST_STREAM, SETTINGS,
                   WINDOW_UPDATE, frame)

FRAME = 16_384  # the largest that may be sent
METHOD = "HostService/GetCaller"
HEAD = http2.head(METHOD)
LONG = http2.header(b"x-a", b"y" * 100)
RESET = struct.pack("!I", 8)  # CANCEL
BIG = 12 << 20  # of a message: no more is received


def repeated(*frames):
    """Some hundred at once: who sends each by itself is slow."""
    return itertools.repeat(b"".join(frames) * (100 if sum(map(len, frames)) < 500 else 1))


def streams(make, at_once=100):
    """`make` of one stream after the other."""
    numbers = itertools.count(1, 2)
    while True:
        yield b"".join(make(next(numbers)) for _ in range(at_once))


def head_without_end(*continued, last=b""):
    """A block of headers that goes on."""
    yield frame(HEADERS, 0, 1, HEAD + last)
    yield from repeated(*(frame(CONTINUATION, 0, 1, each) for each in continued))


def headers_of(block):
    """Whole requests, each with that behind its headers."""
    return streams(lambda number: frame(HEADERS, END_HEADERS | END_STREAM, number, HEAD + block), 10)


def string_of(size):
    """The beginning of a header whose value is said to be so long."""
    return b"\0\x03x-a" + http2.number(size, 7)


def table_bomb():
    """One byte each names a header of 4,000 bytes that the daemon is to remember."""
    entry = b"\x40\x01x" + http2.number(4_000, 7) + b"y" * 4_000
    yield frame(HEADERS, END_HEADERS | END_STREAM, 1, HEAD + entry)
    numbers = itertools.count(3, 2)
    while True:
        yield frame(HEADERS, END_HEADERS | END_STREAM, next(numbers), HEAD + b"\xbe" * 1_000)


def open_stream(number):
    return frame(HEADERS, END_HEADERS, number, HEAD)


HEADER_FLOODS = {
    "headers without end": lambda: head_without_end(LONG * 40),  # fewer than 8 KiB a frame, which gRPC would refuse
    "empty CONTINUATION frames": lambda: head_without_end(b""),
    "a string of a gigabyte": lambda: head_without_end(b"z" * FRAME, last=string_of(1 << 30)),
    "a string of a gigabyte, byte for byte": lambda: head_without_end(b"z", last=string_of(1 << 30)),
    "a number without end": lambda: head_without_end(b"\x80" * FRAME, last=b"\0\x03x-a\x7f"),
    "sizes of the table": lambda: head_without_end(b"\x20\x3f\xe1\x1f" * 4_000),
    "blocks larger than may be": lambda: headers_of(LONG * 120),
    "thousands of headers": lambda: headers_of(b"\0\1a\1b" * 3_000),
    "names of a remembered header": table_bomb,
}
FRAME_FLOODS = {
    "PING": lambda: repeated(frame(PING, 0, 0, b"12345678")),
    "acknowledged PING": lambda: repeated(frame(PING, http2.ACK, 0, b"12345678")),
    "SETTINGS": lambda: repeated(frame(SETTINGS, 0, 0, b"")),
    "SETTINGS of the table": lambda: repeated(*(frame(SETTINGS, 0, 0, struct.pack("!HI", 1, size)) for size in (0, 4_096))),
    "SETTINGS of the window": lambda: repeated(*(frame(SETTINGS, 0, 0, struct.pack("!HI", 4, size)) for size in (0, 1 << 20))),
    "PRIORITY": lambda: streams(lambda number: frame(PRIORITY, 0, number, struct.pack("!IB", 0, 1))),
    "unknown frames": lambda: repeated(frame(0x77, 0, 0, b"")),
    "empty DATA": lambda: itertools.chain([open_stream(1)], repeated(frame(DATA, 0, 1, b""))),
}
# Who reads no answer to these is not cut off at once: gRPC has much to do, and waits until it has written.
STREAM_FLOODS = {
    "opened and reset": lambda: streams(lambda number: open_stream(number) + frame(RST_STREAM, 0, number, RESET)),
    "called and reset": lambda: streams(lambda number: http2.call(METHOD, stream=number) +
                                        frame(RST_STREAM, 0, number, RESET)),
    "streams that do not go on": lambda: streams(open_stream),
    "messages that do not go on": lambda: streams(lambda number: open_stream(number) + frame(
        DATA, 0, number, b"\0\0\x10\0\0" + b"x" * 300)),
    "calls": lambda: streams(lambda number: http2.call("HostService/GetHost", stream=number)),
    "unknown methods": lambda: streams(lambda number: http2.call("HostService/Nothing", stream=number)),
    "messages of four gigabytes": lambda: streams(lambda number: open_stream(number) + frame(
        DATA, 0, number, b"\0\xff\xff\xff\xff" + b"x" * 300)),
}
# Frames that cost the daemon no more than their bytes cost the caller. gRPC may cut them off, or pass over them.
HARMLESS = {
    "DATA beyond the window": lambda: itertools.chain([open_stream(1)], repeated(frame(DATA, 0, 1, b"\0" * FRAME))),
    "WINDOW_UPDATE": lambda: repeated(frame(WINDOW_UPDATE, 0, 0, struct.pack("!I", 1))),
    "large SETTINGS": lambda: repeated(frame(SETTINGS, 0, 0, struct.pack("!HI", 0x4444, 1) * 2_700)),
    "large unknown frames": lambda: repeated(frame(0x77, 0, 0, bytes(FRAME))),
}


class Flood:
    """Sends the pieces over a connection, in a thread of its own, and reads nothing, until `enough` bytes are sent,
    the other side ends it, or close()."""

    def __init__(self, connection, pieces, enough, settled=True):
        self.connection, self.sent, self.cut_off = connection, 0, False
        connection.settimeout(None)
        self._thread = threading.Thread(target=self._run, args=(pieces, enough, settled))
        self._thread.start()

    def _run(self, pieces, enough, settled):
        try:
            if settled:
                http2.open_settled(self.connection)
            else:
                self.connection.sendall(http2.opening())
            for piece in pieces:
                self.connection.sendall(piece)
                self.sent += len(piece)
                if self.sent >= enough:
                    return
        except OSError:
            self.cut_off = True

    def running(self):
        return self._thread.is_alive()

    def await_end(self, seconds):
        """The other side has ended it, whatever is unread; not before, and then False: the time is over."""
        poll = select.poll()
        poll.register(self.connection, select.POLLRDHUP)
        return bool(poll.poll(seconds * 1_000))

    def close(self):
        try:
            self.connection.shutdown(2)
        except OSError:
            pass  # it is closed
        self._thread.join()
        self.connection.close()
