"""share: let others use or observe a socket, and take it back."""
import socket
import unittest

from harness import HANG, CliTest, environment


class Share(CliTest):
    """The daemon's other address is a TCP port of the loopback: who calls there is `anonymous`."""

    def setUp(self):
        self.guest = environment(SOCKETEER_HOST=self.daemon.endpoints[1])

    def identity(self):
        return self.json("whoami")["identity"]

    def test_a_grant_comes_and_goes(self):
        self.listener("web")
        self.assertEqual(self.out("share", "web"), "IDENTITY  ACCESS\n")
        self.assertEqual(self.out("share", "web", "anonymous"), "IDENTITY   ACCESS\nanonymous  use\n")
        self.assertEqual(self.out("share", "sockets/web", "token:ci", "--observe"),
                         "IDENTITY   ACCESS\nanonymous  use\ntoken:ci   observe\n")
        self.assertEqual(self.out("share", "web", "-o", "name"), "anonymous\ntoken:ci\n")
        self.assertEqual(self.json("share", "web")["grants"],
                         [{"identity": "anonymous", "access": "ACCESS_USE"},
                          {"identity": "token:ci", "access": "ACCESS_OBSERVE"}])
        self.assertIn("- identity: anonymous\n", self.out("share", "web", "-o", "yaml"))
        self.assertRegex(self.out("inspect", "web"), r"Shared with: +anonymous to use, token:ci to observe\n")
        self.assertEqual(self.out("share", "web", "anonymous", "--withdraw"), "IDENTITY  ACCESS\ntoken:ci  observe\n")

    def test_whoever_it_is_shared_with_sees_whose_it_is_and_uses_it(self):
        port = self.listener("web")
        self.run_cli("inspect", "web", env=self.guest, code=3, said="web")
        self.run_cli("share", "web", "anonymous")
        self.listener("own")
        header, row = [line.split() for line in self.out("ls", env=self.guest).splitlines()]
        self.assertEqual((header[-2:], row[0], row[-2:]), (["OWNER", "LABELS"], "sockets/web", [self.identity(), "-"]))
        self.assertNotIn("OWNER", self.out("ls"))
        shown = self.out("inspect", "web", env=self.guest)
        self.assertRegex(shown, r"Owner: +" + self.identity() + "\n")
        self.assertRegex(shown, r"Session: +-\n")
        self.assertRegex(shown, r"For you to: +use\n")
        with socket.create_connection(("127.0.0.1", port), timeout=HANG):
            self.run_cli("accept", "web", "--id", "conn", env=self.guest)
        self.assertEqual(self.out("share", "web", env=self.guest), "IDENTITY   ACCESS\nanonymous  use\n")
        # "close --all" is about one's own.
        self.assertEqual(self.out("close", "--all", "-o", "name", env=self.guest), "sockets/conn\n")
        self.run_cli("close", "web", env=self.guest, code=3, said="only its owner may do this")
        self.run_cli("share", "web", "token:ci", env=self.guest, code=3, said="only its owner may do this")

    def test_who_observes_is_told_what_it_needs(self):
        self.connection("conn")
        self.run_cli("share", "conn", "anonymous", "--observe")
        self.run_cli("opt", "get", "conn", env=self.guest)
        self.run_cli("wait", "conn", "--for", "writable", env=self.guest)
        self.run_cli("send", "conn", "x", env=self.guest, code=3, said="shared with the caller for OBSERVE; this needs USE")

    def test_what_is_withdrawn_ends(self):
        self.connection("conn")
        self.run_cli("share", "conn", "anonymous")
        waiting = self.start("recv", "conn", env=self.guest)
        self.until_waiting("conn")
        self.run_cli("share", "conn", "anonymous", "--withdraw")
        self.assertIn("its owner withdrew the grant", self.finish(waiting, 3)[1])

    def test_watch_tells_of_it(self):
        self.listener("web")
        watch = self.start("watch", env=self.guest)
        self.run_cli("share", "web", "anonymous", "--observe")
        line = watch.stdout.readline().decode()
        self.assertRegex(line, r"^(shared  |snapshot)  sockets/web  tcp4  LISTENING")
        self.run_cli("share", "web", "anonymous", "--withdraw")
        self.assertEqual(watch.stdout.readline().decode(), "unshared  sockets/web\n")

    def test_wrong_inputs(self):
        self.listener("web")
        for arguments, said in [
                (["web", "--observe"], "--observe: whose? IDENTITY is missing"),
                (["web", "--withdraw"], "--withdraw: whose? IDENTITY is missing"),
                (["web", "token:ci", "--observe", "--withdraw"], "excludes"),
                (["web", "token:ci", "uid:1"], "uid:1"),
                (["Web", "token:ci"], '"Web" is not a socket'),
                (["web", "nobody"], 'identity is "nobody"; it must be a caller\'s: anonymous, or as uid:1000'),
                (["web", ""], "identity is"),
                (["web", "token:*"], "identity is"),
                (["web", "spiffe://" + "x" * 600], "at most 512 bytes"),
                (["web", self.identity()], "another than the owner's own")]:
            with self.subTest(arguments=arguments):
                self.run_cli("share", *arguments, code=1, said=said)
        self.run_cli("share", "web", b"token:\xff", code=1, said="IDENTITY: not UTF-8")
        self.run_cli("share", "web", "token:ci", "--withdraw", code=3, said='web is not shared with "token:ci"')
        self.run_cli("share", "never", "token:ci", code=3, said="never")
        self.assertEqual(self.out("share", "web", "-o", "name"), "")

    def test_completion_knows_it(self):
        self.assertIn("share) words='--help --observe --withdraw", self.out("completion", "bash"))


if __name__ == "__main__":
    unittest.main()
