"""session, --session and transfer: how long sockets live."""
import os
import signal
import socket
import unittest

from harness import HANG, CliTest, Daemon, environment


class Sessions(CliTest):
    def create(self, name, *arguments):
        return self.out("session", "create", "--id", name, "-o", "name", *arguments).strip()

    def hold(self, name, *arguments, **options):
        """A `session hold` that holds."""
        process = self.start("session", "hold", name, *arguments, **options)
        self.said(process, f"session hold: holding sessions/{name}")
        return process

    def session_of(self, name):
        return self.json("inspect", name)["session"]

    def test_create_prints_it(self):
        self.assertEqual(self.out("session", "create", "--id", "a1", "--ttl", "1m30s", "--grace", "500ms"),
                         "sessions/a1  ttl 1m30s  grace 500ms  sockets 0  holders 0\n")
        made = self.json("session", "create")
        self.assertRegex(made["name"], "^sessions/s-[a-z2-7]{26}$")
        self.assertEqual((made["ttl"], made["grace"]), ("60s", "0s"))
        self.assertTrue(self.out("session", "create", "-o", "yaml").startswith("---\nname: sessions/s-"))
        self.assertEqual(self.create("a2"), "sessions/a2")

    def test_ls_and_inspect(self):
        self.create("listed", "--ttl", "1h")
        self.run_cli("open", "udp4", "--session", "listed")
        header, *rows = [line.split() for line in self.out("session", "ls").splitlines()]
        self.assertEqual(header, ["NAME", "TTL", "GRACE", "EXPIRES", "SOCKETS", "HOLDERS"])
        row = next(row for row in rows if row[0] == "sessions/listed")
        self.assertEqual([*row[1:3], *row[4:]], ["1h", "0", "1", "0"])
        self.assertIn("sessions/listed\n", self.out("session", "ls", "-o", "name"))
        self.assertIn("sessions/standing", [one["name"] for one in self.json("session", "ls")["sessions"]])
        shown = self.out("session", "inspect", "sessions/listed")
        self.assertRegex(shown, r"Name: +sessions/listed\n(.*\n)*Sockets: +1\n")
        self.assertEqual(self.json("session", "inspect", "listed")["ttl"], "3600s")

    def test_a_socket_lives_in_the_session_that_is_named(self):
        self.create("s1")
        self.create("s2")
        variable = {**self.env, "SOCKETEER_SESSION": "sessions/s2"}
        self.run_cli("open", "udp4", "--id", "one", "--session", "s1")
        self.run_cli("open", "udp4", "--id", "two", env=variable)
        self.run_cli("open", "udp4", "--id", "three", "--session", "sessions/s1", env=variable)
        self.run_cli("open", "udp4", "--id", "four", env={**self.env, "SOCKETEER_SESSION": ""})
        self.assertEqual([self.session_of(name) for name in ("one", "two", "three", "four")],
                         ["sessions/s1", "sessions/s2", "sessions/s1", "sessions/standing"])
        self.assertEqual(self.out("session", "end", "s1"), "sessions/s1  ttl 1m  grace 0  sockets 2  holders 0\n")
        self.assertEqual(self.out("ls", "-o", "name"), "sockets/four\nsockets/two\n")

    def test_close_without_names_means_the_session_that_is_named(self):
        for name in ("mine", "other"):
            self.create(name)
            for socket_id in (f"{name}-a", f"{name}-b"):
                self.run_cli("open", "udp4", "--id", socket_id, "--label", f"n={socket_id[-1]}", "--session", name)
        self.run_cli("open", "udp4", "--id", "standing-a", "--label", "n=a")
        self.assertEqual(self.out("close", "--label", "n=a", "--session", "mine", "-o", "name"), "sockets/mine-a\n")
        variable = {**self.env, "SOCKETEER_SESSION": "mine"}
        self.assertEqual(self.out("close", "--all", "-o", "name", env=variable), "sockets/mine-b\n")
        self.run_cli("close", "--all", "--session", "mine", said="no sockets")
        self.run_cli("close", "--all", "--session", "nobodys", code=3, said="sessions/nobodys")
        self.assertEqual(self.out("ls", "--filter", "session = sessions/other", "-o", "name"),
                         "sockets/other-a\nsockets/other-b\n")
        self.assertEqual(self.out("close", "--all", "-o", "name"),
                         "sockets/other-a\nsockets/other-b\nsockets/standing-a\n")

    def test_a_bad_variable_is_named(self):
        bad = {**self.env, "SOCKETEER_SESSION": "A B"}
        self.run_cli("ls", env=bad, code=1, said='SOCKETEER_SESSION: "A B" is not a session: ID or sessions/ID')

    def test_what_is_accepted_lives_in_the_session_that_is_named(self):
        self.create("accepting")
        port = self.listener()
        self.run_cli("open", "tcp", "--connect", f"127.0.0.1:{port}")
        self.run_cli("accept", "web", "--id", "conn", "--session", "accepting")
        self.assertEqual(self.session_of("conn"), "sessions/accepting")

    def test_end_tells_why_its_sockets_are_closed(self):
        self.create("ended")
        self.listener("held", "--session", "ended")
        waiting = self.start("accept", "held")
        self.until_waiting("held")
        self.run_cli("session", "end", "ended")
        self.assertIn("its owner ended the session", self.finish(waiting, 3)[1])
        self.assertRegex(self.out("inspect", "held"), r"State: +CLOSED\n(.*\n)*Closed: .*Z  SESSION_ENDED\n")
        self.run_cli("session", "end", "ended", code=3, said="sessions/ended ended before this call")
        self.run_cli("ls", "--session", "ended", code=3, said="sessions/ended ended before this call")

    def test_one_that_ended_does_not_stand_in_the_way_of_the_next(self):
        self.create("old")
        self.run_cli("session", "end", "old")
        env = {**self.env, "SOCKETEER_SESSION": "old"}
        self.run_cli("healthcheck", env=env)
        self.run_cli("version", env=env)
        self.run_cli("session", "create", "--id", "old", env=env)
        self.run_cli("open", "udp4", env=env)
        self.run_cli("session", "end", "old", env=env)

    def test_what_waits_on_a_transferred_socket_goes_on(self):
        self.create("from")
        made = self.json("open", "udp4", "--bind", "127.0.0.1:0", "--id", "moved", "--session", "from")
        waiting = self.start("recv", "moved")
        self.until_waiting("moved")
        self.assertTrue(self.out("transfer", "moved", "--to", "standing").startswith("sockets/moved  udp4  BOUND"))
        self.run_cli("session", "end", "from")
        self.assertEqual(self.session_of("moved"), "sessions/standing")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ours:
            ours.sendto(b"hello", ("127.0.0.1", made["local"]["inet"]["port"]))
        self.assertEqual(self.finish(waiting, 0)[0], b"hello")

    def test_a_holder_that_is_killed_lets_the_lease_end(self):
        self.create("leased", "--ttl", "1s")
        holder = self.hold("leased")
        self.assertEqual(self.json("session", "inspect", "leased")["holders"], 1)
        port = self.listener("held", "--session", "leased")
        waiting = self.start("wait", "held", "--for", "closed", "-o", "name")
        holder.kill()
        self.assertEqual(self.finish(waiting, 0)[0], b"sockets/held\n")
        self.assertEqual(self.json("inspect", "held")["closeReason"], "CLOSE_REASON_LEASE_EXPIRED")
        self.run_cli("session", "inspect", "leased", code=3, said="the lease ran out")
        self.run_cli("open", "tcp", "--bind", f"127.0.0.1:{port}", "--listen")  # the port is free

    def test_hold_ends_with_3_and_the_reason_when_the_session_does(self):
        self.create("over")
        holder = self.hold("over")
        self.run_cli("session", "end", "over")
        self.assertIn("session hold: sessions/over ended", self.finish(holder, 3)[1])

    def test_hold_prints_the_session_when_asked(self):
        self.create("shown")
        holder = self.hold("shown", "-o", "name")
        self.assertEqual(holder.stdout.readline(), b"sessions/shown\n")

    def test_ctrl_c_ends_a_hold_and_not_the_session(self):
        self.create("kept")
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)):
            holder = self.hold("kept")
            holder.send_signal(number)
            self.assertEqual(self.finish(holder, code), (b"", ""))
        self.run_cli("session", "inspect", "kept")

    def test_hold_outlives_its_connection(self):
        proxy = self.proxy()
        self.create("cut")
        holder = self.hold("cut", "--host", proxy.address)
        proxy.cut()
        self.said(holder, "trying again")
        self.said(holder, "the daemon is back")
        self.said(holder, "holding sessions/cut")
        self.run_cli("session", "end", "cut")
        self.finish(holder, 3)

    def test_a_short_lease_outlives_a_short_break(self):
        proxy = self.proxy()
        self.create("short", "--ttl", "3s")
        holder = self.hold("short", "--host", proxy.address)
        for _ in range(2):
            proxy.cut(refused=2)
            self.said(holder, "trying again")
            self.said(holder, "the daemon is back")
            self.said(holder, "holding sessions/short")
        self.run_cli("session", "end", "short")
        self.finish(holder, 3)

    def test_hold_ends_with_2_when_the_daemon_stays_away(self):
        proxy = self.proxy()
        self.create("away")
        holder = self.hold("away", "--host", proxy.address, "--timeout", "200ms")
        proxy.stop()
        self.said(holder, "trying again")
        self.assertIn("cannot reach the daemon", self.finish(holder, 2)[1])

    def test_hold_ends_with_3_when_the_daemon_is_another_one(self):
        directory = os.path.join(self.directory, "restart")
        os.mkdir(directory)
        daemon = Daemon(directory)
        env = environment(SOCKETEER_HOST="unix:" + daemon.path)
        self.run_cli("session", "create", "--id", "s", env=env)
        holder = self.hold("s", env=env)
        self.assertEqual(daemon.stop(), 0)
        self.addCleanup(Daemon(directory).stop)
        self.said(holder, "trying again")
        self.assertEqual(holder.wait(HANG), 3)


if __name__ == "__main__":
    unittest.main()
