"""--host NAME: addresses and credentials from a hosts file, over real TLS, and what else may say them."""

import os
import unittest

from cli_tls_test import TlsCli


class Hosts(TlsCli):
    def setUp(self):
        super().setUp()
        self.certs("--host", "localhost", "--client", "alice", "--client", "bob")
        self.address = self.tls_daemon("localhost", "--token-file", self.tokens())
        self.config = self.directory / "config"
        self.file = self.config / "socketeer/hosts.yaml"
        self.file.parent.mkdir(parents=True)
        self.write(f"""
defaults: {{ca: ../../lab/ca.pem, cert: ../../lab/alice.pem, key: ../../lab/alice.key}}
hosts:
  - {{name: a, address: "{self.address}"}}
  - {{name: b, address: "{self.address}", cert: ../../lab/bob.pem, key: ../../lab/bob.key}}
  - {{name: c, address: "{self.address}", token_file: {self.token()}}}
""")

    def write(self, text):
        self.file.write_text(text)
        self.file.chmod(0o644)

    def socketeer(self, *arguments, **options):
        """Where the default hosts file is this one."""
        return self.run_cli(*arguments, **{"XDG_CONFIG_HOME": self.config, **options})

    def whoami(self, *arguments, **options):
        return self.socketeer(*arguments, "whoami", "-o", "json", **options)

    def assert_is(self, identity, *arguments, **options):
        self.assertIn(f'"identity":"{identity}"', self.whoami(*arguments, **options).replace(" ", ""))

    def test_a_name_is_all_that_it_takes(self):
        self.assert_is("spiffe://socketeer/alice", "--host", "a")
        self.assert_is("spiffe://socketeer/bob", "--host", "b")
        self.assert_is("token:ci", "--host", "c")
        self.assert_is("spiffe://socketeer/bob", SOCKETEER_HOST="b")

    def test_where_the_file_is_found(self):
        for options, variables in [(["--hosts-file", self.file], {}), ([], {"SOCKETEER_HOSTS_FILE": self.file}),
                                   (["--hosts-file", self.file], {"SOCKETEER_HOSTS_FILE": "/nowhere"})]:
            self.assert_is("spiffe://socketeer/alice", "--host", "a", *options, XDG_CONFIG_HOME="/nowhere", **variables)
        home = self.directory / "home"
        home.mkdir()
        os.rename(self.config, home / ".config")
        (self.directory / "lab").rename(home / "lab")
        self.assert_is("spiffe://socketeer/alice", "--host", "a", XDG_CONFIG_HOME="", HOME=home)

    def test_an_option_counts_before_a_variable_before_the_file(self):
        bob = {"SOCKETEER_CERT": self.lab / "bob.pem", "SOCKETEER_KEY": self.lab / "bob.key"}
        alice = ["--cert", self.lab / "alice.pem", "--key", self.lab / "alice.key"]
        self.assert_is("spiffe://socketeer/bob", "--host", "a", **bob)
        self.assert_is("spiffe://socketeer/alice", "--host", "b", *alice)
        self.assert_is("spiffe://socketeer/alice", "--host", "b", *alice, **bob)
        self.assert_is("token:ci", "--host", "a", "--token-file", self.token())
        self.assert_is("token:ci", "--host", "a", SOCKETEER_TOKEN_FILE=self.token())
        other = self.directory / "other"
        self.certs("--host", "localhost", directory=other)
        self.whoami("--host", "a", "--ca", other / "ca.pem", code=2, said="its certificate is not by the CA")
        self.whoami("--host", "a", SOCKETEER_CA=other / "ca.pem", code=2, said="its certificate is not by the CA")
        self.assert_is("spiffe://socketeer/alice", "--host", "a", "--ca", self.lab / "ca.pem",
                       SOCKETEER_CA=other / "ca.pem")

    def test_half_a_pair_is_not_made_whole_by_the_file(self):
        self.whoami("--host", "a", "--cert", self.lab / "bob.pem", code=1, said="needed together")
        self.whoami("--host", "a", SOCKETEER_KEY=self.lab / "bob.key", code=1, said="needed together")

    def test_an_address_stays_one(self):
        """And has nothing of the file, which is not even read."""
        self.whoami("--host", self.address, code=2, said="no CA to know it by was given")
        self.write("hosts: wrong")
        self.assert_is("spiffe://socketeer/alice", "--host", self.address, *self.credentials("alice"))
        self.whoami("--host", "a", code=1, said=f"whoami: {self.file}:1:8: must be a list of hosts")
        self.file.unlink()
        self.whoami("--host", "localhost", code=2, said="localhost:7625")  # a name of the network

    def test_an_unknown_name_is_no_address(self):
        self.whoami("--host", "aa", code=1,
                    said=f'--host: there is no host "aa" in {self.file}; there is a, b, c. '
                         "An address without a port is written aa:7625")

    def test_a_file_that_is_named_must_be_there_and_be_meant(self):
        for options, variables in [(["--hosts-file", "/nowhere"], {}), ([], {"SOCKETEER_HOSTS_FILE": "/nowhere"})]:
            self.whoami("--host", "a", *options, code=1, said="/nowhere: No such file or directory", **variables)
        self.whoami("--host", "a", "--hosts-file", "", code=1, said="--hosts-file is empty")
        self.whoami("--host", "a", code=1, said="SOCKETEER_HOSTS_FILE is empty", SOCKETEER_HOSTS_FILE="")
        self.whoami("--host", "a.b:1", "--hosts-file", self.file, code=1,
                    said='--hosts-file goes with a NAME in --host, and "a.b:1" is an address')
        self.whoami("--hosts-file", self.file, code=1, said="in --host, which is not given")

    def test_who_else_may_read_and_write(self):
        self.file.chmod(0o666)
        self.whoami("--host", "a", code=1, said=f"{self.file}: has mode 0666; nobody else may write it")
        self.file.chmod(0o600)
        (self.lab / "alice.key").chmod(0o640)
        self.whoami("--host", "a", code=1, said="alice.key: has mode 0640; nobody else may read or write it")
        (self.lab / "alice.key").chmod(0o600)
        self.token().chmod(0o644)
        self.whoami("--host", "c", code=1, said="has mode 0644")
        (self.lab / "ca.pem").chmod(0o666)
        self.whoami("--host", "b", code=1, said="ca.pem: has mode 0666; nobody else may write it")

    def test_a_certificate_on_the_line_is_not_overruled_by_the_files_token(self):
        self.assert_is("spiffe://socketeer/bob", "--host", "c", *self.credentials("bob"))

    def test_a_missing_file_of_a_host_is_told_with_its_path(self):
        (self.lab / "bob.pem").unlink()
        self.whoami("--host", "b", code=1, said=f"{self.file.parent}/../../lab/bob.pem: No such file or directory")

    def test_a_unix_socket_beside_the_file(self):
        self.daemon("--listen", f"unix:{self.directory}/d.sock")
        self.write("defaults: {ca: /nowhere}\nhosts: [{name: here, address: ../../d.sock}]")
        self.assert_is(f"uid:{os.getuid()}", "--host", "here")


if __name__ == "__main__":
    unittest.main()
