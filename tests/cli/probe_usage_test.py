"""socketeer probe of what it cannot ask: one line that says so, and nothing is asked."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from fleet_harness import FleetCli  # noqa: E402


class Mistakes(FleetCli):
    def setUp(self):
        super().setUp()
        self.add("a", self.unix("a"))
        self.add("b", "10.255.0.1:7625")

    def refused(self, said, *arguments):
        with self.subTest(arguments=arguments):
            out, lines = self.run_fleet("probe", *arguments, code=1)
            self.assertEqual(("", f"socketeer: probe: {said}"), (out, lines[0]))
            self.assertEqual(1, len(lines), lines)

    def test_arrows(self):
        self.refused("give an arrow, 'FROM->TO:PORT', or --matrix FILE")
        self.refused('"a-" is no arrow; write \'FROM->TO:PORT\', in quotation marks: to the shell > is a file', "a-")
        self.refused('there is no host "c" in %s; there is a, b' % self.file, "c->b:80")
        self.refused('"a->b": behind the arrow stands HOST:PORT', "a->b")
        self.refused('"a->:80": behind the arrow stands HOST:PORT', "a->:80")
        self.refused('"a->b:0": "0" is no port; it must be 1 to 65535, as 80, tcp/80 or udp/53', "a->b:0")
        self.refused('"a->b:80,": "" is no port; it must be 1 to 65535, as 80, tcp/80 or udp/53', "a->b:80,")
        self.refused('"a->::1:80": an IPv6 address stands in brackets: [::1]:80', "a->::1:80")
        self.refused("--udp does not go with a UNIX socket", "a->/run/x.sock", "--udp")

    def test_options(self):
        self.refused("--timeout of a probe must be 10ms to 10m", "a->b:80", "--timeout", "none")
        self.refused("--host is for arrows from a dot: '.->TO:PORT'", "a->b:80", "--host", "a")
        self.refused("--session does not go with this verb, which is called in no session", "a->b:80", "--session", "x")
        self.refused("-o name is for verbs that print sockets or sessions", "a->b:80", "-o", "name")

    def test_where_a_host_is_reached_must_be_known(self):
        self.refused(f"where a is reached is not known: its daemon is at unix:{self.directory}/a.sock, and it has no data_address "
                     "in the hosts file", "b->a:80")

    def test_only_a_host_with_a_daemon_can_listen(self):
        self.refused('to listen at "10.0.0.9:80" a daemon is needed there, and "10.0.0.9" is no host of the hosts file',
                     "a->10.0.0.9:80", "--listen")

    def test_a_matrix(self):
        file = self.directory / "m.yaml"
        file.write_text("hosts: [a, b]\nports: [80]\ncells: {a -> b:81: open}\n")
        self.refused(f"{file}:3:9: cells: tcp/81 is none of the matrix's ports", "--matrix", file)
        for more in [["a->b:80"], ["--udp"], ["--expect", "open"]]:
            self.refused("--matrix says all itself: arrows, --expect and --udp do not go with it", "--matrix", file, *more)
        file.write_text("hosts: [a, z]\nports: [80]\n")
        self.refused(f'{file}: there is no host "z" in {self.file}; there is a, b', "--matrix", file)

    def test_without_a_hosts_file(self):
        _, lines = self.run_fleet("probe", "a->b:80", code=1, SOCKETEER_HOSTS_FILE=None, HOME="/nonexistent")
        self.assertEqual(['socketeer: probe: there is no hosts file that says where "a" is'], lines)


class Found(FleetCli):
    def test_a_unix_socket(self):
        self.add("a", self.unix("a"))
        # A daemon's own is nobody's.
        [cell] = self.document("probe", f"a->{self.directory}/a.sock", code=4)["cells"]
        self.assertEqual(("unix", None, "denied", False),
                         (cell["protocol"], cell["port"], cell["found"], cell["as_expected"]))
        [cell] = self.document("probe", f"a->{self.directory}/none.sock", "--expect", "refused")["cells"]
        self.assertEqual(("refused", "ENOENT"), (cell["found"], cell["error"]))


if __name__ == "__main__":
    unittest.main()
