"""The setting of a port that serves something else than calls, in plain text: "health", "metrics"."""

import pathlib
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from daemon import own_namespaces  # noqa: E402


def announced(daemon, setting):
    """Its address, the next line that the daemon writes."""
    line = daemon.process.stdout.readline()
    assert line.startswith(f"{setting} on "), (line, daemon.log())
    return line.removeprefix(f"{setting} on ").strip()


class PlainPortSettings:
    """For a DaemonTest with a `setting`, and an assert_answers(address) that it serves there."""

    def test_it_is_there_only_when_asked_for(self):
        daemon = self.start("--listen", f"unix:{self.path}")
        daemon.process.terminate()
        self.assertEqual("", daemon.process.stdout.read())

    def test_by_the_file_and_a_flag_wins(self):
        config = self.directory / "socketeer.yaml"
        config.write_text(f"listen: unix:{self.path}\n{self.setting}: 127.0.0.1:0\n")
        for arguments, where in [([], "127.0.0.1"), ([f"--{self.setting}", "[::1]:0"], "[::1]")]:
            daemon = self.start("--config", str(config), *arguments)
            address = announced(daemon, self.setting)
            self.assertTrue(address.startswith(where + ":"), address)
            self.assert_answers(address)
            daemon.stop()

    def test_wrong_addresses_are_refused(self):
        for address in ["unix:/x", "/x", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:65536", "example.com:1", ":1", "*:1"]:
            said = self.refusal("--listen", f"unix:{self.path}", f"--{self.setting}", address)
            self.assertIn(f'{self.setting} is "{address}"; it must be localhost:PORT or an IP:PORT', said)
            self.assertFalse(self.path.exists())
        self.assertIn(f"--{self.setting}", self.refusal("--listen", f"unix:{self.path}", f"--{self.setting}", ""))
        config = self.directory / "socketeer.yaml"
        for value in ["", '""', "[127.0.0.1:1]", "x:1"]:
            config.write_text(f"listen: unix:{self.path}\n{self.setting}: {value}\n")
            said = self.refusal("--config", config)
            self.assertTrue(said.startswith(f"socketeerd: {config}:2: {self.setting} "), said)

    def test_its_address_is_its_own(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            at = "127.0.0.1:%d" % taken.getsockname()[1]
            said = self.refusal("--listen", f"unix:{self.path}", f"--{self.setting}", at)
            self.assertIn(f"socketeerd: cannot listen on {at}: bind: Address already in use\n", said)
            self.assertFalse(self.path.exists())

    def test_it_may_be_on_any_address_without_tls(self):
        prefix = own_namespaces("--net")
        daemon = self.start("--listen", f"unix:{self.path}", f"--{self.setting}", "0.0.0.0:0", prefix=prefix)
        self.assertTrue(announced(daemon, self.setting).startswith("0.0.0.0:"))
