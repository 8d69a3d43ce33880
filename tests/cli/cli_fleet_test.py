"""Many hosts at once: hosts, --on, --all-hosts. Real daemons over UNIX sockets and TLS, and some that are not there."""
import os
import re
import signal

from fleet_harness import FleetCli
import at_once  # of tests/support, which the line above makes known

POLICY = """
identities: {alice: ["spiffe://socketeer/alice"]}
rules: [{name: bind, allow: bind, identities: alice, addresses: wildcard}]
"""
LATENCY = re.compile(r"\d+(\.\d+)?s")


def failure(code, message, reason=""):
    return {"code": code, "reason": reason, "message": message}


class ThreeAndThreeMore(FleetCli):
    """Three that answer; one that is dead, one that says nothing, one that refuses."""

    def setUp(self):
        super().setUp()
        self.certs("--host", "localhost", "--client", "alice")
        self.add("unix", self.unix("a"), "rack: r1, role: web")
        tokens = self.tls_daemon("localhost", "--token-file", self.tokens())
        alice = {"ca": self.lab / "ca.pem", "cert": self.lab / "alice.pem", "key": self.lab / "alice.key"}
        self.add("tls", self.tls_daemon(), "rack: r1", **alice)
        self.add("token", tokens, "rack: r2, role: web", ca=self.lab / "ca.pem", token_file=self.token())
        self.dead = self.nobody()
        self.add("dead", self.dead, "rack: r3")
        self.add("stopped", self.unix("s"), "rack: r4")
        self.process.send_signal(signal.SIGSTOP)
        self.add("unknown", tokens, "rack: r5", ca=self.lab / "ca.pem", token_file=self.token("another"))
        policy = self.directory / "policy.yaml"
        policy.write_text(POLICY)
        policy.chmod(0o600)
        self.add("denied", self.tls_daemon("localhost", "--policy", policy), "rack: r6", **alice)
        self.refused = f"cannot reach the daemon at {self.dead}: Connection refused"
        self.silent = f"the daemon at unix:{self.directory}/s.sock does not answer"
        self.foreign = self.run_fleet("--host", "unknown", "ls", code=5)[1][0].removeprefix("socketeer: ls: ")

    def open_some(self):
        for name in ["unix", "tls", "token"]:
            for app in ["demo", "other"]:
                self.run_fleet("--host", name, "open", "udp", "--bind", "127.0.0.1:0", "--id", f"{app}-of-{name}",
                               "--label", f"app={app}")

    def sockets_of(self, name, *arguments):
        return self.document("--host", name, "ls", *arguments)["sockets"]

    def test_hosts(self):
        self.open_some()
        rows = self.rows("hosts", "--timeout", "5s", code=2)
        self.assertEqual(["NAME", "ADDRESS", "VERSION", "LATENCY", "SOCKETS", "LABELS", "REACHABLE"], rows[0])
        self.assertEqual(["unix", "tls", "token", "dead", "stopped", "unknown", "denied"], [row[0] for row in rows[1:]])
        self.assertEqual(["2", "rack=r1,role=web", "yes"], rows[1][4:])
        self.assertEqual(["2", "rack=r1", "yes"], rows[2][4:])
        self.assertEqual([self.dead, "-", "-", "-", "rack=r3", f"no: {self.refused}"], rows[4][1:])
        self.assertEqual(["-", "-", "-", "rack=r4", f"no: {self.silent}"], rows[5][2:])
        self.assertEqual(["-", "-", "-", "rack=r5", f"yes, refused: {self.foreign}"], rows[6][2:])
        self.assertEqual("yes", rows[7][6])

    def test_what_is_exported_for_one_is_not_shown_to_all(self):
        """Who has credentials of its own in the file gets no others."""
        exported = {"SOCKETEER_TOKEN_FILE": self.token("another")}
        rows = self.rows("hosts", "--on", "rack=r2", **exported)
        self.assertEqual([("token", "yes")], [(row[0], row[6]) for row in rows[1:]])
        said = self.run_fleet("--host", "token", "whoami", code=5, **exported)[1]  # of one it is meant for
        self.assertIn("token", said[0])

    def test_hosts_as_a_document(self):
        found = self.document("hosts", "--timeout", "5s", code=2)
        version = self.run_fleet("--version")[0].split()[1]
        for each in found["hosts"]:
            if each["latency"] is not None:
                self.assertRegex(each["latency"], LATENCY)
                each["latency"] = "some"

        def host(name, address, labels, reachable=True, version=version, sockets=0, errors=()):
            return {"name": name, "address": address, "reachable": reachable, "version": version,
                    "latency": "some" if version else None, "sockets": sockets, "labels": labels,
                    "errors": list(errors)}

        addresses = [re.search('address: "(.*?)"', line)[1] for line in self.hosts]
        gone = {"version": None, "sockets": None}
        self.assertEqual({"hosts": [
            host("unix", addresses[0], {"rack": "r1", "role": "web"}),
            host("tls", addresses[1], {"rack": "r1"}),
            host("token", addresses[2], {"rack": "r2", "role": "web"}),
            host("dead", addresses[3], {"rack": "r3"}, False, **gone, errors=[failure("UNAVAILABLE", self.refused)]),
            host("stopped", addresses[4], {"rack": "r4"}, False, **gone, errors=[failure("UNAVAILABLE", self.silent)]),
            host("unknown", addresses[5], {"rack": "r5"}, **gone,
                 errors=[failure("UNAUTHENTICATED", self.foreign, "TOKEN_UNKNOWN")]),
            host("denied", addresses[6], {"rack": "r6"}),
        ]}, found)

    def test_hosts_by_labels(self):
        for options in (["--label", "role=web"], ["--on", "role=web"]):
            self.assertEqual("unix\ntoken\n", self.run_fleet("hosts", *options, "-o", "name")[0])
        self.assertEqual("unix\n", self.run_fleet("hosts", "--label", "role=web", "--on", "rack=r1", "-o", "name")[0])
        text = self.run_fleet("hosts", "--on", "rack=r1", "-o", "yaml")[0]
        self.assertTrue(text.startswith("---\nhosts:\n  - name: unix\n    address: "), text)
        self.assertIn("    labels:\n      rack: r1\n      role: web\n    errors: []\n  - name: tls\n", text)
        self.assertEqual(["socketeer: hosts: --label: --on names the key \"rack\" too"],
                         self.run_fleet("hosts", "--label", "rack=r2", "--on", "rack=r1", code=1)[1])

    def test_ls_of_all(self):
        self.open_some()
        out, told = self.run_fleet("ls", "--all-hosts", "--timeout", "5s", code=2)
        rows = [line.split() for line in out.splitlines()]
        self.assertEqual(["HOST", "NAME", "KIND", "STATE", "LOCAL", "PEER", "OWNER", "LABELS"], rows[0])
        self.assertEqual([(host, f"sockets/{app}-of-{host}", f"app={app}") for host in ["unix", "tls", "token"]
                          for app in ["demo", "other"]], [(row[0], row[1], row[7]) for row in rows[1:]])
        self.assertEqual({f"uid:{os.getuid()}", "spiffe://socketeer/alice", "token:ci"}, {row[6] for row in rows[1:]})
        self.assertEqual([f"socketeer: ls: dead: {self.refused}", f"socketeer: ls: stopped: {self.silent}",
                          f"socketeer: ls: unknown: {self.foreign}"], told)

    def test_ls_as_a_document(self):
        self.open_some()
        found = self.document("ls", "--all-hosts", "--timeout", "5s", "--filter", "kind = udp*", "--label", "app=demo",
                              code=2)
        alike = [{"name": name, "sockets": self.sockets_of(name, "--label", "app=demo"), "errors": []}
                 for name in ["unix", "tls", "token"]]
        self.assertEqual([1, 1, 1], [len(each["sockets"]) for each in alike])
        self.assertEqual({"hosts": [
            *alike,
            {"name": "dead", "sockets": None, "errors": [failure("UNAVAILABLE", self.refused)]},
            {"name": "stopped", "sockets": None, "errors": [failure("UNAVAILABLE", self.silent)]},
            {"name": "unknown", "sockets": None, "errors": [failure("UNAUTHENTICATED", self.foreign, "TOKEN_UNKNOWN")]},
            {"name": "denied", "sockets": [], "errors": []},
        ]}, found)

    def test_ls_on_a_label(self):
        self.open_some()
        self.assertEqual("unix sockets/demo-of-unix\ntoken sockets/demo-of-token\n",
                         self.run_fleet("ls", "--on", "role=web", "--label", "app=demo", "-o", "name")[0])
        self.assertEqual([["HOST", "NAME", "KIND", "STATE", "LOCAL", "PEER", "OWNER", "LABELS"]],
                         self.table("ls", "--on", "role=web", "--filter", "kind = tcp*"))
        told = self.run_fleet("ls", "--on", "role=web", "--filter", "nonsense", code=1)[1]
        self.assertEqual(["socketeer: ls: unix: ", "socketeer: ls: token: "],
                         [line.partition("filter")[0] for line in told if line.startswith("socketeer:")])

    def test_the_gravest_error_is_the_exit_code(self):
        broken = self.directory / "broken"
        self.add("broken", self.dead, "rack: r7", ca=broken)
        for racks, code in [("r5", 5), ("r7", 1), ("r3", 2), ("r4", 2)]:
            self.run_fleet("ls", "--on", f"rack={racks}", "--timeout", "5s", code=code)
        told = self.run_fleet("ls", "--all-hosts", "--timeout", "5s", code=2)[1]
        self.assertEqual(f"socketeer: ls: broken: {broken}: No such file or directory", told[3])
        self.assertEqual(4, len(told))
        self.assertEqual([["broken", self.dead, "-", "-", "-", "rack=r7",
                           f"not asked: {broken}: No such file or directory"]],
                         self.rows("hosts", "--on", "rack=r7", code=1)[1:])
        host = self.document("hosts", "--on", "rack=r7", code=1)["hosts"][0]
        self.assertEqual((None, [failure("INVALID_ARGUMENT", f"{broken}: No such file or directory")]),
                         (host["reachable"], host["errors"]))

    def test_a_stopped_daemon_with_tls(self):
        """It is not asked, past the time, what stands in TLS's way."""
        self.add("stopped-tls", self.tls_daemon(), "rack: r8", ca=self.lab / "ca.pem")
        self.process.send_signal(signal.SIGSTOP)
        row = self.rows("hosts", "--on", "rack=r8", "--timeout", "1s", code=2)[1]
        self.assertEqual(["-", "-", "-", "rack=r8", f"no: the daemon at {row[1]} does not answer"], row[2:])

    def test_close(self):
        self.open_some()
        out, told = self.run_fleet("close", "--all-hosts", "--label", "app=demo", "--timeout", "5s", code=2)
        self.assertEqual([[host, f"sockets/demo-of-{host}", "udp4", "CLOSED"] for host in ["unix", "tls", "token"]],
                         [line.split()[:4] for line in out.splitlines()])
        self.assertEqual([f"socketeer: close: dead: {self.refused}", f"socketeer: close: stopped: {self.silent}",
                          f"socketeer: close: unknown: {self.foreign}"], told)
        for host in ["unix", "tls", "token"]:
            self.assertEqual(f"sockets/other-of-{host}\n", self.run_fleet("--host", host, "ls", "-o", "name")[0])
        self.assertEqual(("", ["socketeer: no sockets"]),
                         self.run_fleet("close", "--on", "role=web", "--label", "app=demo"))

    def test_close_as_a_document(self):
        self.open_some()
        before = {name: self.sockets_of(name, "--label", "app=demo")[0] for name in ["unix", "token"]}
        found = self.document("close", "--on", "role=web", "--label", "app=demo")
        for host in found["hosts"]:
            self.assertEqual("CLOSE_REASON_OWNER", host["sockets"][0].pop("closeReason"))
            self.assertEqual("STATE_CLOSED", host["sockets"][0].pop("state"))
            host["sockets"][0].pop("closeTime")
        for each in before.values():
            each.pop("closeReason"), each.pop("state")
        self.assertEqual({"hosts": [{"name": name, "sockets": [before[name]], "errors": []}
                                    for name in ["unix", "token"]]}, found)

    def test_close_by_name(self):
        self.open_some()
        out, told = self.run_fleet("close", "demo-of-unix", "other-of-unix", "--on", "role=web", code=3)
        self.assertEqual([["unix", "sockets/demo-of-unix"], ["unix", "sockets/other-of-unix"]],
                         [line.split()[:2] for line in out.splitlines()])
        self.assertEqual(['socketeer: close: token: there is no socket "sockets/demo-of-unix"',
                          'socketeer: close: token: there is no socket "sockets/other-of-unix"'], told)

    def test_open_everywhere(self):
        out, told = self.run_fleet("open", "tcp", "--bind", "127.0.0.1:0", "--listen", "--id", "web", "--all-hosts",
                                   "--timeout", "5s", code=2)
        self.assertEqual([[host, "sockets/web", "tcp4", "LISTENING"] for host in ["unix", "tls", "token"]],
                         [line.split()[:4] for line in out.splitlines()])
        self.assertEqual([f"socketeer: open: dead: {self.refused}", f"socketeer: open: stopped: {self.silent}",
                          f"socketeer: open: unknown: {self.foreign}",
                          "socketeer: open: denied: the daemon's policy denies open tcp4: no rule matches"], told)
        self.run_fleet("open", "tcp", "--on", "rack=r6", code=5)
        self.assertEqual("unix sockets/s2\ntoken sockets/s2\n",
                         self.run_fleet("open", "udp", "--id", "s2", "--on", "role=web", "-o", "name")[0])
        opened = self.document("open", "udp", "--id", "s3", "--on", "role=web")
        self.assertEqual({"hosts": [{"name": name, "socket": self.document("--host", name, "inspect", "s3"), "errors": []}
                                    for name in ["unix", "token"]]}, opened)

    def test_close_on_a_daemon_that_says_nothing(self):
        told = self.run_fleet("close", "x", "y", "--on", "rack=r4", "--timeout", "1s", code=2)[1]
        self.assertEqual([f"socketeer: close: stopped: {self.silent}; sockets that may still be open: 2"], told)

    def test_in_a_session_of_each(self):
        self.run_fleet("--host", "unix", "session", "create", "--id", "job")
        for where in (["--session", "job"], []):
            opened = self.document("open", "udp", "--on", "role=web", *where, code=3,
                                   **({} if where else {"SOCKETEER_SESSION": "job"}))["hosts"]
            self.assertEqual("sessions/job", opened[0]["socket"]["session"])
            self.assertEqual((None, "SESSION_NOT_FOUND"), (opened[1]["socket"], opened[1]["errors"][0]["reason"]))
        self.run_fleet("close", "--label", "a=b", "--session", "job", "--on", "rack=r1", "--on", "role=web")

    def test_inspect(self):
        self.open_some()
        self.run_fleet("--host", "token", "open", "udp", "--id", "demo-of-unix")
        out = self.run_fleet("inspect", "demo-of-unix", "--on", "role=web")[0]
        self.assertEqual(["Host:       unix", "Host:       token"], [block.splitlines()[0] for block in out.split("\n\n")])
        found = self.document("inspect", "demo-of-unix", "other-of-unix", "--on", "role=web", code=3)
        self.assertEqual({"hosts": [
            {"name": "unix", "sockets": [self.document("--host", "unix", "inspect", f"{app}-of-unix")
                                         for app in ["demo", "other"]], "errors": []},
            {"name": "token", "sockets": [self.document("--host", "token", "inspect", "demo-of-unix")],
             "errors": [failure("NOT_FOUND", 'there is no socket "sockets/other-of-unix"', "SOCKET_NOT_FOUND")]},
        ]}, found)

    def test_about_the_daemons(self):
        version = self.run_fleet("--version")[0].split()[1]
        for verb, member in [("version", "daemon"), ("healthcheck", "health"), ("whoami", "caller"), ("quota", "quota")]:
            found = self.document(verb, "--on", "role=web")
            self.assertEqual(version if verb == "version" else None, found.pop("client", None))
            expected = []
            for name in ["unix", "token"]:
                one = self.document("--host", name, verb)
                expected.append({"name": name, member: one["daemon"] if verb == "version" else one, "errors": []})
            for host in [*found["hosts"], *expected]:
                for fresh in ["clock", "uptime", "usage"]:
                    host[member].pop(fresh, None)
            self.assertEqual({"hosts": expected}, found)
            said = self.run_fleet(verb, "--on", "rack=r3", code=2)[1]
            self.assertEqual([f"socketeer: {verb}: dead: {self.refused}"], said)
        self.assertEqual([["unix", "SERVING"], ["token", "SERVING"]], self.table("healthcheck", "--on", "role=web"))
        self.assertEqual(f"unix uid:{os.getuid()}\ntoken token:ci\n",
                         self.run_fleet("whoami", "--on", "role=web", "-o", "name")[0])
        self.assertEqual([["HOST", "IDENTITY", "PROVEN BY", "SESSION", "EXPIRES"],
                          ["unix", f"uid:{os.getuid()}", "uid, by the kernel", "sessions/standing", "-"],
                          ["token", "token:ci", "token", "sessions/standing", "-"]],
                         self.rows("whoami", "--on", "role=web"))
        rows = self.table("version", "--on", "role=web")
        self.assertEqual([["client", version], ["HOST", "DAEMON", "ON", "LINUX", "SEES", "YOU", "AS"]], rows[:2])
        self.assertEqual([["unix", version], ["token", version]], [row[:2] for row in rows[2:]])
        self.assertEqual([f"socketeer: {name}: this daemon has no quotas; it counts for all callers together"
                          for name in ["token", "unix"]], sorted(self.run_fleet("quota", "--on", "role=web")[1]))


if __name__ == "__main__":
    at_once.main()  # they wait for who says nothing
