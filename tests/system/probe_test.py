"""socketeer probe between three hosts with a network of their own: what is changed there, and nothing else, is found, each with
its own reason; and nothing is left on any daemon."""

import json
import pathlib
import signal
import subprocess
import sys
import xml.etree.ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import hosts_lab  # noqa: E402
from daemon import SOCKETEER, socketeer  # noqa: E402
from eventually import eventually  # noqa: E402

MATRIX = "hosts: [a, b, c]\nports: [8080, udp/5353]\nlisten: true\ntimeout: 3s\n"
# As a network that takes a connection and says nothing.
SILENT = """
import socket
server = socket.create_server(("0.0.0.0", {port}))
print("ready", flush=True)
kept = [server.accept() for _ in iter(int, 1)]
"""
ECHO = """
import socket
server = socket.socket(type=socket.SOCK_DGRAM)
server.bind(("0.0.0.0", {port}))
print("ready", flush=True)
while True:
    data, sender = server.recvfrom(2048)
    server.sendto(b"what? " + data, sender)
"""
CLOSED_TO = """
rules:
  - {{name: out, deny: [connect], identities: [any], addresses: [{address}]}}
  - {{name: all, allow: [all], identities: [any]}}
"""


class ProbeTest(hosts_lab.HostsLab):
    def setUp(self):
        super().setUp()
        for name in "abc":
            self.add(name)

    def tearDown(self):
        for name, daemon in self.daemons.items():
            self.assertEqual("", socketeer(daemon.address, "ls", "-o", "name").stdout, name)
            self.assertEqual("sessions/standing\n", socketeer(daemon.address, "session", "ls", "-o", "name").stdout)

    def probe(self, *arguments, code=0):
        return json.loads(self.cli("probe", *arguments, "-o", "json", code=code))["cells"]

    def one(self, *arguments, code=4):
        """(found, error, detail) of one arrow."""
        [cell] = self.probe(*arguments, code=code)
        self.assertEqual(code == 0, cell["as_expected"])
        return cell["found"], cell["error"], cell["detail"]

    def matrix(self, text=MATRIX, code=0):
        """The cells that are not as expected, and what was found."""
        file = self.directory / "matrix.yaml"
        file.write_text(text)
        cells = self.probe("--matrix", file, code=code)
        self.cells = len(cells)
        return {f"{each['from']}->{each['to']}:{each['protocol']}/{each['port']}": each["found"]
                for each in cells if not each["as_expected"]}


class AMatrix(ProbeTest):
    def test_exactly_what_was_changed_is_wrong(self):
        self.assertEqual({}, self.matrix())
        self.assertEqual(12, self.cells)
        undo = self.filter("c", "ip saddr 10.78.0.1 tcp dport 8080 drop")
        self.assertEqual({"a->c:tcp/8080": "dropped"}, self.matrix(code=4))
        expected = MATRIX + 'cells: {"a -> c:8080": blocked}\n'
        self.assertEqual({}, self.matrix(expected))
        undo()
        self.assertEqual({"a->c:tcp/8080": "open"}, self.matrix(expected, code=4))
        self.filter("b", "udp dport 5353 reject with icmp type port-unreachable")
        self.assertEqual({"a->b:udp/5353": "rejected", "c->b:udp/5353": "rejected"}, self.matrix(code=4))

    def test_a_host_without_a_daemon_makes_its_cells_unknown(self):
        self.daemons.pop("b").stop()
        found = self.matrix(code=2)
        self.assertEqual({"no-daemon"}, set(found.values()))
        self.assertEqual({each for each in found if "b" in each}, set(found))
        self.assertEqual(8, len(found))
        self.assertEqual({}, self.matrix(MATRIX + 'cells: {"b -> *": no-daemon, "* -> b": no-daemon}\n'))

    def test_the_table_marks_what_is_wrong_and_says_why(self):
        self.filter("c", "ip saddr 10.78.0.1 tcp dport 8080 drop")
        file = self.directory / "matrix.yaml"
        file.write_text(MATRIX.replace(", udp/5353", ""))
        table = [line.split("  ") for line in self.cli("probe", "--matrix", file, code=4).splitlines()]
        words = [[word.strip() for word in line if word] for line in table]
        self.assertEqual([["tcp/8080", "a", "b", "c"], ["a", "-", "open", "dropped, not open"], ["b", "open", "-", "open"],
                          ["c", "open", "open", "-"]], words[:4])
        self.assertEqual(["a", "c:8080", "tcp", "dropped, not open", "c listens there, and nothing came back within 3s"],
                         words[6][:4] + words[6][5:])
        self.assertEqual(["1 of 6 not as expected"], words[8])


    def test_junit(self):
        self.filter("c", "ip saddr 10.78.0.1 tcp dport 8080 drop")
        file, report = self.directory / "matrix.yaml", self.directory / "report.xml"
        file.write_text(MATRIX)
        self.cli("probe", "--matrix", file, "--junit", report, code=4)
        cases = xml.etree.ElementTree.parse(report).getroot().findall(".//testcase")
        self.assertEqual(12, len(cases))
        [wrong] = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
        self.assertEqual("a -> c:8080 tcp", wrong.get("name"))
        self.assertIn("dropped, not open: c listens there", wrong.find("failure").get("message"))
        self.assertIn("--junit", self.cli("probe", "--matrix", file, "--junit", "/nonexistent/x.xml", code=3))


