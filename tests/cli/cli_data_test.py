"""send, recv and shutdown: bytes as they are, pipes that close, Ctrl-C."""
import base64
import hashlib
import os
import signal
import socket
import subprocess
import unittest

from harness import HANG, CliTest

EVERY_BYTE = bytes(range(256))


def receive(ours, size):
    data = b""
    while len(data) < size:
        part = ours.recv(size - len(data))
        if not part:
            break
        data += part
    return data


class Streams(CliTest):
    def test_send_from_every_source(self):
        ours = self.connection()
        path = os.path.join(self.directory, "payload")
        with open(path, "wb") as file:
            file.write(EVERY_BYTE)
        cases = [(("hello",), b"", b"hello"), (("[a,b]",), b"", b"[a,b]"),
                 (("--", "--dash"), b"", b"--dash"), (("-",), EVERY_BYTE, EVERY_BYTE),
                 ((), EVERY_BYTE, EVERY_BYTE), (("--hex", "00 fF:17"), b"", b"\x00\xff\x17"),
                 (("--file", path), b"", EVERY_BYTE), (("send",), b"", b"send")]
        for arguments, stdin, expected in cases:
            with self.subTest(arguments):
                result = self.run_cli("send", "conn", *arguments, stdin=stdin)
                self.assertEqual(result.stdout, b"")
                self.assertEqual(receive(ours, len(expected)), expected)
        self.run_cli("send", "conn", "")
        before = sum(len(expected) for _, _, expected in cases)
        self.assertEqual(self.json("send", "conn", "abc"),
                         {"bytesSent": "3", "timedOut": False, "nextOffset": str(before + 3), "bytesSkipped": "0"})

    def test_standard_input_is_sent_while_it_is_read(self):
        ours = self.connection()
        process = self.start("send", "conn", "-", stdin=subprocess.PIPE)
        for word in (b"one", b"two"):
            process.stdin.write(word)
            process.stdin.flush()
            self.assertEqual(receive(ours, 3), word)
        self.finish(process, 0)

    def test_recv_prints_what_is_there_and_nothing_else(self):
        ours = self.connection()
        ours.sendall(EVERY_BYTE)
        self.run_cli("wait", "conn", "--for", "readable", "--bytes", "256")
        self.assertEqual(self.run_cli("recv", "conn", "--peek").stdout, EVERY_BYTE)
        self.assertEqual(self.run_cli("recv", "conn", "--max", "10").stdout, EVERY_BYTE[:10])
        self.assertEqual(self.run_cli("recv", "conn").stdout, EVERY_BYTE[10:])

    def test_recv_as_a_document(self):
        ours = self.connection()
        ours.sendall(b"\x00\xff")
        ours.shutdown(socket.SHUT_WR)
        self.run_cli("wait", "conn", "--for", "peer-closed")
        answer = self.json("recv", "conn", "--min", "10", said="end of stream")
        self.assertEqual(base64.b64decode(answer["data"]), b"\x00\xff")
        self.assertEqual((answer["endOfStream"], answer["timedOut"]), (True, False))

    def test_recv_of_a_minimum_waits_for_it(self):
        ours = self.connection()
        process = self.start("recv", "conn", "--min", "6", "--max", "6")
        ours.sendall(b"abc")
        self.until_waiting("conn")
        ours.sendall(b"defghi")
        out, _ = self.finish(process, 0)
        self.assertEqual(out, b"abcdef")
        result = self.run_cli("recv", "conn", "--min", "9", "--timeout", "50ms", code=6,
                              said="timed out; 3 bytes came")
        self.assertEqual(result.stdout, b"ghi")

    def test_a_large_file_both_ways(self):
        ours = self.connection()
        data = os.urandom(5_000_001)
        process = self.start("recv", "conn", "--min", str(len(data)))
        ours.sendall(data)
        self.assertEqual(self.digest(self.finish(process, 0)[0]), self.digest(data))
        process = self.start("send", "conn", stdin=subprocess.PIPE)
        process.stdin.write(data[:100])
        process.stdin.flush()
        self.assertEqual(receive(ours, 100), data[:100])
        path = os.path.join(self.directory, "large")
        with open(path, "wb") as file:
            file.write(data)
        self.finish(process, 0)
        process = self.start("send", "conn", "--file", path)
        self.assertEqual(self.digest(receive(ours, len(data))), self.digest(data))
        self.finish(process, 0)

    @staticmethod
    def digest(data):
        return hashlib.sha256(data).hexdigest()

    def test_until_eof_and_the_end_of_the_stream(self):
        ours = self.connection()
        process = self.start("recv", "conn", "--until-eof")
        data = os.urandom(3_000_000)
        ours.sendall(data)
        ours.shutdown(socket.SHUT_WR)
        self.assertEqual(self.digest(self.finish(process, 0)[0]), self.digest(data))
        result = self.run_cli("recv", "conn", said="end of stream")
        self.assertEqual(result.stdout, b"")

    def test_shutdown(self):
        ours = self.connection()
        self.assertTrue(self.json("shutdown", "conn", "wr")["writeShutdown"])
        self.assertEqual(ours.recv(1), b"")
        ours.sendall(b"still")
        self.assertEqual(self.run_cli("recv", "conn", "--min", "5").stdout, b"still")
        both = self.json("shutdown", "conn", "both")
        self.assertTrue(both["readShutdown"] and both["writeShutdown"])

    def test_a_send_that_nobody_reads_times_out(self):
        self.connection()
        path = os.path.join(self.directory, "endless")
        with open(path, "wb") as file:
            file.truncate(64 << 20)
        result = self.run_cli("send", "conn", "--file", path, "--timeout", "100ms", code=6,
                              said="send: timed out; ")
        self.assertEqual(result.stdout, b"")

    def test_a_reset_is_told(self):
        ours = self.connection()
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        ours.close()
        self.run_cli("recv", "conn", code=3,
                     said="receive: Connection reset by peer (ECONNRESET)")

    def test_a_closed_reader_ends_recv_quietly(self):
        ours = self.connection()
        reading, writing = os.pipe()
        process = self.start("recv", "conn", "--until-eof", stdout=writing)
        os.close(writing)
        os.close(reading)
        ours.sendall(b"nobody reads this")
        self.assertEqual(process.wait(HANG), -signal.SIGPIPE)
        self.assertEqual(process.stderr.read(), b"")

    def test_a_full_disk_is_an_error(self):
        ours = self.connection()
        ours.sendall(b"x")
        with open("/dev/full", "wb") as full:
            process = self.start("recv", "conn", stdout=full)
            self.assertEqual(process.wait(HANG), 3)
        self.assertIn(b"cannot write the output", process.stderr.read())

    def test_help_on_a_full_disk_is_an_error(self):
        for words in [["--help"], ["open", "--help"], ["--version"]]:
            with open("/dev/full", "wb") as full:
                process = self.start(*words, stdout=full)
                self.assertEqual(process.wait(HANG), 3)
            self.assertEqual(b"socketeer: cannot write the output: No space left on device\n", process.stderr.read())


