"""The daemon's log: one line for each fact, as text or JSON, and what it tells of calls."""

import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import grpc  # noqa: E402
from contract import Client, host_pb, pb, socket_pb, watch_pb  # noqa: E402
from daemon import SOCKETEERD, DaemonTest, socketeer  # noqa: E402

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
WORD = re.compile(r' (\w+)="([^"]*)"')


class LogTest(DaemonTest):
    def serve(self, *arguments, announced=1):
        self.daemon = self.start("--listen", f"unix:{self.path}", *arguments, count=announced)
        self.client = Client(f"unix:{self.path}")
        self.addCleanup(self.client.close)

    def open(self, **request):
        metadata = request.pop("metadata", ())
        return self.client.sockets.OpenSocket(pb.OpenSocketRequest(type=socket_pb.SOCKET_TYPE_DGRAM, family=socket_pb.FAMILY_INET,
                                                                    **request),
                                              metadata=metadata).socket

    def calls(self):
        """What is told of each call, once the daemon is gone."""
        self.daemon.stop()
        lines = [line for line in self.daemon.log().splitlines() if "] call " in line]
        for line in lines:
            self.assertRegex(line, r"^\[[-0-9]+ [:.0-9]+\] \[socketeerd\] \[debug\] call method=")
        return [dict(WORD.findall(line)) for line in lines]


class Calls(LogTest):
    def test_none_by_itself(self):
        self.serve()
        self.open()
        self.assertEqual([], self.calls())

    def test_who_did_what_and_how_it_ended(self):
        self.serve("--log-level", "debug")
        self.open(socket_id="x", request_id="first")
        with self.assertRaises(grpc.RpcError):
            self.open(socket_id="x", request_id="second")
        self.client.sockets.CloseSocket(pb.CloseSocketRequest(name="sockets/x"))
        opened, failed, closed = self.calls()
        for each in [opened, failed, closed]:
            self.assertRegex(each["identity"], r"^uid:\d+$")
            self.assertRegex(each["caller"], r"^unix:uid=\d+,pid=\d+$")
            self.assertEqual("sessions/standing", each["session"])
            self.assertRegex(each["duration_us"], r"^\d+$")
        self.assertEqual(("OpenSocket", "OK", "OK", "first"),
                         tuple(opened[key] for key in ["method", "code", "outcome", "request_id"]))
        self.assertEqual(("OpenSocket", "ALREADY_EXISTS", "SOCKET_EXISTS", "second"),
                         tuple(failed[key] for key in ["method", "code", "outcome", "request_id"]))
        self.assertEqual(("CloseSocket", "OK", "sockets/x"), tuple(closed[key] for key in ["method", "code", "socket"]))
        self.assertNotIn("request_id", closed)
        self.assertEqual(3, len({each["call"] for each in [opened, failed, closed]}))

    def test_a_stream_when_it_ends(self):
        self.serve("--log-level", "debug")
        stream = self.client.sockets.WatchSockets(watch_pb.WatchSocketsRequest())
        next(iter(stream))
        stream.cancel()
        self.daemon.await_log('method="WatchSockets"')
        watched, = self.calls()
        self.assertEqual(("CANCELLED", "CANCELLED"), (watched["code"], watched["outcome"]))

    def test_the_level_changes_while_it_runs(self):
        self.serve("--log-level", "error")
        for number, words in [(signal.SIGUSR1, "the log's level is debug"), (signal.SIGUSR2, "the log's level is as it"),
                              (signal.SIGUSR1, "the log's level is debug")]:
            before = self.daemon.log().count(words)
            self.daemon.process.send_signal(number)
            self.daemon.await_log(words, before + 1)
            self.open(request_id=f"{number.name}-{before}")
        told = [each["request_id"] for each in self.calls()]
        self.assertEqual(["SIGUSR1-0", "SIGUSR1-1"], told)
        self.assertNotIn("root's", self.daemon.log())  # a warning, and the level is error

    def test_a_value_ends_where_it_ends(self):
        self.serve("--log-level", "debug")
        forged = 'x" identity="uid:4711" code="OK'
        self.open(request_id=forged)
        self.daemon.stop()
        self.assertIn(' request_id="x\\" identity=\\"uid:4711\\" code=\\"OK" ', self.daemon.log())

    def test_who_does_not_read_it_holds_up_no_call(self):
        """What does not fit is lost, oldest first, and that is told."""
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        process = subprocess.Popen([SOCKETEERD, "--listen", f"unix:{self.path}", "--log-level", "debug"],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=writer, text=True)
        os.close(writer)
        self.addCleanup(lambda: (process.kill(), process.communicate()))
        process.stdout.readline()
        client = Client(f"unix:{self.path}")
        self.addCleanup(client.close)
        for _ in range(6_000):  # a pipe holds some 400 lines, the queue 4,096
            client.hosts.GetCaller(host_pb.GetCallerRequest(), timeout=20)
        process.terminate()
        said = b""
        while more := os.read(reader, 1 << 20):
            said += more
        self.assertEqual(0, process.wait())
        self.assertRegex(said.decode(), r"\[warning\] \d+ lines about calls were lost: nobody read the log in time")

    def test_what_it_is_a_part_of(self):
        """W3C Trace Context: a traceparent that is none is as if it were not there."""
        self.serve("--log-level", "debug", "--audit", str(self.directory / "audit"))
        given = [TRACE, TRACE.upper(), TRACE[:-1], TRACE + "0", TRACE + "-more", TRACE.replace("-", "_"), "",
                 "ff" + TRACE[2:], "cc" + TRACE[2:] + "-more", "00-" + "0" * 32 + TRACE[35:],
                 TRACE[:36] + "0" * 16 + "-01", TRACE[:-3] + '-"x']
        for each in given:
            self.open(metadata=[("traceparent", each)])
        kept = [TRACE, None, None, None, None, None, None, None, "cc" + TRACE[2:], None, None, None]
        self.assertEqual(kept, [each.get("traceparent") for each in self.calls()])
        events = [json.loads(line) for line in (self.directory / "audit").read_text().splitlines()]
        self.assertEqual(kept, [each.get("traceparent") for each in events if each["event"] == "open"])

    def test_the_command_passes_on_what_it_is_a_part_of(self):
        self.serve("--log-level", "debug")
        for given in [TRACE, "nonsense", "", TRACE + "-\n", "01" + TRACE[2:] + "-\n"]:
            run = socketeer(f"unix:{self.path}", "whoami", "-o", "name", env={**os.environ, "TRACEPARENT": given})
            self.assertEqual(0, run.returncode, run.stderr)
        self.assertEqual([TRACE, None, None, None, "01" + TRACE[2:]], [each.get("traceparent") for each in self.calls()])


