"""That many hosts are asked at once, and how many; and what is said when they are named wrongly."""
import os
import resource
import signal
import socket
import subprocess
import threading
import types
import unittest

from fleet_harness import FleetCli
from harness import CLI, HANG, Proxy, collect

AT_ONCE = 64
OTHER_THREADS = 32  # more than gRPC and the program have besides


class Gated(Proxy):
    """Before a daemon's UNIX socket: lets nothing through until so many have come."""

    def __init__(self, to, path, gate):
        self._gate = gate
        super().__init__(types.SimpleNamespace(path=to), path)

    def _pump(self, source, sink):
        try:
            self._gate.wait()
        except threading.BrokenBarrierError:
            pass  # the test is over
        super()._pump(source, sink)


class AtOnce(FleetCli):
    def start(self, *arguments):
        process = subprocess.Popen([CLI, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, env=self.environment())
        self.addCleanup(lambda: (process.kill(), collect(process)))
        return process

    def silent(self):
        """A listener that says nothing; its address."""
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind(str(self.directory / "silent.sock"))
        listener.listen(1024)
        listener.settimeout(HANG)
        return listener, f"unix:{self.directory}/silent.sock"

    def held(self, listener, count):
        """The next connections; who made them waits."""
        for _ in range(count):
            self.addCleanup(listener.accept()[0].close)

    def test_each_daemon_is_heard_only_when_all_are_asked(self):
        """One after the other, the first would wait for ever."""
        self.unix("d")
        gate = threading.Barrier(2 * 5)  # both ways of five connections
        self.addCleanup(gate.abort)
        for i in range(5):
            proxy = Gated(f"{self.directory}/d.sock", f"{self.directory}/{i}.sock", gate)
            self.addCleanup(proxy.stop)
            self.addCleanup(gate.abort)
            self.add(f"h{i}", proxy.address)
        self.assertEqual([f"h{i}" for i in range(5)], [row[0] for row in self.table("hosts")[1:]])

    def test_no_more_at_once_than_threads(self):
        listener, address = self.silent()
        for i in range(300):
            self.add(f"h{i}", address)
        process = self.start("ls", "--all-hosts")
        self.held(listener, AT_ONCE)
        self.assertLessEqual(len(os.listdir(f"/proc/{process.pid}/task")), AT_ONCE + OTHER_THREADS)
        process.send_signal(signal.SIGINT)
        out, told = collect(process)
        self.assertEqual((130, ""), (process.returncode, told))
        self.assertEqual(["HOST"], out.split()[:1])

    def test_ctrl_c_leaves_what_others_answered(self):
        listener, address = self.silent()
        self.add("a", self.unix("a"))
        self.add("b", address)
        self.run_fleet("--host", "a", "open", "udp", "--id", "x")
        process = self.start("ls", "--all-hosts", "-o", "name")
        self.held(listener, 1)
        # a may not have been heard yet; another call shows nothing of that. What is printed is a's, or nothing.
        process.send_signal(signal.SIGTERM)
        out, told = collect(process)
        self.assertEqual((143, ""), (process.returncode, told))
        self.assertIn(out, ["", "a sockets/x\n"])

    def test_a_thousand_dead_hosts(self):
        address = self.nobody()
        for i in range(1000):
            self.hosts.append(f'- {{name: h{i}, address: "{address}"}}\n')
        self.file.write_text("hosts:\n" + "".join(self.hosts))
        out, told = self.run_fleet("ls", "--all-hosts", code=2)
        self.assertEqual(1, len(out.splitlines()))
        self.assertEqual([f"socketeer: ls: h{i}: cannot reach the daemon at {address}: Connection refused"
                          for i in range(1000)], told)
        rows = self.table("hosts", code=2)
        self.assertEqual([f"h{i}" for i in range(1000)], [row[0] for row in rows[1:]])
        self.assertEqual({"no:"}, {row[6] for row in rows[1:]})

    def test_a_thousand_hosts_with_few_descriptors(self):
        """Connections end with their host's turn."""
        address = self.unix("d")
        for i in range(1000):
            self.hosts.append(f'- {{name: h{i}, address: "{address}"}}\n')
        self.file.write_text("hosts:\n" + "".join(self.hosts))
        run = subprocess.run([CLI, "whoami", "--all-hosts", "-o", "name"], capture_output=True, text=True, timeout=HANG,
                             env=self.environment(),
                             preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (512, 512)))
        self.assertEqual((0, ""), (run.returncode, run.stderr))
        self.assertEqual("".join(f"h{i} uid:{os.getuid()}\n" for i in range(1000)), run.stdout)


