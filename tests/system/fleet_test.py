"""Two hosts and a third from which they are driven, with TLS between: the demo's conversation, by names from a hosts file.

Each host is a network namespace; a bridge in a fourth joins them. The daemons serve their host's address to who has a
certificate and what the policy says. Where there are no network namespaces this fails: nothing would be known.
"""

import os
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from daemon import SOCKETEER, DaemonTest  # noqa: E402

ADDRESSES = {"a": "10.77.2.1", "b": "10.77.2.2", "controller": "10.77.2.3"}
POLICY = """
identities: {controllers: ["spiffe://socketeer/controller"]}
addresses: {lab: [10.77.2.1, 10.77.2.2]}
rules:
- {name: talk, allow: [connect, bind, listen, send, receive], identities: controllers, protocols: [tcp, udp], addresses: lab}
- {name: bind any, allow: bind, identities: controllers, addresses: wildcard}
- {name: basics, allow: open, identities: controllers}
"""
HOSTS = """
defaults: {ca: lab/ca.pem, cert: lab/controller.pem, key: lab/controller.key}
hosts:
- {name: a, address: "10.77.2.1:7625", labels: {role: client}}
- {name: b, address: "10.77.2.2:7625", labels: {role: server}}
- {name: b-by-stranger, address: "10.77.2.2:7625", cert: lab/stranger.pem, key: lab/stranger.key}
"""


