"""Bad input and failures: the exit code, and words that name the argument and what is allowed."""
import os
import socket
import subprocess
import unittest

from harness import CLI, HANG, CliTest, environment


class BadInput(CliTest):
    def test_each_argument_is_named(self):
        self.run_cli("open", "udp4", "--id", "u")
        cases = [
            ((), "A subcommand is required"),
            (("opne",), '"opne" is not a verb'),
            (("open",), "open: KIND is required"),
            (("open", "sctp"), 'KIND: "sctp" is not a kind of socket: tcp'),
            (("open", "tcp", "--bind", "10.0.0.1:70000"), 'port "70000" is not 0 to 65535'),
            (("open", "tcp", "--bind", "10.0.0.1"), "--bind: \"10.0.0.1\": the port is missing"),
            (("open", "tcp", "--bind", ""), "--bind:"),
            (("open", "tcp", "--connect", ":80"), "--connect: \":80\": the host is missing"),
            (("open", "unix", "--bind", "/" + "p" * 108), "a path of 109 bytes"),
            (("open", "tcp", "--bind", "/x"), "is not an address of a tcp socket"),
            (("open", "tcp", "--id", "Web"), "--id: \"Web\" is not a socket id"),
            (("open", "tcp", "--label", "k"), "--label: \"k\" is not a label: KEY=VALUE"),
            (("open", "tcp", "--label", "k=1", "--label", "k=2"), "the key is given twice"),
            (("open", "tcp", "--opt", "nodelay=2"), "\"nodelay=2\": nodelay takes on or off"),
            (("open", "tcp", "--opt", "magic=1"), "is not a socket option: reuseaddr"),
            (("open", "tcp", "--listen=x"), '--listen: "x" is not a whole number from 0'),
            (("open", "tcp", "--listen", "--connect", "a:1"), "excludes"),
            (("open", "tcp", "--frob"), "--frob"),
            (("bind", "a", "x"), "ADDRESS: \"x\": the port is missing"),
            (("bind", "A", ":0"), "SOCKET: \"A\" is not a socket"),
            (("connect", "a"), "give either ADDRESS or --disconnect"),
            (("connect", "a", "b:1", "--disconnect"), "give either ADDRESS or --disconnect"),
            (("listen", "a", "--backlog", "-1"), "--backlog: \"-1\" is not a whole number"),
            (("send", "u", "x", "--hex", "00"), "excludes"),
            (("send", "u", "--hex", "0"), "--hex: \"0\" is not pairs of hexadecimal digits"),
            (("send", "u", "--file", "/nonexistent"), "--file: \"/nonexistent\": No such file"),
            (("send", "u", "x", "--to", "nowhere"), "--to: \"nowhere\": the port is missing"),
            (("send", "u", "x", "-o", "name"), "-o name is for verbs that print sockets"),
            (("recv", "u", "--max", "0"), "--max: \"0\" is not a whole number from 1"),
            (("recv", "u", "--min", "2", "--max", "1"), "--min is more than --max"),
            (("recv", "u", "--min", "2"), "--min is for streams"),
            (("recv", "u", "--until-eof"), "a datagram socket has no end of stream"),
            (("recv", "u", "--until-eof", "-o", "json"), "--until-eof prints bytes"),
            (("shutdown", "u", "rw"), "DIRECTION: \"rw\" is not rd, wr or both"),
            (("close",), "give SOCKET..., or --label KEY=VALUE, or --all"),
            (("close", "u", "--all"), "give SOCKET..., or --label KEY=VALUE, or --all"),
            (("wait", "u"), "--for is required"),
            (("wait", "u", "--for", "lunch"), "is not listening, connected"),
            (("wait", "u", "--for", "closed", "--bytes", "1"), "--bytes is for --for readable"),
            (("opt",), "opt: A subcommand is required"),
            (("opt", "get", "u", "magic"), "NAME: \"magic\" is not a socket option"),
            (("opt", "get", "u", "nodelay"), "opt get: NAME: nodelay does not apply"),
            (("opt", "set", "u"), "opt set: NAME=VALUE is required"),
            (("label", "u", "x"), "LABEL: \"x\" is not a label"),
            (("label", "u", "x=1", "x-"), "the key is given twice"),
            (("completion", "csh"), "SHELL: \"csh\" is not bash, zsh or fish"),
            (("ls", "extra"), "extra"),
            (("ls", "-o", "xml"), "xml not in {table,json,yaml,name}"),
            (("ls", "--timeout", "5"), "--timeout: \"5\" is not a timeout: 0 to 24h"),
            (("ls", "--timeout", "25h"), "--timeout: \"25h\" is out of range: 0 to 24h; 0 tries once"),
            (("ls", "--host", "a b"), "--host: \"a b\" is not a daemon's address"),
            (("ls", "--host", ""), "--host: \"\" is not a daemon's address"),
            (("ls", "--host", "a:0"), "the port is 1 to 65535"),
            (("ls", "--filter", "nonsense"), "filter"),
            (("ls", "--session", "Demo"), "--session: \"Demo\" is not a session: ID or sessions/ID"),
            (("ls", "--session", ""), "--session: \"\" is not a session"),
            (("ls", "--session", "sockets/x"), "--session: \"sockets/x\" is not a session"),
            (("session",), "session: A subcommand is required"),
            (("session", "create", "--id", "Demo"), "--id: \"Demo\" is not a session id"),
            (("session", "create", "--id", "standing"), "standing"),
            (("session", "create", "--ttl", "0"), "--ttl: \"0\" is out of range: 1s to 24h\n"),
            (("session", "create", "--ttl", "500ms"), "--ttl: \"500ms\" is out of range: 1s to 24h\n"),
            (("session", "create", "--ttl", "none"), "--ttl: \"none\" is not a duration: 1s to 24h, as in 2s"),
            (("session", "create", "--grace", "25h"), "--grace: \"25h\" is out of range: 0 to 24h\n"),
            (("session", "create", "--session", "x"), "--session does not go with this verb"),
            (("session", "hold"), "session hold: SESSION is required"),
            (("session", "hold", "X"), "SESSION: \"X\" is not a session"),
            (("session", "end", "sockets/x"), "SESSION: \"sockets/x\" is not a session"),
            (("session", "inspect", ""), "SESSION: \"\" is not a session"),
            (("transfer", "u"), "--to is required"),
            (("transfer", "u", "--to", "S"), "--to: \"S\" is not a session"),
            (("transfer", "U", "--to", "s"), "SOCKET: \"U\" is not a socket"),
            (("watch", "--from", "x"), "--from: \"x\" is not a revision: a whole number from 0"),
            (("watch", "--from", "-1"), "--from: \"-1\" is not a revision"),
            (("watch", "--from", "18446744073709551616"), "is not a revision"),
        ]
        for arguments, said in cases:
            with self.subTest(arguments):
                result = self.run_cli(*arguments, code=1, said=said)
                self.assertEqual(result.stdout, b"")

    def test_to_on_a_stream(self):
        self.connection()
        self.run_cli("send", "conn", "x", "--to", "127.0.0.1:1", code=1,
                     said="--to is for datagrams")


