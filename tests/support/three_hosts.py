"""Three hosts on one machine: a, b and c, each a network namespace with a daemon, plugged into a switch.

    HOST  IPv4        IPv6 on the link   daemon
    a     198.18.0.1  fe80::1%eth0       DIRECTORY/a.sock
    b     198.18.0.2  fe80::2%eth0       DIRECTORY/b.sock
    c     198.18.0.3  fe80::3%eth0       DIRECTORY/c.sock

The namespaces are those of processes, so nothing is left of them, and the machine's own network is not touched. It needs root's
rights, if only in a user namespace: be_root().
"""

import os
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from daemon import BIN, SOCKETEER, Daemon, socketeer  # noqa: E402

NAMES = ("a", "b", "c")
OWN_LOOPBACK = 'ip link set lo up && exec "$0" "$@"'
UNTIL_INPUT_ENDS = ["sh", "-c", "echo && exec cat"]
# `on HOST PROGRAM...` for who has no process id at hand: scenarios, and people.
ON = """#!/bin/sh
case $1 in
{cases}
*) echo "on: there is no host '$1'" >&2; exit 125 ;;
esac
shift
exec nsenter --target "$pid" --net -- "$@"
"""


def be_root():
    """Starts this program again in a user namespace, unless it is root's."""
    if os.geteuid() != 0:
        os.execvp("unshare", ["unshare", "--user", "--map-root-user", sys.executable, *sys.argv])


def can_be():
    """Why there can be no such hosts here, or None."""
    run = subprocess.run(["unshare", "--net", "--", "ip", "link", "add", "br0", "type", "bridge"],
                         capture_output=True, text=True)
    return None if run.returncode == 0 else f"no network namespaces with a bridge here: {run.stderr.strip()}"


class ThreeHosts:
    """They are there when the constructor returns, and until close(). `directory` must be there, and stays."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.daemons = {}
        self._programs = []
        self._switch = None
        try:
            self._switch = subprocess.Popen(["unshare", "--net", "--", *UNTIL_INPUT_ENDS], stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE, text=True)
            assert self._switch.stdout.readline() == "\n", "no switch"
            self._do(self._switch.pid, "ip link add br0 type bridge mcast_snooping 0", "ip link set br0 up")
            for number, name in enumerate(NAMES, 1):
                self._add(name, number)
            self._write_files()
        except BaseException:
            self.close()
            raise

    def _add(self, name, number):
        daemon = Daemon("--listen", f"unix:{self.directory}/{name}.sock",
                        prefix=["unshare", "--net", "--", "sh", "-c", OWN_LOOPBACK])
        self.daemons[name] = daemon
        self._do(self._switch.pid, f"ip link add to-{name} type veth peer name eth0 netns {daemon.pid}",
                 f"ip link set to-{name} master br0 up")
        # No router, whatever the machine is: what comes for another host must not find its way. And without duplicate
        # address detection: it takes a second, in which the address cannot be bound.
        self._do(daemon.pid, "sysctl -qw net.ipv4.ip_forward=0", "ip link set eth0 addrgenmode none",
                 f"ip addr add 198.18.0.{number}/24 dev eth0", f"ip addr add fe80::{number}/64 dev eth0 nodad",
                 "ip link set eth0 up")

    @staticmethod
    def _do(pid, *commands):
        for command in commands:
            subprocess.run(["nsenter", "--target", str(pid), "--net", "--", *command.split()], check=True)

    def _write_files(self):
        hosts = "".join(f"- {{name: {name}, address: ./{name}.sock, data_address: 198.18.0.{number}}}\n"
                        for number, name in enumerate(NAMES, 1))
        (self.directory / "hosts.yaml").write_text("hosts:\n" + hosts)
        programs = self.directory / "bin"
        programs.mkdir()
        cases = "\n".join(f"{name}) pid={daemon.pid} ;;" for name, daemon in self.daemons.items())
        (programs / "on").write_text(ON.format(cases=cases))
        (programs / "on").chmod(0o755)

    def environment(self):
        """For programs that work with the hosts: `socketeer` with their names, and `on`."""
        return {**os.environ, "SOCKETEER_HOSTS_FILE": str(self.directory / "hosts.yaml"), "THREE_HOSTS": str(self.directory),
                "PATH": f"{self.directory}/bin:{BIN.resolve()}:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}

    def on(self, name, *command):
        """A command in the network of that host."""
        return ["nsenter", "--target", str(self.daemons[name].pid), "--net", "--", *command]

    def start(self, name, *command, **options):
        """A program on that host, until close()."""
        program = subprocess.Popen(self.on(name, *command), stdin=subprocess.DEVNULL, **options)
        self._programs.append(program)
        return program

    def sockets(self):
        """The names of all sockets of all hosts, as `host sockets/id`."""
        run = subprocess.run([SOCKETEER, "ls", "--all-hosts", "-o", "name"], env=self.environment(), capture_output=True,
                             text=True, timeout=30)
        assert run.returncode == 0, run.stderr
        return run.stdout.split("\n")[:-1]

    def descriptors(self):
        """How many each daemon has open."""
        return {name: len(daemon.descriptors()) for name, daemon in self.daemons.items()}

    def close(self):
        for program in self._programs:
            program.kill()
            program.wait()
            for stream in (program.stdout, program.stderr):
                if stream:
                    stream.close()
        for daemon in self.daemons.values():
            daemon.kill()
            daemon._stderr.close()
        if self._switch:
            self._switch.stdin.close()
            self._switch.wait()
            self._switch.stdout.close()
        for leftover in ("bin", "hosts.yaml"):
            path = self.directory / leftover
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
