"""The daemon's flags and its YAML file."""

import os
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from daemon import SOCKETEERD, DaemonTest  # noqa: E402


def loops(daemon):
    """How many event loops there are, and a constant: the descriptors of epoll."""
    return daemon.descriptors().count("anon_inode:[eventpoll]")


class Flags(DaemonTest):
    def test_help_tells_every_flag(self):
        run = subprocess.run([SOCKETEERD, "--help"], capture_output=True, text=True)
        self.assertEqual((0, ""), (run.returncode, run.stderr))
        for word in ["--listen", "--loops", "--config", "--version", "SIGTERM", "Examples"]:
            self.assertIn(word, run.stdout)

    def test_version(self):
        run = subprocess.run([SOCKETEERD, "--version"], capture_output=True, text=True)
        self.assertEqual((0, ""), (run.returncode, run.stderr))
        self.assertRegex(run.stdout, r"^socketeerd \d+\.\d+\.\d+\S*\n$")

    def test_a_wrong_flag_is_refused_by_name(self):
        for arguments in [["--nonsense"], ["word"], ["--listen"], ["--loops", "0"], ["--loops", "257"], ["--loops", "x"]]:
            with self.subTest(arguments=arguments):
                said = self.refusal("--listen", f"unix:{self.path}", *arguments)
                self.assertTrue(said.startswith("socketeerd: "), said)
                self.assertIn(arguments[0], said)


class File(DaemonTest):
    def setUp(self):
        super().setUp()
        self.config = self.directory / "socketeer.yaml"

    def start_with(self, text, *arguments, **options):
        self.config.write_text(text)
        return self.start("--config", str(self.config), *arguments, **options)

    def assert_refused(self, text, line, words):
        """The message begins with the file and the line."""
        self.config.write_bytes(text.encode() if isinstance(text, str) else text)
        said = self.refusal("--config", self.config, "--listen", f"unix:{self.path}")
        where = f"socketeerd: {self.config}:{line}: "
        self.assertTrue(said.startswith(where), said)
        self.assertIn(words, said)

    def test_a_list_of_addresses(self):
        daemon = self.start_with(f"listen:\n  - unix:{self.path}\n  - 127.0.0.1:0\nloops: 2\n", count=2)
        for address in daemon.addresses:
            self.assert_serves(address)

    def test_one_address_needs_no_list(self):
        daemon = self.start_with(f"# a comment\nlisten: unix:{self.path}\n")
        self.assertEqual([f"unix:{self.path}"], daemon.addresses)

    def test_an_empty_file_changes_nothing(self):
        for text in ["", "# nothing\n", "{}\n"]:
            with self.subTest(text=text):
                self.start_with(text, "--listen", f"unix:{self.path}").stop()

    def test_a_flag_wins_over_the_file(self):
        daemon = self.start_with(f"listen: unix:{self.directory}/file.sock\nloops: 8\n",
                                 "--listen", f"unix:{self.path}", "--loops", "1")
        self.assertEqual(f"unix:{self.path}", daemon.address)
        self.assertFalse((self.directory / "file.sock").exists())
        by_file = self.start_with(f"listen: unix:{self.directory}/file.sock\nloops: 8\n")
        self.assertEqual(7, loops(by_file) - loops(daemon))

    def test_an_unknown_key_is_refused(self):
        self.assert_refused("loops: 1\n\nlissen: unix:x\n", 3, '"lissen"')
        self.assert_refused("loops: 1\nLoops: 2\n", 2, '"Loops"')
        self.assert_refused("[1, 2]: x\n", 1, "unknown key")

    def test_a_key_that_stands_twice_is_refused(self):
        self.assert_refused("loops: 1\nloops: 2\n", 2, "loops")

    def test_a_wrong_type_is_refused(self):
        self.assert_refused("\nloops: [1]\n", 2, "loops must be a number")
        self.assert_refused("listen: {a: b}\n", 1, "listen must be")
        self.assert_refused("listen: []\n", 1, "listen must be")
        self.assert_refused("listen:\n", 1, "listen must be")
        self.assert_refused("listen:\n  - unix:x\n  - [unix:y]\n", 3, "listen must be")
        self.assert_refused("- listen\n", 1, "must be a map")
        self.assert_refused("listen\n", 1, "must be a map")

    def test_a_wrong_value_is_refused(self):
        for value in ["0", "257", "-1", "1.5", "two", ""]:
            with self.subTest(value=value):
                self.assert_refused(f"loops: {value}\n", 1, "must be a number from 1 to 256")
        self.assert_refused("loops: 1\nlisten: 0.0.0.0:1\n", 2, "TLS")
        self.assert_refused("listen:\n- 127.0.0.1:0\n- example.com:1\n", 3, "another IP:PORT")

    def test_a_syntax_error_is_refused(self):
        self.assert_refused("loops: 1\nlisten: [unix:x\n", 3, "end of sequence")
        self.assert_refused("loops: 1\n\tlisten: x\n", 2, "")

    def test_a_second_document_is_refused(self):
        self.assert_refused("loops: 1\n---\nloops: 2\n", 2, "a second document")
        self.assert_refused(", loops: 1\n", 1, "a second document")  # of which yaml-cpp sees one after the other, for ever

    def test_an_unreadable_file_is_refused(self):
        self.assertIn(f"{self.config}: ", self.refusal("--config", self.config))
        self.assertIn(f"{self.directory}: ", self.refusal("--config", self.directory))
        os.mkfifo(self.config)
        self.assertIn(f"{self.config}: not a file", self.refusal("--config", self.config))
        self.assertIn("/dev/zero: not a file", self.refusal("--config", "/dev/zero"))
        self.config.unlink()
        self.config.write_text("#" * (1 << 20) + "\n")
        self.assertIn(f"{self.config}: larger than 1048576 bytes", self.refusal("--config", self.config))
        self.config.write_text("loops: 1\n")
        for mode in [0o620, 0o602, 0o666]:  # who writes it would drop the policy
            self.config.chmod(mode)
            self.assertIn(f"{self.config}: others than its owner may write it", self.refusal("--config", self.config))
        self.config.chmod(0)
        if os.geteuid() != 0:  # root may read everything
            self.assertIn("Permission denied", self.refusal("--config", self.config))