class Interrupts(CliTest):
    def test_ctrl_c_ends_a_waiting_call(self):
        self.listener()
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)):
            process = self.start("accept", "web", "--timeout", "none")
            self.until_waiting("web")
            process.send_signal(number)
            out, told = self.finish(process, code)
            self.assertEqual((out, told), (b"", ""))

    def test_the_daemon_hears_of_it_and_loses_nothing(self):
        ours = self.connection()
        process = self.start("recv", "conn", "--min", "10")
        ours.sendall(b"kept")
        self.until_waiting("conn")
        process.send_signal(signal.SIGINT)
        self.finish(process, 130)
        self.assertEqual(self.run_cli("recv", "conn").stdout, b"kept")

    def test_ctrl_c_while_standard_input_is_read(self):
        ours = self.connection()
        process = self.start("send", "conn", stdin=subprocess.PIPE)
        process.stdin.write(b"x")
        process.stdin.flush()
        self.assertEqual(ours.recv(1), b"x")
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(HANG), 130)

    def test_an_ignored_signal_stays_ignored(self):
        port = self.listener()
        process = self.start("accept", "web", preexec_fn=lambda: signal.signal(
            signal.SIGINT, signal.SIG_IGN))
        self.until_waiting("web")
        process.send_signal(signal.SIGINT)
        socket.create_connection(("127.0.0.1", port)).close()
        self.finish(process, 0)