class Failures(CliTest):
    def test_a_refused_peer_is_3_and_names_it(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))  # bound, not listening: it refuses
            peer = "127.0.0.1:%d" % taken.getsockname()[1]
            self.run_cli("open", "tcp", "--connect", peer, code=3,
                         said=f"socketeer: connect: Connection refused (ECONNREFUSED) {peer}\n")
        self.assertEqual(self.out("ls", "-o", "name"), "")

    def test_an_address_in_use_is_3(self):
        port = self.listener()
        self.run_cli("open", "tcp", "--bind", f"127.0.0.1:{port}", code=3,
                     said=f"socketeer: bind: Address already in use (EADDRINUSE) 127.0.0.1:{port}")

    def test_a_missing_socket_is_3(self):
        for arguments in (("send", "none", "x"), ("recv", "none"), ("accept", "none"),
                          ("inspect", "none"), ("opt", "get", "none"), ("label", "none", "a=b"),
                          ("wait", "none", "--for", "listening"), ("shutdown", "none", "wr")):
            with self.subTest(arguments):
                self.run_cli(*arguments, code=3, said="sockets/none")

    def test_a_taken_id_is_3(self):
        for make in (("open", "udp4"), ("session", "create")):
            self.run_cli(*make, "--id", "a")
            self.run_cli(*make, "--id", "a", code=3, said="taken")

    def test_a_missing_session_is_3(self):
        self.run_cli("open", "udp4", "--id", "u")
        for arguments in (("ls", "--session", "none"), ("open", "udp4", "--session", "none"),
                          ("watch", "--session", "none"), ("transfer", "u", "--to", "none"),
                          *(("session", verb, "none") for verb in ("hold", "end", "inspect"))):
            with self.subTest(arguments):
                self.run_cli(*arguments, code=3, said="there is no session \"sessions/none\"")

    def test_a_closed_standard_output_is_not_somebody_elses(self):
        # It was gRPC's: output went into an epoll descriptor.
        result = subprocess.run(["/bin/sh", "-c", '"$0" ls >&-', CLI], env=self.env, timeout=HANG,
                                capture_output=True, check=False)
        self.assertEqual(result.returncode, 3, result.stderr)
        self.assertIn(b"Bad file descriptor", result.stderr)

    def test_a_closed_standard_input_is_not_somebody_elses(self):
        self.connection()
        result = subprocess.run(["/bin/sh", "-c", '"$0" send conn - <&-', CLI], env=self.env, timeout=HANG,
                                capture_output=True, check=False)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn(b"Bad file descriptor", result.stderr)

    def test_what_the_parser_repeats_is_safe_for_a_terminal(self):
        for argument in ("\x1b[31mX\a", "--bogus=a\nsocketeer: forged", "x" * 100_000):
            with self.subTest(argument[:30]):
                told = self.run_cli("ls", argument, code=1).stderr
                self.assertNotRegex(told, rb"[\x07\x1b]|\nsocketeer: forged")
                self.assertLess(len(told), 500)
                if len(argument) > 300:
                    self.assertIn(b"xxx...", told, "a cut is told")

    def test_a_closed_socket_is_told_from_one_that_never_was(self):
        self.run_cli("open", "udp4", "--id", "was")
        self.run_cli("close", "was")
        self.run_cli("recv", "was", code=3, said="was closed before this call, by its owner")
        self.assertEqual(self.json("inspect", "was")["state"], "STATE_CLOSED")
        self.assertRegex(self.out("inspect", "was"), r"\nClosed: .*Z  OWNER\n")

    def test_a_close_ends_what_waits_with_3(self):
        self.listener()
        process = self.start("accept", "web")
        self.until_waiting("web")
        self.run_cli("close", "web")
        _, told = self.finish(process, 3)
        self.assertIn("closed", told)

    def test_a_name_that_does_not_resolve_is_3(self):
        self.run_cli("open", "tcp", "--connect", "no-such-host.invalid:80", code=3,
                     said="no-such-host.invalid")

    def test_timeouts_are_6(self):
        self.listener()
        self.connection()
        self.run_cli("accept", "web", "--timeout", "0", code=6, said="nobody connected in time")
        self.run_cli("accept", "web", "--timeout", "50ms", code=6)
        self.run_cli("recv", "conn", "--timeout", "50ms", code=6, said="recv: timed out; 0 bytes")
        self.run_cli("wait", "web", "--for", "readable", "--timeout", "50ms", code=6)

    def test_an_unreachable_daemon_is_2(self):
        nowhere = os.path.join(self.directory, "nowhere.sock")
        env = environment(SOCKETEER_HOST="unix:" + nowhere)
        for verb in (("ls",), ("open", "tcp"), ("healthcheck",), ("watch",), ("session", "hold", "s")):
            self.run_cli(*verb, env=env, code=2,
                         said=f"cannot reach the daemon at unix:{nowhere}: No such file")
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            endpoint = "127.0.0.1:%d" % taken.getsockname()[1]
            self.run_cli("--host", endpoint, "ls", code=2,
                         said=f"cannot reach the daemon at {endpoint}: Connection refused")

    def test_what_is_no_daemon_is_2(self):
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            endpoint = "127.0.0.1:%d" % silent.getsockname()[1]
            self.run_cli("--host", endpoint, "ls", "--timeout", "1s", code=2,
                         said=f"the daemon at {endpoint} does not answer")

    def test_version_needs_no_daemon(self):
        nowhere = os.path.join(self.directory, "nowhere.sock")
        result = self.run_cli("version", "--host", nowhere, said="cannot reach the daemon")
        self.assertTrue(result.stdout.startswith(b"client "))
        self.assertIsNone(self.json("version", "--host", nowhere, said="")["daemon"])


if __name__ == "__main__":
    unittest.main()
