"""The daemon's certificate files: what it refuses to start with, and files that are replaced while it serves."""

import os
import pathlib
import socket
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import grpc  # noqa: E402
from daemon import NOBODY, as_nobody  # noqa: E402
from lab import Authority, Pair  # noqa: E402
from tls import TlsTest, hash_line  # noqa: E402


def key_among_certificates(path, other, pair):
    """A file with the key of `pair` between the certificate of another and its own."""
    path.write_bytes(other.cert.read_bytes() + pair.key.read_bytes() + pair.cert.read_bytes())
    path.chmod(0o600)
    return path


class Settings(TlsTest):
    def setUp(self):
        super().setUp()
        self.pair = self.ca.server()

    def assert_refused(self, cert, key, client_ca, *words, flags=()):
        given = [("--tls-cert", cert), ("--tls-key", key), ("--client-ca", client_ca)]
        arguments = [each for flag, path in given if path is not None for each in (flag, path)]
        said = self.refusal("--listen", "127.0.0.1:0", *flags, *arguments)
        self.assertEqual(1, said.count("\n"), said)
        for each in words:
            self.assertIn(str(each), said)

    def test_settings_that_need_each_other(self):
        self.assert_refused(self.pair.cert, None, self.ca.cert, "tls_key is missing")
        self.assert_refused(None, self.pair.key, self.ca.cert, "tls_cert is missing")
        self.assert_refused(None, None, self.ca.cert, "tls_cert is missing")
        self.assert_refused(self.pair.cert, self.pair.key, None, "client_ca is missing", "token_file")

    def test_where_there_is_no_tcp_there_is_no_tls(self):
        flags = ["--tls-cert", self.pair.cert, "--tls-key", self.pair.key, "--client-ca", self.ca.cert]
        for listen in [[], ["--listen", f"unix:{self.path}"], ["--listen", str(self.path)]]:
            said = self.refusal(*map(str, [*listen, *flags]))
            self.assertEqual("socketeerd: tls_cert is for TCP, and there is no --listen HOST:PORT: over a UNIX socket there is "
                             "no TLS\n", said)

    def test_an_empty_setting_does_not_turn_tls_off(self):
        """As of a script's variable that is not set."""
        flags = ["--tls-cert", "--tls-key", "--client-ca", "--token-file", "--config"]
        for flag in flags:
            for given in [[flag, ""], [f"{flag}="]]:
                with self.subTest(given=given):
                    said = self.refusal("--listen", "127.0.0.1:0", *given)
                    self.assertIn(flag, said)
                    self.assertRegex(said, "must be a file's path; it is empty|requires 1|1 required")
        self.assertRegex(self.refusal("--listen", "127.0.0.1:0", *[each for flag in flags[:3] for each in (flag, "")]),
                         "--(tls-cert|tls-key|client-ca) must be")
        config = self.directory / "socketeer.yaml"
        for flag in flags[:4]:
            key = flag.removeprefix("--").replace("-", "_")
            for value in ["", '""', "''", "~"]:
                config.write_text(f"listen: 127.0.0.1:0\n{key}: {value}\n")
                self.assertIn(f"{config}:2: {key} must be a file's path", self.refusal("--config", config))

    def test_files_that_cannot_be_read(self):
        missing = self.directory / "missing"
        self.assert_refused(missing, self.pair.key, self.ca.cert, f"tls_cert {missing}: No such file")
        self.assert_refused(self.pair.cert, missing, self.ca.cert, f"tls_key {missing}: No such file")
        self.assert_refused(self.pair.cert, self.pair.key, missing, f"client_ca {missing}: No such file")
        self.assert_refused(self.directory, self.pair.key, self.ca.cert, "no regular file")
        fifo = self.directory / "fifo"
        os.mkfifo(fifo)
        self.assert_refused(self.pair.cert, fifo, self.ca.cert, f"tls_key {fifo}: is no regular file")

    def test_files_that_hold_something_else(self):
        empty, torn = self.directory / "empty", self.directory / "torn"
        empty.write_text("")
        text = self.pair.cert.read_text()
        torn.write_text(text + text[:len(text) // 2])
        for cert in [empty, self.pair.key, torn]:
            self.assert_refused(cert, self.pair.key, self.ca.cert, f"tls_cert {cert}: holds no certificate")
            self.assert_refused(self.pair.cert, self.pair.key, cert, f"client_ca {cert}: holds no certificate")
        for key in [empty, self.pair.cert]:
            key.chmod(0o600)
            self.assert_refused(self.pair.cert, key, self.ca.cert, f"tls_key {key}: holds no private key")

    def test_certificates_that_are_for_something_else(self):
        agent = self.ca.issue("agents", "DNS:localhost", usage="clientAuth")
        self.assert_refused(agent.cert, agent.key, self.ca.cert, f"tls_cert {agent.cert}: the certificate is not for a server")
        self.assert_refused(self.pair.cert, self.pair.key, agent.cert, f"client_ca {agent.cert}: its certificate 1 is not a CA's")
        both = self.directory / "both"
        both.write_bytes(self.ca.cert.read_bytes() + agent.cert.read_bytes())
        self.assert_refused(self.pair.cert, self.pair.key, both, f"client_ca {both}: its certificate 2 is not a CA's")

    def test_a_key_of_another_certificate(self):
        self.assert_refused(self.pair.cert, self.agent.key, self.ca.cert, self.agent.key, "not the key", self.pair.cert)

    def test_a_key_that_needs_a_password(self):
        locked = self.directory / "locked"
        subprocess.run(["/usr/bin/openssl", "pkey", "-in", self.pair.key, "-aes256", "-passout", "pass:secret", "-out",
                        locked], check=True)
        self.assert_refused(self.pair.cert, locked, self.ca.cert, f"tls_key {locked}: ", "password")

    def test_a_certificate_that_is_not_valid_now(self):
        late = self.ca.server("late", begin=-7200, end=-60)
        self.assert_refused(late.cert, late.key, self.ca.cert, f"tls_cert {late.cert}: the certificate expired at 20")
        early = self.ca.server("early", begin=3600, end=7200)
        self.assert_refused(early.cert, early.key, self.ca.cert, "not valid before 20")

    def test_a_certificate_that_openssl_would_not_show(self):
        weak = self.ca.server("weak", key_kind=["rsa:1024"])
        self.assert_refused(weak.cert, weak.key, self.ca.cert,
                            f"tls_cert {weak.cert}: no TLS handshake is possible with it: ", "key too small")

    def test_a_key_whose_file_holds_certificates_too(self):
        """Another's, even: the key's own stands in the other file."""
        both = key_among_certificates(self.directory / "both.pem", self.agent, self.pair)
        self.serve(pair=Pair(self.pair.cert, both))
        self.assertEqual("spiffe://lab/agent", self.whoami(self.client(self.agent)).identity)

    def test_files_that_others_may_read_or_write(self):
        for mode in [0o640, 0o604, 0o620, 0o602, 0o644, 0o700]:
            self.pair.key.chmod(mode)
            self.assert_refused(self.pair.cert, self.pair.key, self.ca.cert,
                                f"tls_key {self.pair.key}: has mode {mode:04o}; it must be 0600 or less: chmod 600")
        self.pair.key.chmod(0o400)
        for name, path in [("tls_cert", self.pair.cert), ("client_ca", self.ca.cert)]:
            for mode in [0o664, 0o646, 0o666]:
                path.chmod(mode)
                self.assert_refused(self.pair.cert, self.pair.key, self.ca.cert,
                                    f"{name} {path}: has mode {mode:04o}; others must not be able to write it")
            path.chmod(0o644)
        self.serve(pair=self.pair)

    @unittest.skipUnless(os.geteuid() == 0, "only root may give files away")
    def test_files_of_another_user(self):
        for name, path in [("tls_cert", self.pair.cert), ("tls_key", self.pair.key), ("client_ca", self.ca.cert)]:
            os.chown(path, 12345, 12345)
            self.assert_refused(self.pair.cert, self.pair.key, self.ca.cert,
                                f"{name} {path}: belongs to another user, uid 12345; it must be this user's or root's",
                                flags=["--keep-capability", "dac_override"])  # else it could not open them
            os.chown(path, 0, 0)
        # Root may write whatever it wants: its files are as good as one's own.
        os.chown(self.pair.key, NOBODY, NOBODY)
        self.directory.chmod(0o755)
        self.daemon = self.start("--listen", "127.0.0.1:0", "--tls-cert", self.pair.cert, "--tls-key", self.pair.key,
                                 "--client-ca", self.ca.cert, prefix=as_nobody())
        self.assertEqual("spiffe://lab/agent", self.whoami(self.client(self.agent)).identity)

    def test_from_the_configuration_file(self):
        config = self.directory / "socketeer.yaml"
        config.write_text(f"listen: 127.0.0.1:0\ntls_cert: {self.pair.cert}\ntls_key: {self.pair.key}\n"
                          f"client_ca: {self.ca.cert}\n")
        self.daemon = self.start("--config", str(config))
        self.assertEqual("spiffe://lab/agent", self.whoami(self.client(self.agent)).identity)
        config.write_text("listen: 127.0.0.1:0\ntls_key:\n")
        self.assertIn(f"{config}:2: tls_key must be a file's path", self.refusal("--config", config))

    def test_a_flag_wins_over_the_file(self):
        config = self.directory / "socketeer.yaml"
        config.write_text("tls_cert: wrong\ntls_key: wrong\nclient_ca: wrong\n")
        self.serve("--config", config)
        self.assertEqual("spiffe://lab/agent", self.whoami(self.client(self.agent)).identity)

    def test_a_network_lacks_what_is_not_there(self):
        tls = ["--tls-cert", self.pair.cert, "--tls-key", self.pair.key, "--client-ca", self.ca.cert]
        tokens = ["--token-file", self.token_file(hash_line("a", "b"))]
        for given, lacks in [([], ["TLS", "identities", "policy"]), (tls, ["policy"]), (tokens, ["TLS", "policy"])]:
            said = self.refusal("--listen", "0.0.0.0:0", *given)
            missing = said.split("lacks ")[1].split("Without that")[0]
            self.assertEqual(lacks, [each for each in ["TLS", "identities", "policy"] if each in missing])

    def test_with_tls_no_warning_of_anonymous_callers(self):
        self.assertNotIn("every local user", self.serve().log())


class Replaced(TlsTest):
    def setUp(self):
        super().setUp()
        self.pair = self.ca.server()
        self.serve(pair=self.pair)

    def serial(self):
        """Of the certificate that the daemon shows now."""
        with socket.create_connection(self.endpoint(), 20) as connection:
            with self.context(self.agent).wrap_socket(connection, server_hostname="localhost") as wrapped:
                return wrapped.getpeercert()["serialNumber"]

    def replace(self, pair):
        os.replace(pair.cert, self.pair.cert)
        os.replace(pair.key, self.pair.key)

    def await_another(self, serial):
        """gRPC looks at its files once a second."""
        for _ in range(10_000):
            if self.serial() != serial:
                return
        self.fail("the old certificate is still shown")

    def test_a_new_certificate_is_served_without_a_gap(self):
        client = self.client(self.agent)
        stream = client.hold(client.create_session(60, session_id="job").name)
        before = self.serial()
        self.replace(self.ca.server("next"))
        self.daemon.await_log("the new certificate is served")
        self.await_another(before)
        self.assertEqual("spiffe://lab/agent", self.whoami(client).identity)
        self.assertEqual("spiffe://lab/agent", self.whoami(self.client(self.agent)).identity)
        self.assertTrue(stream.is_active())
        stream.cancel()

    def test_a_wrong_one_is_told_and_changes_nothing(self):
        before = self.serial()
        self.pair.cert.write_text("no certificate\n")
        self.daemon.await_log(f"tls_cert {self.pair.cert}: holds no certificate")
        self.pair.cert.unlink()
        self.daemon.await_log(f"tls_cert {self.pair.cert}: No such file")
        os.replace(self.ca.server("next").cert, self.pair.cert)
        self.daemon.await_log("is not the key")
        for _ in range(3):
            self.assertEqual("spiffe://lab/agent", self.whoami(self.client(self.agent)).identity)
        self.assertEqual(before, self.serial())
        self.assertEqual(3, self.daemon.log().count("stay in force"), self.daemon.log())
        os.replace(self.directory / "next.key", self.pair.key)  # now they belong together
        self.daemon.await_log("the new certificate is served")
        self.await_another(before)

    def test_one_that_openssl_would_not_show_changes_nothing(self):
        before = self.serial()
        self.replace(self.ca.server("weak", key_kind=["rsa:1024"]))
        self.daemon.await_log("no TLS handshake is possible with it: ")
        self.assertEqual(before, self.serial())
        self.replace(self.ca.server("next"))
        self.await_another(before)  # with each look a handshake, none of which may fail
        self.assertEqual("spiffe://lab/agent", self.whoami(self.client(self.agent)).identity)

    def test_a_key_whose_file_holds_certificates_too(self):
        before = self.serial()
        pair = self.ca.server("next")
        self.replace(Pair(pair.cert, key_among_certificates(self.directory / "both.pem", self.agent, pair)))
        self.daemon.await_log("the new certificate is served")
        self.await_another(before)
        self.assertEqual("spiffe://lab/agent", self.whoami(self.client(self.agent)).identity)

    def test_one_that_is_refused_is_tried_again(self):
        """Nothing about the files changes when its time comes."""
        before = self.serial()
        self.replace(self.ca.server("soon", begin=5, end=86_400))
        self.daemon.await_log("not valid before")
        self.assertEqual(before, self.serial())
        self.daemon.await_log("the new certificate is served")
        self.await_another(before)
        self.assertEqual(1, self.daemon.log().count("not valid before"), self.daemon.log())

    def test_rights_count_at_each_look(self):
        before = self.serial()
        pair = self.ca.server("next")
        pair.key.chmod(0o644)
        self.replace(pair)
        self.daemon.await_log(f"tls_key {self.pair.key}: has mode 0644")
        self.assertEqual(before, self.serial())
        self.pair.key.chmod(0o600)
        self.daemon.await_log("the new certificate is served")
        self.await_another(before)

    def test_a_new_ca_lets_its_callers_in_and_the_old_ones_out(self):
        other = Authority(self.directory, "other")
        newcomer = other.client("newcomer")
        self.assert_cut_off(self.client(newcomer))
        target = self.ca.cert.read_bytes()
        trusted = self.directory / "still-trusted.pem"  # the daemon's own certificate is the old CA's
        trusted.write_bytes(target)
        os.replace(other.cert, self.ca.cert)
        self.ca.cert = trusted
        self.daemon.await_log("the new certificate is served")
        for _ in range(10_000):
            client = self.client(newcomer)
            try:
                self.assertEqual("spiffe://lab/newcomer", self.whoami(client).identity)
                break
            except grpc.RpcError:  # not yet
                client.close()
        else:
            self.fail("the new CA's callers are still cut off")
        self.assert_cut_off(self.client(self.agent))


if __name__ == "__main__":
    unittest.main()