SCENARIO = """
name: what the filter on b lets through
hosts: {one: a, other: b}
variables: {port: 8080}
steps:
  - on: one
    probe: {to: "other:${port}", listen: true}
    expect: {reason: %s}
  - on: one
    probe: {to: "other:5353", protocol: udp, listen: true}
    expect: {reason: open}
    capture: {found: reason}
  - on: other
    probe: {to: "10.78.0.1:8081"}
    expect: {reason: refused, errno: ECONNREFUSED}
  - run: ["/bin/echo", "${found}"]
    expect: {stdout: {contains: open}}
"""


class InAScenario(ProbeTest):
    def run_it(self, expected, code=0):
        file = self.directory / "scenario.yaml"
        file.write_text(SCENARIO % expected)
        return self.cli("run", file, code=code)

    def test_what_is_found_is_expected_and_captured(self):
        self.run_it("open")
        self.assertIn("reason", self.run_it("dropped", code=4))
        self.filter("b", "tcp dport 8080 drop")
        self.run_it("dropped")

    def test_who_is_no_host_cannot_listen(self):
        file = self.directory / "scenario.yaml"
        file.write_text("name: x\nhosts: [a]\nsteps: [{on: a, probe: {to: \"10.78.0.2:80\", listen: true}}]\n")
        self.assertIn('"10.78.0.2:80" is no host of the scenario: nobody listens', self.cli("run", file, code=1))