class Namespace:
    """A network of its own, as long as a process holds it."""

    def __init__(self, test):
        self._holder = subprocess.Popen(["unshare", "--net", "--", "sh", "-c", "echo; exec cat"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        test.addCleanup(self.end)
        assert self._holder.stdout.readline() == b"\n", "there are no network namespaces here"
        self.pid = self._holder.pid
        self.prefix = ["nsenter", "--target", str(self.pid), "--net", "--"]

    def run(self, *command):
        subprocess.run([*self.prefix, *command], check=True)

    def end(self):
        self._holder.kill()
        self._holder.communicate()


class Fleet(DaemonTest):
    def setUp(self):
        super().setUp()
        self.make_network()
        hosts = [word for name in "ab" for word in ("--host", ADDRESSES[name])]
        self.run_cli("cert", "lab", *hosts, "--client", "controller", "--client", "stranger")
        (self.directory / "policy.yaml").write_text(POLICY)
        (self.directory / "hosts.yaml").write_text(HOSTS)
        self.daemons = {name: self.serve(name) for name in "ab"}

    def make_network(self):
        cable = Namespace(self)
        cable.run("ip", "link", "add", "bridge", "type", "bridge")
        cable.run("ip", "link", "set", "bridge", "up")
        self.on = {name: Namespace(self) for name in ADDRESSES}
        for name, host in self.on.items():
            cable.run("ip", "link", "add", f"to-{name}", "type", "veth", "peer", "name", "eth0", "netns", str(host.pid))
            cable.run("ip", "link", "set", f"to-{name}", "master", "bridge", "up")
            host.run("ip", "link", "set", "lo", "up")
            host.run("ip", "addr", "add", f"{ADDRESSES[name]}/24", "dev", "eth0")
            host.run("ip", "link", "set", "eth0", "up")

    def serve(self, name):
        pair = f"lab/{ADDRESSES[name]}"
        return self.start("--listen", f"{ADDRESSES[name]}:7625", "--tls-cert", f"{pair}.pem", "--tls-key", f"{pair}.key",
                          "--client-ca", "lab/ca.pem", "--policy", "policy.yaml", prefix=self.on[name].prefix,
                          cwd=self.directory)

    def run_cli(self, *arguments, code=0):
        """On the controller, where there is nothing but the hosts file: (stdout, stderr)."""
        environment = {"SOCKETEER_HOSTS_FILE": str(self.directory / "hosts.yaml")}
        run = subprocess.run([*self.on["controller"].prefix, SOCKETEER, *arguments], cwd=self.directory,
                             env={**os.environ, **environment}, capture_output=True, text=True, timeout=60)
        self.assertEqual(code, run.returncode, f"{arguments}: {run.stderr}")
        return run.stdout, run.stderr

    def host(self, name, *arguments, **options):
        return self.run_cli("--host", name, *arguments, **options)

    def socket(self, name, *arguments):
        """What `arguments` print of one socket: kind, state, local address, peer."""
        return self.host(name, *arguments)[0].split()[1:]

    def test_a_conversation_driven_from_a_third(self):
        kind, state, listener, _ = self.socket("b", "open", "tcp", "--bind", "10.77.2.2:0", "--listen", "--id", "server")
        self.assertEqual(("tcp4", "LISTENING"), (kind, state))
        kind, state, client, peer = self.socket("a", "open", "tcp", "--connect", listener, "--id", "client")
        self.assertEqual(("tcp4", "CONNECTED", listener), (kind, state, peer))
        self.assertTrue(client.startswith("10.77.2.1:"), client)
        self.assertEqual(["tcp4", "CONNECTED", listener, client], self.socket("b", "accept", "server", "--id", "conn"))
        self.host("a", "send", "client", "hello from a")
        self.assertEqual("hello from a", self.host("b", "recv", "conn")[0])
        self.host("b", "send", "conn", "hello from b")
        self.assertEqual("hello from b", self.host("a", "recv", "client")[0])

        self.host("a", "shutdown", "client", "wr")
        self.host("b", "wait", "conn", "--for", "peer-closed")
        self.assertEqual(("", "socketeer: end of stream\n"), self.host("b", "recv", "conn"))
        self.host("b", "send", "conn", "I still hear you")
        self.assertEqual("I still hear you", self.host("a", "recv", "client")[0])

        _, _, name_server, _ = self.socket("b", "open", "udp", "--bind", "10.77.2.2:0", "--id", "names")
        _, _, asker, _ = self.socket("a", "open", "udp", "--connect", name_server, "--id", "asker")
        self.host("a", "send", "asker", "who is b?")
        out, told = self.host("b", "recv", "names")
        self.assertEqual(("who is b?", f"socketeer: 9 bytes from {asker}\n"), (out, told))
        self.host("b", "send", "names", "I am", "--to", asker)
        self.assertEqual("I am", self.host("a", "recv", "asker")[0])

        self.assertIn("ECONNREFUSED", self.host("a", "open", "tcp", "--connect", "10.77.2.2:1", code=3)[1])
        self.assertIn("policy denies connect tcp:10.77.2.3:1",
                      self.host("a", "open", "tcp", "--connect", "10.77.2.3:1", code=5)[1])

        self.assertEqual("sockets/asker\nsockets/client\n", self.host("a", "ls", "-o", "name")[0])
        self.assertEqual("b sockets/conn\nb sockets/names\nb sockets/server\n",
                         self.run_cli("ls", "--on", "role=server", "-o", "name")[0])
        for name in "ab":
            self.host(name, "close", "--all")
            self.assertEqual("", self.host(name, "ls", "-o", "name")[0])
            self.daemons[name].stop()

    def test_who_is_not_in_the_policy_may_do_nothing(self):
        self.assertIn("spiffe://socketeer/controller", self.host("b", "whoami")[0])
        self.assertIn("spiffe://socketeer/stranger", self.host("b-by-stranger", "whoami")[0])
        told = self.host("b-by-stranger", "open", "tcp", "--bind", "10.77.2.2:0", "--listen", code=5)[1]
        self.assertIn("policy denies open tcp4: no rule matches", told)
        self.assertIn("no TLS with the daemon", self.host("10.77.2.2:7625", "whoami", code=2)[1])
        self.assertEqual("", self.host("b", "ls", "-o", "name")[0])

    def test_all_are_asked_and_each_answers_for_itself(self):
        out, told = self.run_cli("open", "tcp", "--bind", ":0", "--label", "app=demo", "--all-hosts", "-o", "name", code=5)
        self.assertEqual(["a", "b"], [line.split()[0] for line in out.splitlines()])
        self.assertEqual("socketeer: open: b-by-stranger: the daemon's policy denies open tcp6: no rule matches\n", told)
        self.daemons["a"].stop()
        out, told = self.run_cli("close", "--all-hosts", "--label", "app=demo", "-o", "name", code=2)
        self.assertEqual(["b"], [line.split()[0] for line in out.splitlines()])
        self.assertEqual("socketeer: close: a: cannot reach the daemon at 10.77.2.1:7625: Connection refused\n", told)


if __name__ == "__main__":
    if os.geteuid() != 0:  # all of it in one user namespace, where it has root's rights
        os.execvp("unshare", ["unshare", "--user", "--map-root-user", sys.executable, *sys.argv])
    unittest.main()