class Usage(FleetCli):
    def setUp(self):
        super().setUp()
        self.add("a", "./nobody.sock", "rack: r1")
        self.add("b", "./nobody.sock", "rack: r2, role: web")

    def refused(self, said, *arguments, **variables):
        out, told = self.run_fleet(*arguments, code=1, **variables)
        self.assertEqual(("", [f"socketeer: {said}"]), (out, told))

    def test_verbs_of_one_daemon_refuse(self):
        for verb in [("watch",), ("nc", "localhost", "1"), ("send", "x", "text"), ("recv", "x"), ("accept", "x"),
                     ("bind", "x", ":0"), ("connect", "x", ":1"), ("listen", "x"), ("shutdown", "x", "wr"),
                     ("wait", "x", "--for", "closed"), ("opt", "get", "x"), ("opt", "set", "x", "nodelay=on"), ("opt", "ls"),
                     ("label", "x", "a=b"), ("session", "ls"), ("session", "create"), ("session", "hold", "x"),
                     ("session", "end", "x"), ("session", "inspect", "x"), ("transfer", "x", "--to", "y"),
                     ("share", "x"), ("policy", "test", "x"), ("cert", "x"), ("completion", "bash")]:
            words = " ".join(verb[:2] if verb[0] in ("opt", "session", "policy") else verb[:1])
            for option in (["--all-hosts"], ["--on", "rack=r1"]):
                self.refused(f"{words}: {option[0]} does not go with this verb, which is not for many hosts; it goes with "
                             "open, close, ls, inspect, healthcheck, version, whoami, quota, hosts", *verb, *option)

    def test_what_contradicts_itself(self):
        for verb, option in [("ls", "--all-hosts"), ("ls", "--on"), ("hosts", "--on")]:
            words = [option] if option == "--all-hosts" else [option, "rack=r1"]
            self.refused(f"{verb}: --host is one daemon, and does not go with {option}", verb, *words, "--host", "a")
        self.refused("hosts: --host is one daemon, and does not go with this verb, which asks those of the hosts file",
                     "hosts", "--host", "a")
        self.refused("ls: give either --on or --all-hosts", "ls", "--all-hosts", "--on", "rack=r1")
        for verb in ["hosts", "version", "healthcheck"]:
            self.refused(f"{verb}: --session does not go with this verb, which is called in no session", verb, "--session",
                         "x", *([] if verb == "hosts" else ["--all-hosts"]))
        self.refused('ls: --session: "X" is not a session: ID or sessions/ID, where ID is a small letter, then up to 62 '
                     "small letters, digits and '-'", "ls", "--session", "X", "--all-hosts")

    def test_the_variable_of_one_daemon_does_not_count(self):
        told = self.run_fleet("ls", "--on", "rack=r1", code=2, SOCKETEER_HOST="b")[1]
        self.assertEqual(1, len(told))
        self.assertIn("ls: a: cannot reach the daemon at unix:", told[0])

    def test_labels(self):
        self.refused(f"ls: --on: no host in {self.file} is labelled rack=r3; there is rack=r1, rack=r2, role=web",
                     "ls", "--on", "rack=r3")
        self.refused(f"ls: --on: no host in {self.file} is labelled rack=r1 and role=web; there is rack=r1, rack=r2, role=web",
                     "ls", "--on", "rack=r1", "--on", "role=web")
        self.refused(f"hosts: --label: no host in {self.file} is labelled rack=; there is rack=r1, rack=r2, role=web",
                     "hosts", "--label", "rack=")
        for option, verb in [("--on", "ls"), ("--label", "hosts")]:
            self.refused(f'{verb}: {option}: "rack" is not a label: KEY=VALUE', verb, option, "rack")
            self.refused(f'{verb}: {option}: "rack=r2": the key is given twice', verb, option, "rack=r1", option, "rack=r2")

    def test_close_never_closes_what_is_not_named(self):
        said = ("close: --all-hosts and --on go with --label KEY=VALUE, or with SOCKET...: what is not named is not closed")
        for options in (["--all-hosts"], ["--on", "rack=r1"]):
            self.refused(said, "close", *options)
            self.refused(said, "close", "--all", *options)
            self.refused(said, "close", "x", "--label", "a=b", *options)

    def test_without_a_hosts_file(self):
        for verb in (["hosts"], ["ls", "--all-hosts"], ["ls", "--on", "rack=r1"]):
            self.refused(f"{verb[0]}: there is no hosts file: --hosts-file or SOCKETEER_HOSTS_FILE says where it is, else it "
                         "is $XDG_CONFIG_HOME/socketeer/hosts.yaml or ~/.config/socketeer/hosts.yaml", *verb,
                         SOCKETEER_HOSTS_FILE=None, XDG_CONFIG_HOME="/nowhere")
            self.refused(f"{verb[0]}: /nowhere: No such file or directory", "--hosts-file", "/nowhere", *verb)

    def test_names_that_there_are_not(self):
        for verb in ["version", "healthcheck", "quota"]:
            self.refused(f"{verb}: -o name is for verbs that print sockets or sessions", verb, "--all-hosts", "-o", "name")


if __name__ == "__main__":
    unittest.main()
