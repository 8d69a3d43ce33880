"""Every verb of the program, its output forms and its exit codes, against a real daemon."""
import json
import os
import socket
import subprocess
import unittest

from harness import CLI, CliTest, Daemon, environment


class Verbs(CliTest):
    def test_open_prints_one_line_with_the_real_address(self):
        line = self.out("open", "tcp", "--bind", "127.0.0.1:0", "--listen", "--id", "web")
        name, kind, state, local, peer = line.rstrip("\n").split("  ")
        self.assertEqual((name, kind, state, peer), ("sockets/web", "tcp4", "LISTENING", "-"))
        host, port = local.rsplit(":", 1)
        self.assertEqual(host, "127.0.0.1")
        socket.create_connection(("127.0.0.1", int(port))).close()

    def test_output_forms_of_a_socket(self):
        self.assertEqual(self.out("-o", "name", "open", "udp4", "--id", "a"), "sockets/a\n")
        made = self.json("open", "udp4", "--id", "b", "--label", "k=v", "--label", "l=")
        self.assertEqual(made["name"], "sockets/b")
        self.assertEqual(made["kind"], "udp4")
        self.assertEqual(made["labels"], {"k": "v", "l": ""})
        yaml = self.out("inspect", "a", "-o", "yaml")
        self.assertTrue(yaml.startswith("---\nname: sockets/a\n"), yaml)
        self.assertIn('\n  bytesSent: "0"\n', yaml)

    def test_open_of_every_kind(self):
        for kind in ("tcp", "tcp4", "tcp6", "udp", "udp4", "udp6", "unix", "unix-dgram",
                     "unix-seqpacket"):
            with self.subTest(kind):
                self.assertEqual(self.json("open", kind)["kind"], kind)

    def test_a_port_alone_takes_both_families(self):
        made = self.json("open", "tcp", "--bind", ":0", "--listen")
        port = made["local"]["inet"]["port"]
        self.assertEqual(made["kind"], "tcp")
        for host in ("127.0.0.1", "::1"):
            socket.create_connection((host, port)).close()

    def test_tcp6_is_ipv6_alone_unless_asked(self):
        self.assertTrue(json.loads(self.out("-o", "json", "opt", "get",
                                            self.open_name("tcp6")))["v6only"])
        name = self.open_name("tcp6", "--opt", "v6only=off")
        self.assertFalse(self.json("opt", "get", name, "v6only")["v6only"])

    def open_name(self, *arguments):
        return self.out("-o", "name", "open", *arguments).strip()

    def test_bind_listen_connect_accept(self):
        self.run_cli("open", "tcp4", "--id", "web")
        self.assertEqual(self.json("bind", "web", "127.0.0.1:0")["state"], "STATE_BOUND")
        listening = self.json("listen", "sockets/web", "--backlog", "3")
        self.assertEqual(listening["state"], "STATE_LISTENING")
        self.run_cli("open", "tcp4", "--id", "client")
        port = listening["local"]["inet"]["port"]
        connected = self.json("connect", "client", f"127.0.0.1:{port}")
        self.assertEqual(connected["state"], "STATE_CONNECTED")
        accepted = self.json("accept", "web", "--id", "conn", "--label", "of=web")
        self.assertEqual(accepted["peer"], connected["local"])
        self.assertEqual(accepted["labels"], {"of": "web"})

    def test_connect_disconnect(self):
        self.run_cli("open", "udp4", "--connect", "127.0.0.1:9", "--id", "u")
        self.assertNotIn("peer", self.json("connect", "u", "--disconnect"))

    def test_accept_waits(self):
        port = self.listener()
        process = self.start("accept", "web", "-o", "name", "--id", "conn")
        self.until_waiting("web")
        socket.create_connection(("127.0.0.1", port)).close()
        out, _ = self.finish(process, 0)
        self.assertEqual(out, b"sockets/conn\n")

    def test_a_unix_listener(self):
        path = os.path.join(self.directory, "x.sock")
        made = self.out("open", "unix", "--bind", path, "--listen=8", "--id", "u")
        self.assertEqual(made, f"sockets/u  unix  LISTENING  {path}  -\n")
        with socket.socket(socket.AF_UNIX) as ours:
            ours.connect(path)
        self.run_cli("close", "u")
        self.assertFalse(os.path.exists(path))

    def test_abstract_and_autobind(self):
        made = self.json("open", "unix-dgram", "--bind", "@a\\x00b" + self.id())
        self.assertIn("abstractName", made["local"]["unixDomain"])
        self.assertIn("abstractName", self.json("open", "unix", "--bind", "unix:")["local"]["unixDomain"])

    def test_ls(self):
        self.listener("web", "--label", "app=demo")
        self.run_cli("open", "udp4", "--id", "probe", "--label", "app=demo2")
        self.assertEqual(self.out("ls", "-o", "name"), "sockets/probe\nsockets/web\n")
        table = self.out("ls").splitlines()
        self.assertEqual(table[0].split(), ["NAME", "KIND", "STATE", "LOCAL", "PEER", "LABELS"])
        self.assertEqual(len(table), 3)
        self.assertEqual(self.out("ls", "--filter", "state = LISTENING", "-o", "name"),
                         "sockets/web\n")
        self.assertEqual(self.out("ls", "--label", "app=demo", "-o", "name"), "sockets/web\n")
        self.assertEqual(self.out("ls", "--label", "app=demo*", "-o", "name"), "")
        both = self.json("ls", "--filter", "labels.app:*", "--label", "app=demo")
        self.assertEqual([one["name"] for one in both["sockets"]], ["sockets/web"])

    def test_ls_merges_pages_into_one_document(self):
        for number in range(3):
            self.run_cli("open", "udp4", "--id", f"u{number}")
        document = self.json("ls")
        self.assertEqual(len(document["sockets"]), 3)
        self.assertEqual(document["nextPageToken"], "")
        self.run_cli("close", "--all")
        self.assertEqual(self.json("ls")["sockets"], [])

    def test_inspect(self):
        self.run_cli("open", "udp4", "--id", "a")
        self.assertIn("Owner:", self.out("inspect", "a"))
        self.run_cli("open", "udp4", "--id", "b")
        documents = self.out("inspect", "a", "b", "-o", "json").splitlines()
        self.assertEqual([json.loads(one)["name"] for one in documents],
                         ["sockets/a", "sockets/b"])
        result = self.run_cli("inspect", "none", "b", "-o", "name", code=3, said="sockets/none")
        self.assertEqual(result.stdout, b"sockets/b\n")

    def test_label(self):
        self.run_cli("open", "udp4", "--id", "a", "--label", "old=1", "--label", "keep=2")
        changed = self.json("label", "a", "old-", "new=3", "app.io/x-y=")
        self.assertEqual(changed["labels"], {"keep": "2", "new": "3", "app.io/x-y": ""})

    def test_options(self):
        self.run_cli("open", "tcp4", "--id", "a", "--opt", "reuseaddr=on", "--opt", "linger=7")
        lines = self.out("opt", "get", "a").splitlines()
        self.assertIn("reuseaddr=on", lines)
        self.assertIn("linger=7", lines)
        self.assertEqual(self.out("opt", "get", "a", "nodelay", "reuseaddr"),
                         "reuseaddr=on\nnodelay=off\n")
        self.assertEqual(self.out("opt", "set", "a", "nodelay=on", "linger=off"),
                         "nodelay=on\nlinger=off\n")
        self.assertEqual(self.json("opt", "set", "a", "keepalive=on"), {"keepalive": True})
        self.assertIn("nodelay    on or off\n", self.out("opt", "ls"))
        self.assertIn("rcvbuf", self.json("opt", "ls"))

    def test_wait(self):
        ours = self.connection()
        self.assertEqual(self.out("wait", "conn", "--for", "connected", "-o", "name"),
                         "sockets/conn\n")
        self.run_cli("wait", "conn", "--for", "writable")
        ours.sendall(b"12345")
        self.run_cli("wait", "conn", "--for", "readable", "--bytes", "5")
        ours.close()
        self.run_cli("wait", "conn", "--for", "peer-closed")
        self.run_cli("close", "conn")
        told = self.out("wait", "conn", "--for", "closed")
        self.assertEqual(told.split()[:3], ["sockets/conn", "tcp4", "CLOSED"])

    def test_wait_for_a_name_that_appears_later(self):
        process = self.start("wait", "later", "--for", "listening", "--allow-missing", "-o", "json")
        self.listener("later")
        out, _ = self.finish(process, 0)
        self.assertEqual(json.loads(out)["results"][0]["socket"]["name"], "sockets/later")

    def test_wait_for_all_or_any(self):
        self.listener("web")
        self.run_cli("open", "tcp4", "--id", "idle")
        result = self.run_cli("wait", "web", "idle", "--for", "listening", "--timeout", "50ms",
                              "-o", "name", code=6, said="not listening: sockets/idle")
        self.assertEqual(result.stdout, b"sockets/web\n")
        self.run_cli("wait", "web", "idle", "--for", "listening", "--any")

    def test_close(self):
        for name in ("a", "b", "c", "d"):
            self.run_cli("open", "udp4", "--id", name, "--label", f"of={name}")
        result = self.run_cli("close", "a", "none", "b", "-o", "name", code=3, said="sockets/none")
        self.assertEqual(result.stdout, b"sockets/a\nsockets/b\n")
        self.assertEqual(self.json("close", "--label", "of=c")["state"], "STATE_CLOSED")
        self.assertEqual(self.out("close", "--all", "-o", "name"), "sockets/d\n")
        self.run_cli("close", "--all", said="no sockets")

    def test_healthcheck_and_version(self):
        self.assertEqual(self.out("healthcheck"), "SERVING\n")
        self.assertEqual(self.json("healthcheck"), {"status": "SERVING"})
        version = self.json("version")
        self.assertEqual(version["daemon"]["version"], version["client"])
        self.assertIn("daemon ", self.out("version"))

    def test_every_way_to_name_the_daemon(self):
        self.run_cli("open", "udp4", "--id", "a")
        clean = environment()
        for host in ("unix:" + self.daemon.path, self.daemon.path):
            self.assertEqual(self.out("--host", host, "ls", "-o", "name", env=clean),
                             "sockets/a\n")
        # On the loopback port everybody is one and the same, and not the owner.
        port = self.daemon.endpoints[1]
        self.assertEqual(self.out("ls", "--host", port, "-o", "name", env=clean), "")
        self.run_cli("close", "a", "--host", port, env=clean, code=3, said="no socket")

    def test_completion(self):
        self.run_cli("open", "udp4", "--id", "probe")
        script = self.out("completion", "bash")
        for line, expected in (("socketeer hea", "healthcheck"), ("socketeer open --bi", "--bind"),
                               ("socketeer hos", "hosts"), ("socketeer hosts --lab", "--label"), ("socketeer ls --all", "--all-hosts"),
                               ("socketeer --ti", "--timeout"), ("socketeer session cr", "create"),
                               ("socketeer session create --gr", "--grace"),
                               ("socketeer session end sessions/st", "sessions/standing"),
                               ("socketeer transfer probe --to sessions/st", "sessions/standing"), ("socketeer opt se", "set"),
                               ("socketeer recv sockets/p", "sockets/probe")):
            words = line.split(" ")
            ask = f"COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _socketeer; echo $COMPREPLY"
            path = os.path.dirname(os.path.abspath(CLI)) + ":" + os.environ["PATH"]
            answer = subprocess.run(["/bin/bash", "-c", script + ask], capture_output=True,
                                    env={**self.env, "PATH": path}, text=True, check=True).stdout
            self.assertEqual(answer.strip(), expected)
        self.assertIn("bashcompinit", self.out("completion", "zsh"))
        self.assertIn("-a healthcheck\n", self.out("completion", "fish"))

    def test_help(self):
        text = self.out("--help")
        for verb in ("open", "recv", "healthcheck"):
            self.assertIn(f"\n  {verb} ", text)
            self.assertIn("Usage: ", self.out(verb, "--help"))


class Drain(CliTest):
    def test_a_waiting_call_ends_with_2_when_the_daemon_stops(self):
        directory = os.path.join(self.directory, "drain")
        os.mkdir(directory)
        daemon = Daemon(directory)
        env = environment(SOCKETEER_HOST="unix:" + daemon.path)
        name = self.out("-o", "name", "open", "tcp", "--bind", "127.0.0.1:0", "--listen",
                        env=env).strip()
        process = self.start("accept", name, env=env)
        while self.json("inspect", name, env=env)["waitingReads"] == 0:
            pass
        self.assertEqual(daemon.stop(), 0)
        _, told = self.finish(process, 2)
        self.assertIn("stopping", told)
        self.run_cli("ls", env=env, code=2, said="cannot reach the daemon at unix:" + daemon.path)


if __name__ == "__main__":
    unittest.main()
