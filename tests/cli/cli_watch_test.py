"""watch: every change of every socket, in order, whatever becomes of the connection."""
import json
import os
import signal
import unittest

from harness import HANG, CliTest, Daemon, environment


class Watch(CliTest):
    def watch(self, *arguments, **options):
        return self.start("watch", *arguments, **options)

    def words(self, process):
        """The next line, by its columns."""
        return process.stdout.readline().decode().split()

    def change(self, process):
        """The next document: (kind, name), and the revision."""
        change = json.loads(process.stdout.readline())
        kind = change["kind"].removeprefix("CHANGE_KIND_")
        return (kind, change["socket"]["name"]), change["revision"]

    def test_a_socket_from_its_first_day_to_its_last(self):
        self.run_cli("open", "udp4", "--id", "old")
        process = self.watch()
        self.assertEqual(self.words(process), ["snapshot", "sockets/old", "udp4", "CREATED", "-", "-"])
        self.run_cli("open", "tcp4", "--id", "new")
        self.assertEqual(self.words(process), ["opened", "sockets/new", "tcp4", "CREATED", "-", "-"])
        self.run_cli("bind", "new", "127.0.0.1:0")
        self.assertEqual(self.words(process)[:4], ["updated", "sockets/new", "tcp4", "BOUND"])
        self.run_cli("close", "new")
        closed = self.words(process)
        self.assertEqual([*closed[:4], closed[-1]], ["closed", "sockets/new", "tcp4", "CLOSED", "OWNER"])
        process.send_signal(signal.SIGINT)
        self.assertEqual(self.finish(process, 130), (b"", ""))

    def test_the_end_of_a_session_is_told(self):
        self.run_cli("session", "create", "--id", "short")
        self.run_cli("open", "udp4", "--id", "u", "--session", "short")
        process = self.watch()
        self.assertEqual(self.words(process)[:2], ["snapshot", "sockets/u"])
        self.run_cli("session", "end", "short")
        closed = self.words(process)
        self.assertEqual([closed[0], closed[-1]], ["closed", "SESSION_ENDED"])

    def test_output_forms(self):
        self.run_cli("open", "udp4", "--id", "u")
        self.assertEqual(self.watch("-o", "name").stdout.readline(), b"sockets/u\n")
        self.assertEqual(self.change(self.watch("-o", "json"))[0], ("SNAPSHOT", "sockets/u"))
        yaml = self.watch("-o", "yaml").stdout
        self.assertEqual((yaml.readline(), yaml.readline()), (b"---\n", b"kind: CHANGE_KIND_SNAPSHOT\n"))

    def test_goes_on_behind_a_revision(self):
        self.run_cli("open", "udp4", "--id", "u")
        _, revision = self.change(self.watch("-o", "json"))
        self.run_cli("label", "u", "k=v")
        self.run_cli("close", "u")
        process = self.watch("--from", revision, "-o", "json")
        told, updated = self.change(process)
        self.assertEqual(told, ("UPDATED", "sockets/u"))
        self.assertEqual(self.change(process)[0], ("CLOSED", "sockets/u"))
        self.assertEqual(self.words(self.watch("--from", updated))[:2], ["closed", "sockets/u"])

    def test_a_revision_that_is_too_old_begins_anew(self):
        self.run_cli("open", "udp4", "--id", "u")
        process = self.watch("--from", "0")
        self.said(process, "watch: the changes since then are no longer remembered; all sockets as they are now:")
        self.assertEqual(self.words(process)[:2], ["snapshot", "sockets/u"])

    def test_nothing_is_missed_nor_twice_when_the_connection_breaks(self):
        proxy = self.proxy()
        self.run_cli("open", "udp4", "--id", "u")
        process = self.watch("--host", proxy.address, "-o", "json")
        self.assertEqual(self.change(process)[0], ("SNAPSHOT", "sockets/u"))
        for number in range(3):
            proxy.cut()
            self.said(process, "trying again")
            self.run_cli("label", "u", f"n={number}")
            self.assertEqual(self.change(process)[0], ("UPDATED", "sockets/u"))
            self.said(process, "the daemon is back")
        self.run_cli("close", "u")
        self.assertEqual(self.change(process)[0], ("CLOSED", "sockets/u"))

    def test_a_daemon_that_stays_away_is_2_and_the_place_is_told(self):
        proxy = self.proxy()
        self.run_cli("open", "udp4", "--id", "u")
        process = self.watch("--host", proxy.address, "--timeout", "200ms", "-o", "json")
        _, revision = self.change(process)
        proxy.stop()
        _, told = self.finish(process, 2)
        self.assertIn("trying again\n", told)
        self.assertIn(f"socketeer: watch: --from {revision} goes on from here\n", told)
        self.assertIn("cannot reach the daemon", told)

    def test_a_daemon_that_was_started_anew_is_told_anew(self):
        directory = os.path.join(self.directory, "anew")
        os.mkdir(directory)
        daemon = Daemon(directory)
        env = environment(SOCKETEER_HOST="unix:" + daemon.path)
        self.run_cli("open", "udp4", "--id", "u", env=env)
        process = self.watch(env=env)
        self.assertEqual(self.words(process)[:2], ["snapshot", "sockets/u"])
        self.assertEqual(daemon.stop(), 0)
        self.addCleanup(Daemon(directory).stop)
        self.run_cli("open", "udp4", "--id", "other", env=env)
        closed = self.words(process)
        self.assertEqual([*closed[:2], closed[-1]], ["closed", "sockets/u", "DRAINING"])
        self.said(process, "trying again")
        self.said(process, "the daemon is back")
        self.said(process, "no longer remembered")
        self.assertIn(self.words(process)[:2], (["snapshot", "sockets/other"], ["opened", "sockets/other"]))

    def test_a_reader_that_is_gone_ends_it_though_nothing_happens(self):
        self.run_cli("open", "udp4", "--id", "u")
        reading, writing = os.pipe()
        process = self.watch(stdout=writing)
        os.close(writing)
        with open(reading, "rb") as lines:
            lines.readline()
        self.assertEqual(process.wait(HANG), -signal.SIGPIPE)
        self.assertEqual(process.stderr.read(), b"")


if __name__ == "__main__":
    unittest.main()
