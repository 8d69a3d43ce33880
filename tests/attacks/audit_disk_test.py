"""The audit where it cannot be written: a full disk, a pipe that nobody reads, a file that was moved or is none."""

import json
import os
import pathlib
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from audited import AuditedTest, parse_all  # noqa: E402
from contract import endpoint_pb, pb, socket_pb  # noqa: E402
from daemon import SOCKETEERD, own_namespaces  # noqa: E402
from eventually import eventually  # noqa: E402
from plain_port import announced  # noqa: E402
from scrape import scrape  # noqa: E402

OPEN = {"family": socket_pb.FAMILY_INET, "type": socket_pb.SOCKET_TYPE_STREAM}
QUEUE = 4 << 20
CONNECTS = 2 * QUEUE // 1_024  # of such long lines so many are too many for it


def open_and_close(client, count):
    for _ in range(count):
        made = client.sockets.OpenSocket(pb.OpenSocketRequest(**OPEN), timeout=20).socket
        client.sockets.CloseSocket(pb.CloseSocketRequest(name=made.name), timeout=20)


def connect_again(client, count):
    """Calls with long lines, each of them told, for they succeed. Opens two sockets, which stay."""
    unix = {"family": socket_pb.FAMILY_UNIX, "type": socket_pb.SOCKET_TYPE_DGRAM}
    name = endpoint_pb.UnixEndpoint(abstract_name=b"\xff" * 90 + str(os.getpid()).encode())
    peer = endpoint_pb.Endpoint(unix_domain=name)
    client.sockets.OpenSocket(pb.OpenSocketRequest(**unix, bind=peer), timeout=20)
    made = client.sockets.OpenSocket(pb.OpenSocketRequest(**unix), timeout=20).socket
    request = pb.ConnectSocketRequest(name=made.name, peer=peer)
    for done in range(0, count, 100):
        calls = [client.sockets.ConnectSocket.future(request, timeout=60) for _ in range(min(100, count - done))]
        for call in calls:
            call.result()


class FullDisk(AuditedTest):
    def setUp(self):
        super().setUp()
        disk = self.directory / "disk"
        disk.mkdir()
        client = self.serve_locally(prefix=[
            *own_namespaces("--mount"), "sh", "-ec", f'mount -t tmpfs -o size=64k none {disk}; exec "$@"', "sh"],
            audit=disk / "audit")
        self.client = client
        # The daemon's view of it.
        self.disk = pathlib.Path(f"/proc/{self.daemon.pid}/root{disk}")
        self.audit_file = self.disk / "audit"

    def serve_locally(self, audit, **options):
        self.daemon = self.start("--listen", f"unix:{self.path}", "--audit", str(audit), "--metrics", "127.0.0.1:0",
                                 **options)
        self.metrics = announced(self.daemon, "metrics")
        return self.local()

    def read_after_stop(self):
        """All lines; the disk goes with the daemon, but not what is open."""
        with open(self.audit_file, encoding="ascii") as audit:
            self.daemon.stop()
            return parse_all(audit.read())

    def make_room(self):
        subprocess.run(["nsenter", f"--mount=/proc/{self.daemon.pid}/ns/mnt", "mount", "-o", "remount,size=64m",
                        str(self.directory / "disk")], check=True)

    def test_calls_go_on_and_what_is_lost_is_counted_and_told(self):
        workers = [threading.Thread(target=open_and_close, args=(self.local(), 150)) for _ in range(2)]
        for worker in workers:
            worker.start()
        self.daemon.await_log("No space left on device; lines wait")
        for worker in workers:
            worker.join()
        told = parse_all(self.audit_file.read_text())  # none is torn
        self.assertGreater(len(told), 50)
        connect_again(self.client, CONNECTS)
        self.daemon.await_log("lines are lost, ")
        self.assertLess(self.daemon.log().count("lines are lost, "), 60)
        open_and_close(self.client, 1)  # calls go on
        self.make_room()
        self.daemon.await_log("is written again")
        probes = 0
        while self.lines()[-1]["event"] != "close":  # all is well again
            open_and_close(self.client, 1)
            probes += 1
        told = scrape(self.metrics)["socketeer_audit_lines_lost_total"]
        lines = self.read_after_stop()
        lost = sum(line["count"] for line in lines if line["event"] == "lost")
        self.assertGreater(lost, 100)
        # With the start, the standing session and the stop; and the two sockets of connect_again().
        happened = 3 + 2 * (2 * 150 + 1 + probes) + CONNECTS + 4
        self.assertEqual(happened, len([line for line in lines if line["event"] != "lost"]) + lost)
        self.assertEqual((lost, lost), (lines[-1]["lost"], told))
        self.assertIn(f"{lost} since the daemon began", self.daemon.log())

    def test_what_waits_is_written_when_there_is_room(self):
        open_and_close(self.client, 300)
        self.daemon.await_log("No space left on device; lines wait")
        self.make_room()
        self.daemon.await_log("is written again")
        open_and_close(self.client, 1)
        self.await_lines("close", 301)
        self.assertEqual([], self.lines("lost"))
        self.assertNotIn("lines are lost", self.daemon.log())

    def test_a_daemon_that_stops_does_not_wait_for_room(self):
        open_and_close(self.client, 300)
        self.daemon.await_log("No space left on device; lines wait")
        self.read_after_stop()
        self.daemon.await_log("lines are lost, ")


