"""Hosts that are network namespaces, joined by a switch (a bridge in one more namespace), each with a daemon. All is gone when
their processes are."""

import os
import subprocess
import sys

from daemon import SOCKETEER, DaemonTest

NETWORK = "10.78.0"
KEEPER = 'ip link set lo up && ip link add switch type bridge && ip link set switch up && echo && read end'
OWN_LOOPBACK = 'ip link set lo up && exec "$0" "$@"'


class HostsLab(DaemonTest):
    """self.add(NAME) makes a host; self.hosts_file has them all, with their addresses in the network."""

    def setUp(self):
        super().setUp()
        self.hosts_file = self.directory / "hosts.yaml"
        self.daemons = {}
        self._entries = []
        self._switch = subprocess.Popen(["unshare", "--net", "--", "sh", "-c", KEEPER], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.addCleanup(self._switch.stdout.close)
        self.addCleanup(self._switch.wait)
        self.addCleanup(self._switch.stdin.close)
        self.assertEqual("\n", self._switch.stdout.readline())

    def address_of(self, name):
        return f"{NETWORK}.{ord(name) - ord('a') + 1}"

    def add(self, name, *arguments):
        """A host of one letter, whose daemon listens at the UNIX socket NAME.sock."""
        daemon = self.start("--listen", f"unix:{self.directory}/{name}.sock", *arguments,
                            prefix=["unshare", "--net", "--", "sh", "-c", OWN_LOOPBACK])
        self.daemons[name] = daemon
        self._inside(self._switch.pid, "ip", "link", "add", f"to-{name}", "type", "veth", "peer", "name", "eth0",
                     "netns", str(daemon.pid))
        self._inside(self._switch.pid, "ip", "link", "set", f"to-{name}", "master", "switch", "up")
        self.on(name, "ip", "addr", "add", f"{self.address_of(name)}/24", "dev", "eth0")
        self.on(name, "ip", "link", "set", "eth0", "up")
        self.know(name)

    def know(self, name):
        """Puts it into the hosts file: it may have no daemon."""
        self._entries.append(f"- {{name: {name}, address: ./{name}.sock, data_address: {self.address_of(name)}}}\n")
        self.hosts_file.write_text("hosts:\n" + "".join(self._entries))

    def on(self, name, *command, **options):
        """Runs a command in the host's network."""
        return self._inside(self.daemons[name].pid, *command, **options)

    def filter(self, name, rule, hook="input"):
        """A rule of nft on the host; answers what undoes it."""
        self.nft(name, f"table inet lab {{\nchain c {{\ntype filter hook {hook} priority 0\n{rule}\n}}\n}}\n")
        return lambda: self.nft(name, "delete table inet lab")

    def redirect(self, name, protocol, port, to):
        """Whoever comes to a port gets to another one."""
        self.nft(name, "table ip lab {\nchain c {\ntype nat hook prerouting priority dstnat\n"
                       f"{protocol} dport {port} redirect to :{to}\n}}\n}}\n")

    def nft(self, name, text):
        self.on(name, "nft", "-f", "-", input=text)

    def serve(self, name, program):
        """A program in Python in the host's network, until the test ends. It prints a line when it serves."""
        server = subprocess.Popen([*self._prefix(self.daemons[name].pid), "/usr/bin/python3", "-c", program],
                                  stdout=subprocess.PIPE, text=True)
        self.addCleanup(server.stdout.close)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        self.assertEqual("ready\n", server.stdout.readline())
        return server

    def cli(self, *arguments, code=0):
        """What `socketeer` prints, which knows the hosts."""
        environment = {"SOCKETEER_HOSTS_FILE": str(self.hosts_file), "PATH": os.environ["PATH"], "HOME": "/nonexistent"}
        run = subprocess.run([SOCKETEER, *map(str, arguments)], capture_output=True, text=True, timeout=60,
                             env=environment, stdin=subprocess.DEVNULL)
        self.assertEqual(code, run.returncode, f"{arguments}: {run.stdout}{run.stderr}")
        return run.stdout + run.stderr

    @staticmethod
    def _prefix(pid):
        return ["nsenter", "--target", str(pid), "--net", "--"]

    def _inside(self, pid, *command, **options):
        subprocess.run([*self._prefix(pid), *command], check=True, text=True, **options)


def main():
    """Runs the tests of the program, as root of what they make: else in a user namespace."""
    import unittest
    if os.geteuid() != 0:
        os.execvp("unshare", ["unshare", "--user", "--map-root-user", sys.executable, *sys.argv])
    unittest.main()
