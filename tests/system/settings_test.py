"""The daemon's flags and its YAML file."""

import os
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from daemon import SOCKETEERD, DaemonTest  # noqa: E402


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

    def loops(self, daemon):
        """How many event loops there are, and a constant: the descriptors of epoll."""
        directory = f"/proc/{daemon.pid}/fd"
        return sum(os.readlink(f"{directory}/{fd}") == "anon_inode:[eventpoll]" for fd in os.listdir(directory))

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
        self.assertEqual(7, self.loops(by_file) - self.loops(daemon))

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
                self.assert_refused(f"loops: {value}\n", 1, "loops must be a number from 1 to 256")
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
        self.config.write_text("loops: 1\n")
        self.config.chmod(0)
        if os.geteuid() != 0:  # root may read everything
            self.assertIn("Permission denied", self.refusal("--config", self.config))


if __name__ == "__main__":
    unittest.main()
