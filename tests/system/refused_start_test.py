"""What a daemon cannot start with: one line says it, the exit status is 1, and nothing was served or left behind."""

import os
import pathlib
import socket
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from daemon import DaemonTest, as_nobody  # noqa: E402


class RefusedStart(DaemonTest):
    def assert_refused(self, words, *arguments, **options):
        before = sorted(path.name for path in self.directory.iterdir())
        said = self.refusal("--listen", f"unix:{self.path}", *arguments, **options)
        self.assertIn(words, said)
        self.assertTrue(said.startswith("socketeerd: "), said)
        self.assertEqual(1, said.count("\n"), said)
        self.assertEqual(before, sorted(path.name for path in self.directory.iterdir()))

    def file(self, name, text, mode=0o600):
        path = self.directory / name
        path.write_text(text)
        path.chmod(mode)
        return path

    def test_settings(self):
        config = self.file("socketeer.yaml", "loops: 2\nloop: 3\n")
        self.assert_refused(f'{config}:2: unknown key "loop"; known are listen, loops, ', "--config", config)
        config.write_text("loops: many\n")
        self.assert_refused(f'{config}:1: loops is "many"; it must be a number from 1 to 256', "--config", config)
        config.write_text("loops: [\n")
        self.assert_refused(f"{config}:2: ", "--config", config)
        self.assert_refused(f"{self.directory}/none: No such file", "--config", self.directory / "none")

    @unittest.skipUnless(os.geteuid() == 0, "only root can become somebody who may not read a file of his")
    def test_settings_that_may_not_be_read(self):
        config = self.file("socketeer.yaml", "loops: 2\n", 0o600)
        self.directory.chmod(0o777)
        self.assert_refused(f"{config}: Permission denied", "--config", config, prefix=as_nobody())

    def test_a_port_in_use(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            at = "127.0.0.1:%d" % taken.getsockname()[1]
            for flag in ["--listen", "--health"]:
                self.assert_refused(f"cannot listen on {at}: bind: Address already in use", flag, at)

    def test_a_daemon_that_lives(self):
        living = self.start("--listen", f"unix:{self.path}")
        self.assert_refused(f'listen is "unix:{self.path}"; it must be free: another daemon serves there')
        self.assert_serves(living.address)

    def test_a_socket_whose_daemon_is_gone_is_taken_over(self):
        self.start("--listen", f"unix:{self.path}").kill()
        self.assertTrue(self.path.is_socket())
        self.assert_serves(self.start("--listen", f"unix:{self.path}").address)

    def test_a_file_in_its_place(self):
        self.file("d.sock", "mine")
        self.assert_refused("it must be free: there is a file that is no socket")
        self.assertEqual("mine", self.path.read_text())

    def test_no_folder_for_its_socket(self):
        self.path = self.directory / "none" / "d.sock"
        self.assert_refused(f"cannot listen on unix:{self.path}: open {self.directory}/none: No such file or directory")

    def test_a_missing_certificate(self):
        missing = self.directory / "missing.pem"
        self.assert_refused(f"tls_cert {missing}: No such file or directory", "--listen", "127.0.0.1:0", "--tls-cert",
                            missing, "--tls-key", missing, "--client-ca", missing)

    def test_fewer_descriptors_than_the_quota_promises(self):
        quotas = self.file("quotas.yaml", "total: {sockets: 5000}\n")
        self.assert_refused(f"quotas: {quotas}:1: sockets of total is above this daemon's own limit max_sockets, ",
                            "--quotas", quotas, prefix=["prlimit", "--nofile=1024"])

    def test_a_policy_quotas_and_tokens_that_are_not_there(self):
        for flag in ["--policy", "--quotas", "--token-file"]:
            with self.subTest(flag):
                self.assert_refused(f"{self.directory}/none: No such file or directory", flag, self.directory / "none")

    @unittest.skipUnless(os.geteuid() == 0, "only root mounts")
    def test_a_folder_for_the_audit_that_is_read_only(self):
        folder = self.directory / "state"
        folder.mkdir()
        script = f'mount -t tmpfs -o ro tmpfs {folder} && exec "$@"'
        self.assert_refused(f"audit {folder}/audit.jsonl: Read-only file system", "--audit", folder / "audit.jsonl",
                            prefix=["unshare", "--mount", "sh", "-c", script, "sh"])

    def test_a_folder_for_the_audit_that_is_somebody_elses(self):
        if os.geteuid() != 0:
            self.skipTest("only root can become somebody else")
        self.directory.chmod(0o755)
        run = subprocess.run([*as_nobody(), "touch", self.directory / "x"], capture_output=True)
        self.assertNotEqual(0, run.returncode)
        self.path = self.directory / "own" / "d.sock"
        self.path.parent.mkdir()
        self.path.parent.chmod(0o777)
        self.assert_refused(f"audit {self.directory}/audit: Permission denied", "--audit", self.directory / "audit",
                            prefix=as_nobody())


if __name__ == "__main__":
    unittest.main()
