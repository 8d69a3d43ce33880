"""What the daemon tells the service manager that started it, and that nobody else tells it through the daemon."""

import os
import pathlib
import signal
import socket
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import grpc  # noqa: E402
import http2  # noqa: E402
from contract import Client, error_of  # noqa: E402
from daemon import DaemonTest  # noqa: E402
from guarded import GuardedTest, abstract, unix  # noqa: E402
from supervisor import StoppedThread, Supervisor, thread_named  # noqa: E402

WATCHED = 400_000  # microseconds


class NotifyTest(DaemonTest):
    def supervise(self, address=None):
        self.supervisor = Supervisor(address or self.directory / "notify.sock")
        self.addCleanup(self.supervisor.close)
        self.environment = {**os.environ, "NOTIFY_SOCKET": self.supervisor.address}

    def serve(self, *arguments, **variables):
        self.supervise()
        self.daemon = self.start("--listen", f"unix:{self.path}", *arguments, env={**self.environment, **variables})
        return self.daemon


class Life(NotifyTest):
    def test_ready_when_it_serves(self):
        self.supervise()
        daemon = self.start("--listen", f"unix:{self.path}", "--listen", "127.0.0.1:0", count=2, env=self.environment)
        said = self.supervisor.next()
        for address in daemon.addresses:
            self.assert_serves(address)
        self.assertEqual({"READY": "1", "STATUS": "Serving on " + ", ".join(daemon.addresses)}, said)

    def test_not_when_it_refuses_to(self):
        self.supervise()
        self.refusal("--listen", f"unix:{self.path}", "--policy", "/missing", env=self.environment)
        self.supervisor.say(b"ALL=1")  # the daemon is gone: what it had sent is before this
        self.assertEqual({"ALL": "1"}, self.supervisor.next())

    def test_a_reload_has_a_beginning_and_an_end(self):
        self.serve().process.send_signal(signal.SIGHUP)
        self.supervisor.until("READY")
        self.assertGreater(int(self.supervisor.until("RELOADING", "READY")["MONOTONIC_USEC"]), 0)
        self.supervisor.until("READY", "STOPPING")

    def test_the_end_and_how_long_it_may_take(self):
        daemon = self.serve("--drain-timeout", "70s")
        self.supervisor.until("READY")
        daemon.process.terminate()
        said = self.supervisor.until("STOPPING")
        self.assertEqual(("1", str(75_000_000)), (said["STOPPING"], said["EXTEND_TIMEOUT_USEC"]))
        self.assertEqual(0, daemon.wait())
        self.assertIn("draining: signal 15; calls that still run have 70000 ms", daemon.log())

    def test_at_an_abstract_name(self):
        self.supervise(f"@socketeer-test-{os.getpid()}")
        self.start("--listen", f"unix:{self.path}", env=self.environment)
        self.supervisor.until("READY")

    def test_that_nobody_hears_it_is_said(self):
        self.supervise()
        missing = self.directory / "missing.sock"
        daemon = self.start("--listen", f"unix:{self.path}", env={**self.environment, "NOTIFY_SOCKET": str(missing)})
        daemon.await_log(f"cannot notify {missing}: No such file or directory")
        self.assert_serves(daemon.address)


class NobodyReads(DaemonTest):
    def test_it_is_told_once_and_nothing_waits(self):
        """sd_notify(3) would wait for room, and no signal be heard any more."""
        path = str(self.directory / "notify.sock")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as deaf:
            deaf.bind(path)
            daemon = self.start("--listen", f"unix:{self.path}", env={
                **os.environ, "NOTIFY_SOCKET": path, "WATCHDOG_USEC": "1000"})  # 4,000 words in a second
            daemon.await_log(f"cannot notify {path}: Resource temporarily unavailable; this is told once")
            self.assert_serves(daemon.address)
            daemon.stop()
            self.assertEqual(1, daemon.log().count("cannot notify"))


class Drain(NotifyTest):
    def hold(self):
        """A call that does not end: its caller gives the daemon no window to write the answer in."""
        connection = socket.socket(socket.AF_UNIX)
        self.addCleanup(connection.close)
        connection.connect(str(self.path))
        connection.sendall(http2.opening([(http2.INITIAL_WINDOW_SIZE, 0)]) + http2.call("HostService/GetCaller"))
        client = Client(f"unix:{self.path}")
        self.addCleanup(client.close)
        client.await_calls(1)

    def test_progress_is_told_and_the_deadline_kept(self):
        daemon = self.serve("--drain-timeout", "1500ms", WATCHDOG_USEC=str(WATCHED))
        self.hold()
        daemon.process.terminate()
        self.supervisor.until("STOPPING")
        self.supervisor.until("WATCHDOG")  # also while it drains
        while "still run" not in (status := self.supervisor.until("STATUS")["STATUS"]):
            pass
        self.assertRegex(status, r"^Draining: 1 calls still run, \d+ ms left$")
        self.assertEqual(0, daemon.wait())
        self.assertIn("drained: 1 calls had not ended in time and were cut off", daemon.log())

    def test_a_second_signal_ends_it_at_once(self):
        daemon = self.serve("--drain-timeout", "1h")
        self.hold()
        daemon.process.terminate()
        daemon.await_log("draining: signal 15")
        daemon.await_log("draining: 1 calls still run")
        daemon.process.send_signal(signal.SIGINT)
        self.assertEqual(-signal.SIGINT, daemon.wait())


