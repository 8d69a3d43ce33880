"""Where a daemon listens, who may reach it there, and what it refuses."""

import os
import pathlib
import shutil
import socket
import stat
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from daemon import NOBODY, SOCKETEER, SOCKETEERD, DaemonTest, as_nobody, own_namespaces, socketeer  # noqa: E402


class Addresses(DaemonTest):
    def as_a_user(self):
        """How to start a daemon that is not root, for which the default differs."""
        if os.geteuid() != 0:
            return {}
        os.chown(self.directory, NOBODY, NOBODY)
        return {"prefix": as_nobody(), "program": shutil.copy(SOCKETEERD, self.directory)}

    def test_the_default_is_a_socket_in_the_runtime_directory(self):
        daemon = self.start("--loops", "1", env={"XDG_RUNTIME_DIR": str(self.directory)}, **self.as_a_user())
        self.assertEqual(f"unix:{self.directory}/socketeer.sock", daemon.address)
        self.assertEqual(0o600, stat.S_IMODE(os.stat(self.directory / "socketeer.sock").st_mode))

    def test_the_default_of_root_is_in_run(self):
        # A /run of its own, so that whoever serves there is not disturbed.
        script = 'mount -t tmpfs none /run && exec "$0" "$@"'
        daemon = self.start("--loops", "1", prefix=[*own_namespaces("--mount"), "sh", "-c", script])
        self.assertEqual("unix:/run/socketeer.sock", daemon.address)
        made = os.stat(f"/proc/{daemon.pid}/root/run/socketeer.sock")
        self.assertEqual((0o600, True), (stat.S_IMODE(made.st_mode), stat.S_ISSOCK(made.st_mode)))

    def test_without_a_runtime_directory_it_asks_where(self):
        said = self.refusal(env={}, **self.as_a_user())
        self.assertIn("--listen", said)
        self.assertIn("XDG_RUNTIME_DIR", said)

    def test_it_serves_every_address_that_it_announces(self):
        other = self.directory / "other.sock"
        daemon = self.start("--listen", f"unix:{self.path}", "--listen", "127.0.0.1:0", "--listen", "[::1]:0",
                            "--listen", str(other), count=4)
        self.assertEqual(f"unix:{self.path}", daemon.addresses[0])
        self.assertRegex(daemon.addresses[1], r"^127\.0\.0\.1:[1-9][0-9]*$")
        self.assertRegex(daemon.addresses[2], r"^\[::1\]:[1-9][0-9]*$")
        self.assertEqual(f"unix:{other}", daemon.addresses[3])
        for address in daemon.addresses:
            self.assert_serves(address)

    def test_loopback_is_served_with_a_warning(self):
        daemon = self.start("--listen", "127.0.0.1:0")
        self.assert_serves(daemon.address)
        self.assertIn(f"{daemon.address}: every local user may call this daemon", daemon.log())

    def test_a_network_is_refused_and_it_says_what_is_missing(self):
        for endpoint in ["0.0.0.0:1", "10.0.0.1:1", "[::]:1", "[2001:db8::1]:1"]:
            with self.subTest(endpoint=endpoint):
                said = self.refusal("--listen", endpoint)
                for words in [endpoint, "TLS", "identities", "policy", "ssh -L"]:
                    self.assertIn(words, said)

    def test_what_is_no_address_is_refused(self):
        for endpoint in ["", "7625", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "unix:", "unix:" + "x" * 109,
                         "example.com:1", ":1"]:
            with self.subTest(endpoint=endpoint):
                self.assertRegex(self.refusal("--listen", endpoint), "--listen (is|must be) ")
        self.assertIn('"unix:./@..." names a file', self.refusal("--listen", "unix:@name"))

    def test_a_low_port_is_refused_with_what_it_takes(self):
        prefix = [*own_namespaces("--net"), "sh", "-c", 'ip link set lo up && exec "$0" "$@"']
        said = self.refusal("--listen", "127.0.0.1:443", prefix=prefix)
        self.assertIn("bind: Permission denied; ports below 1024 need --keep-capability net_bind_service", said)

    def test_one_bad_address_of_two_leaves_nothing_behind(self):
        self.refusal("--listen", f"unix:{self.path}", "--listen", "0.0.0.0:1")
        self.assertFalse(self.path.exists())

    def test_a_taken_port_is_refused(self):
        with socket.create_server(("127.0.0.1", 0)) as other:
            said = self.refusal("--listen", f"127.0.0.1:{other.getsockname()[1]}")
        self.assertIn("Address already in use", said)

    def test_two_daemons_do_not_share_a_port(self):
        first = self.start("--listen", "127.0.0.1:0")
        self.assertIn("Address already in use", self.refusal("--listen", first.address))


