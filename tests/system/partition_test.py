"""A caller that the network cuts off from the daemon: nobody closes a connection, and no packet arrives.

Two hosts are two network namespaces, joined by a cable (veth). The daemon serves its loopback, where a relay passes on what comes
to its host's address: it answers for TCP, but not for HTTP/2, whose pings go through to the caller. Where there are no
network namespaces this fails: nothing would be known.
"""

import os
import pathlib
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from lease import LeaseTest  # noqa: E402

OWN_LOOPBACK = 'ip link set lo up && exec "$0" "$@"'
WHEN_PLUGGED = 'echo && read plugged && exec "$0" "$@"'
DAEMON, CALLER, PORT = "10.77.1.1", "10.77.1.2", 7625
CUT = """
table inet cut {
  chain in { type filter hook input priority 0; iifname "eth0" drop; }
  chain out { type filter hook output priority 0; oifname "eth0" drop; }
}
"""
TTL = 2
IN_TIME = 3  # seconds


def on(process):
    """A command prefix: in the network of that process."""
    return ["nsenter", "--target", str(process.pid), "--net", "--"]


class Partition(LeaseTest):
    def make_daemon(self):
        self.daemon = self.start("--listen", "127.0.0.1:0", "--loops", "2",
                                 prefix=["unshare", "--net", "--", "sh", "-c", OWN_LOOPBACK])

    def relay(self, listen):
        relay = subprocess.Popen([*on(self.daemon), "socat", "-d", "-d", f"{listen},fork",
                                  f"TCP:{self.daemon.address}"], stderr=subprocess.PIPE, text=True)
        self.addCleanup(relay.stderr.close)
        self.addCleanup(relay.wait)
        self.addCleanup(relay.kill)
        while "listening on" not in (line := relay.stderr.readline()):
            self.assertNotEqual("", line, "socat ended")
        return relay

    def run_on(self, process, *command, **options):
        subprocess.run([*on(process), *command], check=True, **options)

    def plug(self):
        """Joins the networks of the daemon and the client."""
        self.run_on(self.daemon, "ip", "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns",
                    str(self.client.pid))
        for process, address in [(self.daemon, DAEMON), (self.client, CALLER)]:
            self.run_on(process, "ip", "addr", "add", f"{address}/24", "dev", "eth0")
            self.run_on(process, "ip", "link", "set", "eth0", "up")

    def test_nothing_is_left_of_it(self):
        self.make_daemon()
        self.relay(f"UNIX-LISTEN:{self.path}")  # for the observer, who is not in the daemon's network
        self.observe(f"unix:{self.path}")
        self.client = self.spawn(f"{DAEMON}:{PORT}", self.paths, TTL, 0,
                                 prefix=["unshare", "--net", "--", "sh", "-c", WHEN_PLUGGED])
        self.assertEqual("\n", self.client.stdout.readline())
        self.plug()
        self.relay(f"TCP-LISTEN:{PORT},bind={DAEMON}")
        self.go_on()
        self.await_sockets()
        death = time.monotonic()
        self.run_on(self.daemon, "nft", "-f", "-", input=CUT, text=True)
        self.assert_all_goes(death, IN_TIME, left_open=[self.connected])
        self.assertIsNone(self.client.poll())


if __name__ == "__main__":
    if os.geteuid() != 0:  # all of it in one user namespace, where it has root's rights
        os.execvp("unshare", ["unshare", "--user", "--map-root-user", sys.executable, *sys.argv])
    unittest.main()
