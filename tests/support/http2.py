"""Just enough of HTTP/2 (RFC 9113) to speak to the daemon as no client library would."""

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PING, WINDOW_UPDATE, CONTINUATION = 0, 1, 2, 3, 4, 6, 8, 9
INITIAL_WINDOW_SIZE = 4
ACK = END_STREAM = 1
END_HEADERS = 4


def frame(kind, flags, stream, payload):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def opening(settings=()):
    """What a client sends first; `settings` are pairs of numbers."""
    payload = b"".join(name.to_bytes(2, "big") + value.to_bytes(4, "big") for name, value in settings)
    return b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0, payload)


def number(value, bits, first=0):
    """As HPACK writes it (RFC 7541, 5.1), behind what is in its first byte already."""
    most = (1 << bits) - 1
    if value < most:
        return bytes([first | value])
    written, value = [first | most], value - most
    while value >= 128:
        written.append(value % 128 | 128)
        value //= 128
    return bytes([*written, value])


def header(name, value):
    """Literal, without index and Huffman code (RFC 7541, 6.2.2)."""
    return b"\0" + number(len(name), 7) + name + number(len(value), 7) + value


def head(method, metadata=()):
    """A block of headers; `method` is "HostService/GetCaller", `metadata` pairs of bytes."""
    headers = [(b":method", b"POST"), (b":scheme", b"https"), (b":path", b"/socketeer.v1." + method.encode()),
               (b":authority", b"localhost"), (b"content-type", b"application/grpc"), (b"te", b"trailers"), *metadata]
    return b"".join(header(*each) for each in headers)


def call(method, message=b"", stream=1, metadata=()):
    """A whole unary request."""
    return (frame(HEADERS, END_HEADERS, stream, head(method, metadata)) +
            frame(DATA, END_STREAM, stream, b"\0" + len(message).to_bytes(4, "big") + message))


def frames(connection):
    """(kind, flags, stream, payload) of each that comes, until the connection ends."""
    seen = b""
    while True:
        while len(seen) >= 9 and len(seen) >= 9 + int.from_bytes(seen[:3], "big"):
            size = int.from_bytes(seen[:3], "big")
            yield seen[3], seen[4], int.from_bytes(seen[5:9], "big"), seen[9:9 + size]
            seen = seen[9 + size:]
        more = connection.recv(65536)
        if not more:
            return
        seen += more


# Acknowledges the other side's settings.
SETTLED = frame(SETTINGS, ACK, 0, b"")


def open_settled(connection):
    """Sends what comes first, and acknowledges the other side's settings, which are the first frame that it reads."""
    connection.sendall(opening())
    kind = next(frames(connection))[0]
    assert kind == SETTINGS, kind
    connection.sendall(SETTLED)


# GetCaller as it goes over a connection made by hand.
WHOAMI = opening() + call("HostService/GetCaller")