class Watchdog(NotifyTest):
    def test_it_is_told_while_all_loops_turn(self):
        for loop in ["socket-loop", "control-loop"]:
            with self.subTest(loop):
                daemon = self.serve(WATCHDOG_USEC=str(WATCHED))
                self.supervisor.until("WATCHDOG")
                stuck = StoppedThread(thread_named(daemon.pid, loop))
                daemon.await_log("an event loop does not turn")
                if loop == "socket-loop":
                    self.reload()  # what was told before it hung was told before this
                    for _ in range(20):
                        self.reload("WATCHDOG")
                stuck.resume()
                self.supervisor.until("WATCHDOG")  # well again
                daemon.stop()
                self.supervisor.close()
                os.unlink(self.supervisor.address)

    def reload(self, *forbidden):
        """With one of them no message comes before its end."""
        self.daemon.process.send_signal(signal.SIGHUP)
        self.supervisor.until("RELOADING", *forbidden)
        self.supervisor.until("READY", *forbidden)

    def test_signals_do_not_keep_it_from_being_told(self):
        """It had to be silent for a while first: reloads one after the other let it be killed."""
        self.serve(WATCHDOG_USEC=str(WATCHED))
        self.supervisor.until("READY")
        told = 0
        for _ in range(100_000):
            self.daemon.process.send_signal(signal.SIGHUP)
            while "READY" not in (message := self.supervisor.next()):
                told += "WATCHDOG" in message
            if told == 5:
                return
        self.fail(f"{told} times")

    def test_nobody_asks(self):
        self.serve()
        self.supervisor.until("READY")
        self.daemon.stop()
        self.supervisor.until("STOPPING", "WATCHDOG")

    def test_what_cannot_be_meant_is_refused(self):
        for variables, words in [({"WATCHDOG_USEC": "x"}, "WATCHDOG_USEC and WATCHDOG_PID: Invalid argument"),
                                 ({"NOTIFY_SOCKET": "/" * 120}, "; it must be a path, or @ and an abstract name")]:
            said = self.refusal("--listen", f"unix:{self.path}", env={**os.environ, **variables})
            self.assertIn(words, said)
            self.assertEqual(1, said.count("\n"), said)


class NobodySpeaksForTheDaemon(GuardedTest):
    """It believes what comes from the daemon's process: READY, MAINPID, FDSTORE."""

    def serve(self, address, policy):
        self.supervisor = Supervisor(address)
        self.addCleanup(self.supervisor.close)
        environment = {**os.environ, "NOTIFY_SOCKET": self.supervisor.address}
        if policy:
            self.write({"allow": ["all"]})
        arguments = ["--policy", str(self.file)] if policy else []
        self.daemon = self.start("--listen", f"unix:{self.path}", *arguments, env=environment)
        self.client = self.connect(self.daemon.address)
        self.supervisor.until("READY")

    def assert_denied_ways(self, ways):
        for way in ways:
            for act in [self.send_to, self.dial]:
                with self.subTest(way=way, act=act):
                    made = self.opened("unix-dgram").name
                    with self.assertRaises(grpc.RpcError) as raised:
                        act(made, way)
                    self.assertEqual("POLICY_DENIED", error_of(raised.exception)[0].reason)
        self.daemon.stop()
        self.supervisor.until("STOPPING")

    def assert_a_path_is_kept(self, policy):
        path = self.directory / "notify.sock"
        self.serve(path, policy)
        (self.directory / "link").symlink_to(path)
        os.link(path, self.directory / "hard")
        beyond = Supervisor(self.directory / "other.sock")
        self.addCleanup(beyond.close)
        self.send_to(self.opened("unix-dgram").name, unix(beyond.address))  # any other may be spoken to
        self.assert_denied_ways([unix(path), unix(self.directory / "link"), unix(self.directory / "hard"),
                                 unix(f"/proc/{self.daemon.pid}/root{path}")])

    def test_a_path_under_a_policy(self):
        self.assert_a_path_is_kept(True)

    def test_a_path_without_one(self):
        self.assert_a_path_is_kept(False)

    def test_an_abstract_name(self):
        name = f"socketeer-test-{os.getpid()}"
        for policy in [True, False]:
            self.serve("@" + name, policy)
            self.assert_denied_ways([abstract(name.encode())])
            self.supervisor.close()


if __name__ == "__main__":
    unittest.main()