class Json(LogTest):
    def test_each_line_is_an_object(self):
        self.serve("--log-format", "json", "--log-level", "debug", announced=0)
        self.daemon.await_log("listening on")
        self.open(socket_id="x", request_id="first", metadata=[("traceparent", TRACE)])
        self.daemon.process.send_signal(signal.SIGHUP)
        for text in ['"', "\\", "a\nb", "{", "\u00fc", "\x7f"]:
            with self.assertRaises(grpc.RpcError):
                self.client.sockets.GetSocket(pb.GetSocketRequest(name="sockets/" + text))
            try:
                self.open(request_id=text)
            except grpc.RpcError:
                pass
        self.daemon.process.terminate()
        self.assertEqual("", self.daemon.process.stdout.read())  # all is in the log
        self.assertEqual(0, self.daemon.wait())
        lines = [json.loads(line) for line in self.daemon.log().splitlines()]
        for line in lines:
            self.assertRegex(line["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
            self.assertIn(line["level"], ["debug", "info", "warning", "error"])
        said = [line["message"] for line in lines]
        self.assertIn(f"listening on unix:{self.path}", said)
        self.assertEqual("drained", said[-1])
        opened = next(line for line in lines if line["message"] == "call" and line["method"] == "OpenSocket")
        self.assertIsInstance(opened["duration_us"], int)
        self.assertEqual(("debug", "OK", "first", TRACE),
                         tuple(opened[key] for key in ["level", "code", "request_id", "traceparent"]))


class OneLine(LogTest):
    def test_a_fact_is_one_line(self):
        """What it tells may hold an end of line: here the operator's own."""
        odd = self.directory / "d\n[error] forged"
        for arguments, words in [(["--log-format", "json"], "listening on unix:"), (["--audit", "-"], "listening on ")]:
            daemon = self.start("--listen", f"unix:{odd}", *arguments, count=0)
            daemon.await_log(words)
            daemon.stop()
            said = daemon.log().splitlines()
            self.assertEqual([], [line for line in said if line.startswith("[error] forged")], said)


class Always(LogTest):
    def test_where_it_serves_at_every_level(self):
        """With JSON there is nothing on the standard output: a port 0 would not be known."""
        for level in ["debug", "info", "warning", "error"]:
            self.serve("--log-format", "json", "--log-level", level, announced=0)
            self.daemon.await_log(f"listening on unix:{self.path}")
            self.daemon.process.send_signal(signal.SIGUSR1)
            self.daemon.await_log("the log's level is debug")
            self.daemon.stop()
            lines = [json.loads(line) for line in self.daemon.log().splitlines()]
            self.assertEqual({"info"}, {line["level"] for line in lines if "level is" in line["message"]})

    def test_in_text_it_is_no_alarm(self):
        self.serve()
        self.daemon.process.send_signal(signal.SIGUSR1)
        self.daemon.await_log("[info] the log's level is debug")


class Settings(LogTest):
    def test_wrong_words_are_refused(self):
        for flag, allowed in [("--log-level", "debug, info, warning or error"), ("--log-format", "text or json")]:
            said = self.refusal("--listen", f"unix:{self.path}", flag, "loud")
            self.assertEqual(f'socketeerd: {flag} is "loud"; it must be {allowed}\n', said)

    def test_signals_that_set_the_level_do_not_end_a_drain(self):
        self.serve("--drain-timeout", "0s")
        for number in [signal.SIGUSR1, signal.SIGUSR2, signal.SIGHUP]:
            self.daemon.process.send_signal(number)
        self.daemon.process.terminate()
        for number in [signal.SIGUSR1, signal.SIGUSR2, signal.SIGHUP]:
            self.daemon.process.send_signal(number)
        self.assertEqual(0, self.daemon.wait())


if __name__ == "__main__":
    unittest.main()