class WithAListener(ProbeTest):
    """b opens the port itself."""

    def listening(self, *arguments, code=4):
        return self.one("a->b:8080", "--listen", "--timeout", "3s", *arguments, code=code)

    def test_open(self):
        self.assertEqual(("open", "", ""), self.listening(code=0))

    def test_dropped(self):
        self.filter("b", "tcp dport 8080 drop")
        self.assertEqual(("dropped", "b listens there, and nothing came back within 3s"), self.listening()[::2])

    def test_rejected_by_a_reset(self):
        self.filter("b", "tcp dport 8080 reject with tcp reset")
        found, error, detail = self.listening()
        self.assertEqual(("rejected", "ECONNREFUSED"), (found, error))
        self.assertRegex(detail, "^b listens there; connect: .*10.78.0.2:8080")

    def test_rejected_by_icmp(self):
        self.filter("b", "tcp dport 8080 reject with icmp type admin-prohibited")
        # The kernel may hear of it only when it asks again, after a second.
        found, error, detail = self.listening("--timeout", "10s")
        self.assertEqual(("unreachable", "EHOSTUNREACH"), (found, error))
        self.assertTrue(detail.startswith("b listens there; "), detail)

    def test_answered_by_somebody_else(self):
        self.serve("b", SILENT.format(port=9090))
        self.redirect("b", "tcp", 8080, 9090)
        self.assertEqual(("somebody-else", "", "connected, but not to what the probe opened on b"), self.listening())

    def test_a_connection_whose_data_is_lost(self):
        self.filter("b", "tcp dport 8080 tcp flags & (psh | ack) == psh | ack drop")
        found, _, detail = self.listening()
        self.assertEqual(("dropped", "the connection reached b, its data did not within 3s"), (found, detail))

    def test_one_way(self):
        self.filter("b", "tcp sport 8080 tcp flags & (psh | ack) == psh | ack drop", hook="output")
        self.assertEqual(("one-way", "it reached b, whose answer was lost"), self.listening()[::2])

    def test_a_port_in_use_is_somebody_elses(self):
        self.serve("b", SILENT.format(port=8080))
        found, error, detail = self.listening()
        self.assertEqual(("somebody-else", "EADDRINUSE"), (found, error))
        self.assertIn("b: bind: Address already in use", detail)

    def test_an_address_that_is_translated_on_its_way(self):
        self.on("a", "ip", "route", "add", "192.0.2.7", "via", "10.78.0.2")
        self.nft("b", "table ip lab {\nchain c {\ntype nat hook prerouting priority dstnat\n"
                      "ip daddr 192.0.2.7 dnat to 10.78.0.2\n}\n}\n")
        self.hosts_file.write_text(self.hosts_file.read_text().replace("10.78.0.2", "192.0.2.7"))
        self.assertEqual("open", self.listening(code=0)[0])

    def test_ended_by_a_signal_it_leaves_nothing(self):
        self.filter("b", "tcp dport 8080 drop")
        process = subprocess.Popen([SOCKETEER, "probe", "a->b:8080", "--listen", "--timeout", "60s"],
                                   env={"SOCKETEER_HOSTS_FILE": str(self.hosts_file)}, stdout=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        eventually(lambda: socketeer(self.daemons["b"].address, "ls", "-o", "name").stdout, "b listens")
        process.send_signal(signal.SIGINT)
        self.assertEqual(130, process.wait(20))


class WithoutAListener(ProbeTest):
    """What is there is asked."""

    def test_open_and_refused(self):
        self.serve("b", SILENT.format(port=8080))
        self.assertEqual(("open", "", ""), self.one("a->b:8080", code=0))
        found, error, detail = self.one("a->b:8081")
        self.assertEqual(("refused", "ECONNREFUSED"), (found, error))
        self.assertIn("10.78.0.2:8081", detail)
        self.assertEqual("refused", self.one("a->b:8081", "--expect", "blocked", code=0)[0])

    def test_timeout(self):
        self.filter("b", "tcp dport 8080 drop")
        found, _, detail = self.one("a->b:8080", "--timeout", "300ms")
        self.assertEqual(("timeout", "nothing came back within 300ms"), (found, detail))

    def test_a_dead_host_is_unreachable(self):
        self.know("d")
        self.assertEqual(("unreachable", "EHOSTUNREACH"), self.one("a->d:8080")[:2])

    def test_a_network_without_a_route_is_unreachable(self):
        self.assertEqual(("unreachable", "ENETUNREACH"), self.one("a->192.0.2.1:80")[:2])

    def test_a_name_that_is_none(self):
        found, error, detail = self.one("a->no-such-name.invalid:80")
        self.assertEqual(("dns", "NAME_NOT_RESOLVED"), (found, error))
        self.assertTrue(detail.startswith("a: "), detail)

    def test_denied_by_the_policy_of_the_host_that_asks(self):
        policy = self.directory / "policy.yaml"
        policy.write_text(CLOSED_TO.format(address="10.78.0.2"))
        self.add("e", "--policy", policy)
        found, error, detail = self.one("e->b:8080")
        self.assertEqual(("denied", "POLICY_DENIED"), (found, error))
        self.assertTrue(detail.startswith("e: "), detail)

    def test_a_daemon_that_is_not_there(self):
        self.know("d")
        found, _, detail = self.one("d->b:8080", code=2)
        self.assertEqual("no-daemon", found)
        self.assertIn("d: cannot reach the daemon at unix:", detail)
        self.assertEqual("no-daemon", self.one("d->b:8080", "--expect", "no-daemon", code=0)[0])

    def test_the_daemon_of_host(self):
        self.serve("b", SILENT.format(port=8080))
        [cell] = self.probe(".->b:8080", "--host", "c")
        self.assertEqual((".", "b", 8080, "open"), (cell["from"], cell["to"], cell["port"], cell["found"]))

    def test_many_ports(self):
        self.serve("b", SILENT.format(port=8080))
        self.serve("b", ECHO.format(port=5353))
        found = self.probe("a->b:8080,8081,udp/5353", "c->b:8080", code=4)
        self.assertEqual(["open", "refused", "open", "open"], [each["found"] for each in found])


class Datagrams(ProbeTest):
    def udp(self, *arguments, code=4):
        return self.one("a->b:5353", "--udp", "--timeout", "3s", *arguments, code=code)

    def test_open(self):
        self.assertEqual(("open", "", ""), self.udp("--listen", code=0))

    def test_lost_on_its_way(self):
        self.filter("b", "udp dport 5353 drop")
        self.assertEqual(("dropped", "", "b has the port, and got none of 3 datagrams within 3s"), self.udp("--listen"))

    def test_lost_on_its_way_back(self):
        self.filter("a", "udp sport 5353 drop")
        self.assertEqual(("one-way", "", "it reached b, whose answer was lost"), self.udp("--listen"))

    def test_rejected(self):
        self.filter("b", "udp dport 5353 reject with icmp type port-unreachable")
        found, error, detail = self.udp("--listen")
        self.assertEqual(("rejected", "ECONNREFUSED"), (found, error))
        self.assertTrue(detail.startswith("b has the port; "), detail)

    def test_dropped_by_the_hosts_own_filter(self):
        self.filter("a", "udp dport 5353 drop", hook="output")
        self.assertEqual(("dropped", "EPERM"), self.udp("--listen")[:2])

    def test_answered_by_somebody_else(self):
        self.serve("b", ECHO.format(port=9090))
        self.redirect("b", "udp", 5353, 9090)
        self.assertEqual(("somebody-else", "answered, but not by what the probe opened on b"), self.udp("--listen")[::2])

    def test_in_use(self):
        self.serve("b", ECHO.format(port=5353))
        self.assertEqual(("somebody-else", "EADDRINUSE"), self.udp("--listen")[:2])

    def test_without_a_listener(self):
        self.assertEqual(("refused", "ECONNREFUSED"), self.udp()[:2])
        self.filter("b", "udp dport 5353 drop")
        self.assertEqual(("no-answer", "", "open or filtered: no answer to 3 datagrams within 3s"), self.udp())
        self.assertEqual("no-answer", self.udp("--expect", "no-answer", code=0)[0])
        self.udp("--expect", "blocked")

    def test_without_a_listener_answered(self):
        self.serve("b", ECHO.format(port=5353))
        self.assertEqual("open", self.udp(code=0)[0])


if __name__ == "__main__":
    hosts_lab.main()
