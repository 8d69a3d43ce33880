"""What the tests of many hosts share: a hosts file, and the program that works with it."""
import json
import re
import socket
import subprocess

from cli_tls_test import TlsCli
from harness import CLI, HANG, environment


class FleetCli(TlsCli):
    """The hosts file is the test's; who is in it says the test."""

    def setUp(self):
        super().setUp()
        self.file = self.directory / "hosts.yaml"
        self.where = {"SOCKETEER_HOSTS_FILE": self.file, "XDG_RUNTIME_DIR": "/nowhere"}
        self.hosts = []

    def add(self, name, address, labels="", **keys):
        more = "".join(f", {key}: {value}" for key, value in keys.items())
        self.hosts.append(f'- {{name: {name}, address: "{address}", labels: {{{labels}}}{more}}}\n')
        self.file.write_text("hosts:\n" + "".join(self.hosts))

    def unix(self, name):
        return self.daemon("--listen", f"unix:{self.directory}/{name}.sock")

    def nobody(self):
        """An address at which nothing listens, and nothing will."""
        held = socket.socket()
        self.addCleanup(held.close)
        held.bind(("127.0.0.1", 0))
        return "127.0.0.1:%d" % held.getsockname()[1]

    def run_fleet(self, *arguments, code=0, **variables):
        """(stdout, the lines of stderr)"""
        run = subprocess.run([CLI, *map(str, arguments)], capture_output=True, text=True, timeout=HANG,
                             stdin=subprocess.DEVNULL, env=self.environment(**variables))
        self.assertEqual(code, run.returncode, f"{arguments}: {run.stderr}")
        return run.stdout, run.stderr.splitlines()

    def environment(self, **variables):
        return environment(**{key: str(value) for key, value in {**self.where, **variables}.items() if value is not None})

    def document(self, *arguments, **options):
        return json.loads(self.run_fleet(*arguments, "-o", "json", **options)[0])

    def rows(self, *arguments, **options):
        return [re.split(" {2,}", line) for line in self.run_fleet(*arguments, **options)[0].splitlines()]

    def table(self, *arguments, **options):
        return [line.split() for line in self.run_fleet(*arguments, **options)[0].splitlines()]