class Environment(DaemonTest):
    """SOCKETEERD_ and a setting's key."""

    def with_variables(self, **variables):
        return {**os.environ, **{f"SOCKETEERD_{name}": str(value) for name, value in variables.items()}}

    def assert_refused(self, begin, **variables):
        said = self.refusal(env=self.with_variables(**variables))
        self.assertTrue(said.startswith(f"socketeerd: {begin}"), said)
        self.assertEqual(1, said.count("\n"), said)

    def test_each_setting_has_its_variable(self):
        # All of the keys, so that none can be forgotten: the message about an unknown one lists them.
        config = self.directory / "socketeer.yaml"
        config.write_text("nonsense: 1\n")
        known = self.refusal("--config", config).split("known are ")[1].strip().replace(" and ", ", ").split(", ")
        self.assertGreater(len(known), 10)
        for key in known:
            with self.subTest(key=key):
                self.assert_refused(f"SOCKETEERD_{key.upper()} must be ", **{key.upper(): ""})
                self.assertIn(f"SOCKETEERD_{key.upper()}", self.refusal(env=self.with_variables(NONSENSE="1")))

    def test_a_list_has_commas(self):
        daemon = self.start("--loops", "1", count=2, env=self.with_variables(LISTEN=f"unix:{self.path},127.0.0.1:0"))
        for address in daemon.addresses:
            self.assert_serves(address)

    def test_file_then_environment_then_flag(self):
        config = self.directory / "socketeer.yaml"
        config.write_text(f"listen: unix:{self.directory}/file.sock\nloops: 9\n")
        variables = self.with_variables(LOOPS=5, CONFIG=config)
        by_flag = self.start("--listen", f"unix:{self.path}", "--loops", "1", env=variables)
        by_variable = self.start("--listen", f"unix:{self.directory}/e.sock", env=variables)
        by_file = self.start("--config", str(config))
        self.assertEqual([f"unix:{self.directory}/file.sock"], by_file.addresses)
        self.assertEqual([4, 8], [loops(daemon) - loops(by_flag) for daemon in [by_variable, by_file]])

    def test_a_variable_wins_over_the_file_whole(self):
        config = self.directory / "socketeer.yaml"
        config.write_text(f"listen: [unix:{self.directory}/1.sock, unix:{self.directory}/2.sock]\n")
        daemon = self.start("--config", str(config), env=self.with_variables(LISTEN=f"unix:{self.path}"))
        self.assertEqual([f"unix:{self.path}"], daemon.addresses)
        daemon.process.terminate()
        self.assertEqual("", daemon.process.stdout.read())

    def test_wrong_values_are_refused_by_name(self):
        self.assert_refused('SOCKETEERD_LOOPS is "0"; it must be a number from 1 to 256', LOOPS=0)
        self.assert_refused('SOCKETEERD_LISTEN is "x"; it must be unix:PATH', LISTEN=f"unix:{self.path},x")
        self.assert_refused("SOCKETEERD_LISTEN must be an endpoint", LISTEN=f"unix:{self.path},")
        self.assert_refused('SOCKETEERD_LISTEN is "0.0.0.0:1"; it must be a UNIX socket or a loopback', LISTEN="0.0.0.0:1")
        self.assert_refused('SOCKETEERD_DRAIN_TIMEOUT is "4"; it must be a time from 0s to 1h', DRAIN_TIMEOUT=4)
        self.assert_refused("SOCKETEERD_CONFIG must be a file's path; it is empty", CONFIG="")
        self.assert_refused(f"settings {self.directory}: not a file", CONFIG=self.directory)

    def test_a_wrong_value_is_refused_also_where_a_flag_wins(self):
        said = self.refusal("--loops", "2", "--listen", f"unix:{self.path}", env=self.with_variables(LOOPS="x"))
        self.assertIn("SOCKETEERD_LOOPS", said)

    def test_a_variable_nobody_knows_is_refused(self):
        self.assert_refused("unknown variable SOCKETEERD_POLICYY; known are SOCKETEERD_CONFIG, SOCKETEERD_LISTEN",
                            POLICYY="x")

    def test_those_of_kubernetes_are_not_meant_for_it(self):
        # It sets them in every container beside a service that is called socketeerd.
        variables = self.with_variables(SERVICE_HOST="10.0.0.1", SERVICE_PORT=1, PORT="tcp://10.0.0.1:1",
                                        PORT_7625_TCP_ADDR="10.0.0.1", METRICS_SERVICE_HOST="10.0.0.1",
                                        METRICS_PORT="tcp://10.0.0.1:1", METRICS_PORT_1_TCP="x")
        self.assert_serves(self.start("--listen", f"unix:{self.path}", env=variables).address)


if __name__ == "__main__":
    unittest.main()