class StandardOutput(AuditedTest):
    def serve_to(self, stdout):
        log = open(self.directory / "log", "w+")
        self.addCleanup(log.close)
        self.process = subprocess.Popen([SOCKETEERD, "--listen", f"unix:{self.path}", "--audit", "-"],
                                        stdin=subprocess.DEVNULL, stdout=stdout, stderr=log)
        self.addCleanup(self.process.wait)
        self.addCleanup(self.process.kill)
        self.await_said("listening on unix:")
        return self.local()

    def said(self):
        return (self.directory / "log").read_text()

    def await_said(self, words):
        eventually(lambda: words in self.said(), lambda: f"{words!r} in {self.said()}")

    def test_has_nothing_else(self):
        client = self.serve_to(subprocess.PIPE)
        open_and_close(client, 1)
        self.process.terminate()
        out, _ = self.process.communicate(timeout=20)
        events = [line["event"] for line in parse_all(out.decode())]
        self.assertEqual(["start", "session_create", "open", "close", "stop"], events)

    def test_nobody_reads_it(self):
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        client = self.serve_to(writer)
        os.close(writer)
        connect_again(client, CONNECTS)
        self.await_said("nobody reads it; lines wait")
        self.await_said("lines are lost, ")
        open_and_close(client, 10)
        self.process.terminate()
        self.assertEqual(0, self.process.wait(timeout=10))
        self.assertIn("drained", self.said())

    def test_its_reader_goes(self):
        reader, writer = os.pipe()
        client = self.serve_to(writer)
        os.close(writer)
        os.close(reader)
        open_and_close(client, 10)
        self.await_said("Broken pipe; lines wait")
        self.process.terminate()
        self.assertEqual(0, self.process.wait(timeout=10))

    def test_a_full_device(self):
        with open("/dev/full", "w") as full:
            client = self.serve_to(full)
        open_and_close(client, 10)
        self.await_said("No space left on device; lines wait")
        self.process.terminate()
        self.assertEqual(0, self.process.wait(timeout=10))
        self.assertIn("23 since the daemon began", self.said())


class Files(AuditedTest):
    def test_goes_on_in_a_new_file_when_it_was_moved_away(self):
        client = self.serve_locally()
        open_and_close(client, 5)
        self.await_lines("close", 5)
        old = self.directory / "audit.1"
        self.audit_file.rename(old)
        open_and_close(client, 5)  # still there
        self.hang_up()
        self.daemon.await_log("reopened")
        open_and_close(client, 5)
        self.daemon.stop()
        self.assertEqual(0o600, self.audit_file.stat().st_mode & 0o777)
        self.assertEqual(0, len(self.lines("lost")))
        self.assertEqual(15, len(self.lines("close")) +
                         len([line for line in parse_all(old.read_text()) if line["event"] == "close"]))
        self.assertGreaterEqual(len(self.lines("close")), 5)

    def test_what_came_to_stand_there_changes_nothing(self):
        client = self.serve_locally()
        old = self.directory / "audit.1"
        self.audit_file.rename(old)
        self.audit_file.symlink_to("/etc/passwd")
        self.hang_up()
        self.daemon.await_log("is a symbolic link; the file before it goes on")
        open_and_close(client, 1)
        self.daemon.stop()
        self.assertEqual("stop", parse_all(old.read_text())[-1]["event"])

    def test_it_writes_in_the_folder_that_it_began_with_and_nowhere_else(self):
        """By Landlock, which knows a folder whatever its name: what an attacker makes of the path leads nowhere."""
        folder = self.directory / "audit.d"
        folder.mkdir()
        self.audit_file = folder / "audit"
        client = self.serve_locally()
        old = folder.rename(self.directory / "old")
        folder.mkdir()
        self.hang_up()
        self.daemon.await_log("Permission denied; the file before it goes on")
        open_and_close(client, 1)
        self.daemon.stop()
        self.assertEqual([], list(folder.iterdir()))
        self.assertEqual("stop", parse_all((old / "audit").read_text())[-1]["event"])

    def test_what_is_no_file_is_refused_in_one_line(self):
        def assert_refused(words):
            said = self.refusal("--listen", f"unix:{self.path}", "--audit", self.audit_file)
            self.assertEqual(f"socketeerd: audit {self.audit_file}: {words}\n", said)

        target = self.directory / "target"
        self.audit_file.symlink_to(target)
        assert_refused("is a symbolic link")
        self.assertFalse(target.exists())
        self.audit_file.unlink()
        os.mkfifo(self.audit_file)
        assert_refused('is no regular file; "-" is the standard output')
        self.audit_file.unlink()
        self.audit_file.mkdir()
        assert_refused("Is a directory")
        self.audit_file.rmdir()
        self.audit_file.write_text("")
        self.audit_file.chmod(0o622)
        assert_refused("others may write it: chmod go-w")
        self.audit_file.chmod(0o600)
        self.serve_locally()
        self.path = self.directory / "e.sock"
        assert_refused("another daemon writes there")

    def test_the_settings_file_has_it_too(self):
        config = self.directory / "config.yaml"
        config.write_text(json.dumps({"listen": f"unix:{self.path}", "audit": str(self.audit_file)}))
        self.daemon = self.start("--config", str(config))
        self.line("start")

    def test_killed_it_begins_a_line_of_its_own(self):
        self.audit_file.write_text('{"time":"2026-11-23T07:')
        self.audit_file.chmod(0o600)
        self.serve_locally()
        self.daemon.stop()
        torn, rest = self.audit_file.read_text().split("\n", 1)
        self.assertEqual('{"time":"2026-11-23T07:', torn)
        self.assertEqual(["start", "stop"], [line["event"] for line in parse_all(rest)])


if __name__ == "__main__":
    unittest.main()