class Datagrams(CliTest):
    def setUp(self):
        made = self.json("open", "udp4", "--bind", "127.0.0.1:0", "--id", "u")
        self.there = ("127.0.0.1", made["local"]["inet"]["port"])
        self.ours = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(self.ours.close)
        self.ours.bind(("127.0.0.1", 0))
        self.ours.settimeout(HANG)
        self.here = "127.0.0.1:%d" % self.ours.getsockname()[1]

    def test_send_to(self):
        for arguments, stdin, expected in ((("hi",), b"", b"hi"), (("",), b"", b""),
                                           ((), EVERY_BYTE, EVERY_BYTE)):
            self.run_cli("send", "u", *arguments, "--to", self.here, stdin=stdin)
            self.assertEqual(self.ours.recvfrom(1000), (expected, self.there))
        self.assertEqual(self.json("send", "u", "x", "--to", self.here)["datagramsSent"], 1)
        self.run_cli("send", "u", "x", code=3, said="EDESTADDRREQ")

    def test_recv_prints_one_datagram(self):
        for payload in (EVERY_BYTE, b"", b"two"):
            self.ours.sendto(payload, self.there)
        self.assertEqual(self.run_cli("recv", "u", said="256 bytes from " + self.here).stdout,
                         EVERY_BYTE)
        self.assertEqual(self.run_cli("recv", "u", said="0 bytes from " + self.here).stdout, b"")
        answer = self.json("recv", "u")["datagrams"][0]
        self.assertEqual(base64.b64decode(answer["payload"]), b"two")
        self.assertEqual("%(ip)s:%(port)d" % answer["source"]["inet"], self.here)

    def test_a_long_datagram_is_cut_and_said_so(self):
        self.ours.sendto(b"0123456789", self.there)
        self.assertEqual(self.run_cli("recv", "u", "--peek", "--max", "3",
                                      said="truncated: 3 of 10 bytes").stdout, b"012")
        self.run_cli("recv", "u", "--max", "3", said="truncated: 3 of 10 bytes")
        self.run_cli("recv", "u", "--timeout", "0", code=6, said="timed out")

    def test_too_large_a_datagram(self):
        self.run_cli("send", "u", "--to", self.here, stdin=b"x" * ((2 << 20) + 1), code=1,
                     said="more than 2097152 bytes")
        self.run_cli("send", "u", "--to", self.here, stdin=b"x" * 70000, code=3, said="EMSGSIZE")

    def test_records(self):
        path = os.path.join(self.directory, "seq.sock")
        self.run_cli("open", "unix-seqpacket", "--bind", path, "--listen", "--id", "seq")
        self.run_cli("open", "unix-seqpacket", "--connect", path, "--id", "one")
        self.run_cli("accept", "seq", "--id", "two")
        for record in ("first", "second"):
            self.run_cli("send", "one", record)
        self.assertEqual(self.out("recv", "two"), "first")
        self.run_cli("shutdown", "one", "wr")
        self.assertEqual(self.out("recv", "two", "--until-eof"), "second")
        self.assertEqual(self.out("recv", "two", said="end of stream"), "")


if __name__ == "__main__":
    unittest.main()