class Paths(DaemonTest):
    def test_a_second_daemon_is_refused_and_the_first_unharmed(self):
        first = self.start()
        self.assertIn("another daemon serves there", self.refusal("--listen", first.address))
        self.assert_serves(first.address)

    def test_a_stale_path_is_taken_over(self):
        first = self.start()
        first.kill()
        self.assertTrue(self.path.exists())
        self.assert_serves(self.start().address)

    def test_a_file_in_the_way_is_left_alone(self):
        self.path.write_text("precious")
        self.assertIn("no socket", self.refusal("--listen", f"unix:{self.path}"))
        self.assertEqual("precious", self.path.read_text())

    def test_a_link_in_the_way_is_left_alone(self):
        first = self.start()
        first.kill()
        link = self.directory / "link"
        link.symlink_to(self.path)
        self.assertIn("no socket", self.refusal("--listen", f"unix:{link}"))
        self.assertTrue(link.is_symlink())

    def test_a_path_that_became_somebody_elses_is_left_alone(self):
        daemon = self.start()
        self.path.unlink()
        self.path.write_text("precious")
        daemon.stop()
        self.assertEqual("precious", self.path.read_text())

    def test_a_directory_that_is_missing_is_named(self):
        self.assertIn("No such file or directory", self.refusal("--listen", f"unix:{self.directory}/no/d.sock"))


@unittest.skipUnless(os.geteuid() == 0, "another user's call needs root")
class Identity(DaemonTest):
    """The peer's uid is who calls."""

    def setUp(self):
        super().setUp()
        self.daemon = self.start()
        self.path.chmod(0o666)
        self.directory.chmod(0o755)
        self.nobody = {"prefix": as_nobody(), "program": shutil.copy(SOCKETEER, self.directory)}

    def names(self, **who):
        return socketeer(self.daemon.address, "ls", "-o", "name", **who).stdout.split()

    def test_another_user_sees_none_of_roots_sockets(self):
        self.assertEqual(0, socketeer(self.daemon.address, "open", "udp", "--bind", ":0", "--id", "mine").returncode)
        self.assertEqual([], self.names(**self.nobody))
        for verb in [["inspect", "mine"], ["close", "mine"], ["recv", "mine", "--timeout", "0"]]:
            run = socketeer(self.daemon.address, *verb, **self.nobody)
            self.assertEqual((3, ""), (run.returncode, run.stdout), verb)
            self.assertIn("mine", run.stderr)
        self.assertEqual(["sockets/mine"], self.names())

    def test_nor_root_of_another_users(self):
        opened = socketeer(self.daemon.address, "open", "udp", "--bind", ":0", "--id", "theirs", **self.nobody)
        self.assertEqual(0, opened.returncode, opened.stderr)
        self.assertEqual([], self.names())
        inspected = socketeer(self.daemon.address, "inspect", "theirs", **self.nobody).stdout
        self.assertRegex(inspected, f"Owner: +uid:{NOBODY}\n")

    def test_mode_0600_keeps_another_user_out(self):
        self.path.chmod(0o600)
        self.assertEqual(2, socketeer(self.daemon.address, "ls", **self.nobody).returncode)


if __name__ == "__main__":
    unittest.main()
