"""Bearer tokens: those that count, those that do not, and where none is believed."""

import os
import pathlib
import signal
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import grpc  # noqa: E402
from contract import Client, error_of, host_pb  # noqa: E402
from tls import TlsTest, hash_line  # noqa: E402

TOKEN = "correct-horse-battery-staple"


class TokenTest(TlsTest):
    def bearer(self, token, scheme="Bearer "):
        return {"metadata": [("authorization", scheme + token)]}

    def local(self, address):
        client = Client(address)
        self.addCleanup(client.close)
        return client


class Tokens(TokenTest):
    def test_over_tls_it_needs_no_certificate(self):
        self.serve("--token-file", self.token_file(hash_line("ci", TOKEN)))
        caller = self.whoami(self.client(token=TOKEN))
        self.assertEqual(("token:ci", host_pb.PROOF_TOKEN), (caller.identity, caller.proof))
        self.assertFalse(caller.HasField("certificate_expire_time"))

    def test_without_a_client_ca_there_are_tokens_alone(self):
        self.serve("--token-file", self.token_file(hash_line("ci", TOKEN)), client_ca=False)
        self.assertEqual("token:ci", self.whoami(self.client(token=TOKEN)).identity)
        self.assert_refused(self.client(self.agent), "CREDENTIALS_MISSING")  # nobody could verify it

    def test_neither_token_nor_certificate(self):
        self.serve("--token-file", self.token_file(hash_line("ci", TOKEN)))
        self.assert_refused(self.client(), "CREDENTIALS_MISSING")

    def test_with_tokens_a_wrong_certificate_is_still_cut_off(self):
        self.serve("--token-file", self.token_file(hash_line("ci", TOKEN)))
        self.assert_cut_off(self.client(self.ca.client("late", begin=-7200, end=-1), token=TOKEN))

    def test_it_counts_before_the_certificate(self):
        self.serve("--token-file", self.token_file(hash_line("ci", TOKEN)))
        caller = self.whoami(self.client(self.agent, token=TOKEN))
        self.assertEqual(("token:ci", host_pb.PROOF_TOKEN), (caller.identity, caller.proof))
        self.assertTrue(caller.HasField("certificate_expire_time"))
        self.assertEqual("spiffe://lab/agent", self.whoami(self.client(self.agent)).identity)

    def test_over_a_unix_socket(self):
        client = self.local(self.start("--listen", f"unix:{self.path}", "--token-file",
                                       str(self.token_file(hash_line("ci", TOKEN)))).address)
        self.assertEqual("token:ci", self.whoami(client, **self.bearer(TOKEN)).identity)
        self.assertEqual("token:ci", self.whoami(client, **self.bearer(TOKEN, "bEARER ")).identity)
        self.assertEqual(f"uid:{os.getuid()}", self.whoami(client).identity)  # each call anew

    def test_over_plain_tcp_it_is_refused_and_said_why(self):
        client = self.local(self.start("--listen", "127.0.0.1:0", "--token-file",
                                       str(self.token_file(hash_line("ci", TOKEN)))).address)
        for token in [TOKEN, "wrong"]:
            _, message = self.assert_refused(client, "TOKEN_IN_PLAIN_TEXT", **self.bearer(token))
            self.assertIn("TCP without TLS", message)
        self.assertEqual("anonymous", self.whoami(client).identity)

    def test_a_wrong_one_never_falls_back_to_the_connection(self):
        daemon = self.serve("--token-file", self.token_file(hash_line("ci", TOKEN)),
                            listen=["127.0.0.1:0", f"unix:{self.path}"])
        for client in [self.client(self.agent), self.local(daemon.addresses[1])]:
            for token in ["wrong", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "sha256:0", "x" * 4000]:
                info, message = self.assert_refused(client, "TOKEN_UNKNOWN", **self.bearer(token))
                self.assertNotIn(token, message)

    def test_a_hash_is_no_token(self):
        line = hash_line("ci", TOKEN)
        self.serve("--token-file", self.token_file(line))
        for stolen in [line.split()[1], line.split(":")[1].strip()]:
            self.assert_refused(self.client(token=stolen), "TOKEN_UNKNOWN")

    def test_of_a_daemon_without_a_token_file_there_is_none(self):
        client = self.local(self.start().address)
        self.assert_refused(client, "TOKEN_UNKNOWN", **self.bearer(TOKEN))

    def test_one_of_another_daemon(self):
        self.serve("--token-file", self.token_file(hash_line("ci", "another daemon's")))
        self.assert_refused(self.client(self.agent, token=TOKEN), "TOKEN_UNKNOWN")

    def test_what_is_no_bearer_token(self):
        client = self.local(self.start("--listen", f"unix:{self.path}", "--token-file",
                                       str(self.token_file(hash_line("ci", TOKEN)))).address)
        for value in ["", "Bearer", "Bearer ", TOKEN, f"Basic {TOKEN}", f"Bearer{TOKEN}", f"Bearer,{TOKEN}"]:
            with self.subTest(value=value):
                self.assert_refused(client, "TOKEN_UNKNOWN", metadata=[("authorization", value)])
        both = [("authorization", f"Bearer {TOKEN}"), ("authorization", f"Bearer {TOKEN}")]
        self.assert_refused(client, "TOKEN_UNKNOWN", metadata=both)

    def test_its_sockets_are_its_own(self):
        self.serve("--token-file", self.token_file(hash_line("ci", TOKEN), hash_line("cd", "other")))
        mine, theirs = self.client(token=TOKEN), self.client(token="other")
        session = mine.create_session(60, session_id="mine")
        with self.assertRaises(grpc.RpcError) as raised:
            theirs.end_session(session.name)
        self.assertEqual(grpc.StatusCode.NOT_FOUND, raised.exception.code())


class Reload(TokenTest):
    def serve_tokens(self, *lines):
        self.file = self.token_file(*lines)
        self.serve("--token-file", self.file)

    def reload(self, words, count=1):
        os.kill(self.daemon.pid, signal.SIGHUP)
        self.daemon.await_log(words, count)

    def test_a_new_token_counts_and_an_old_one_no_more(self):
        self.serve_tokens(hash_line("old", TOKEN))
        old, new = self.client(token=TOKEN), self.client(token="new")
        self.assertEqual("token:old", self.whoami(old).identity)
        self.assert_refused(new, "TOKEN_UNKNOWN")
        self.token_file(hash_line("new", "new"))
        self.reload("1 tokens are in force")
        self.assertEqual("token:new", self.whoami(new).identity)
        self.assert_refused(old, "TOKEN_UNKNOWN")

    def test_a_wrong_file_changes_nothing_and_is_told_with_its_line(self):
        self.serve_tokens(hash_line("ci", TOKEN))
        self.token_file(hash_line("new", "new"), "\n", "cd sha256:given-by-mistake\n")
        self.reload(f"token_file {self.file}:3: ")
        self.assertIn("stay in force", self.daemon.log())
        self.assertNotIn("given-by-mistake", self.daemon.log())
        self.assertEqual("token:ci", self.whoami(self.client(token=TOKEN)).identity)
        self.assert_refused(self.client(token="new"), "TOKEN_UNKNOWN")

    def test_a_file_that_others_may_read_changes_nothing(self):
        self.serve_tokens(hash_line("ci", TOKEN))
        self.token_file(hash_line("new", "new")).chmod(0o640)
        self.reload("mode 0640")
        self.file.unlink()
        self.reload("No such file")
        self.assertEqual("token:ci", self.whoami(self.client(token=TOKEN)).identity)

    def test_calls_by_a_token_that_is_removed_end_with_that(self):
        self.serve_tokens(hash_line("ci", TOKEN), hash_line("stays", "other"))
        gone, stays = self.client(token=TOKEN), self.client(token="other")
        ends = gone.hold(gone.create_session(60, session_id="job").name, timeout=30)
        goes_on = stays.hold(stays.create_session(60, session_id="job").name, timeout=30)
        self.token_file(hash_line("stays", "other"))
        self.reload("1 tokens are in force")
        with self.assertRaises(grpc.RpcError) as raised:
            next(ends)
        self.assertEqual(grpc.StatusCode.UNAUTHENTICATED, raised.exception.code())
        self.assertEqual("IDENTITY_REMOVED", error_of(raised.exception)[0].reason)
        self.assertTrue(goes_on.is_active())
        goes_on.cancel()

    def test_calls_by_a_token_that_is_renamed_end_too(self):
        """They are in the name of somebody who is not there any more."""
        self.serve_tokens(hash_line("ci", TOKEN))
        client = self.client(token=TOKEN)
        stream = client.hold(client.create_session(60, session_id="job").name, timeout=30)
        self.token_file(hash_line("cd", TOKEN))
        self.reload("1 tokens are in force")
        with self.assertRaises(grpc.RpcError) as raised:
            next(stream)
        self.assertEqual("IDENTITY_REMOVED", error_of(raised.exception)[0].reason)
        self.assertEqual("token:cd", self.whoami(client).identity)

    def test_a_token_is_replaced_without_a_gap(self):
        self.serve_tokens(hash_line("ci", TOKEN))
        client = self.client(token=TOKEN)
        stream = client.hold(client.create_session(60, session_id="job").name, timeout=30)
        self.token_file(hash_line("ci", TOKEN), hash_line("ci", "next"))
        self.reload("2 tokens are in force")
        self.assertEqual("token:ci", self.whoami(self.client(token="next")).identity)
        self.assertTrue(stream.is_active())
        self.assertEqual("token:ci", self.whoami(client).identity)
        stream.cancel()

    def test_sighup_without_a_token_file_does_no_harm(self):
        self.serve()
        os.kill(self.daemon.pid, signal.SIGHUP)
        self.assertEqual("spiffe://lab/agent", self.whoami(self.client(self.agent)).identity)


class File(TokenTest):
    def assert_wrong(self, *words, flags=()):
        said = self.refusal("--listen", f"unix:{self.path}", "--token-file", self.directory / "tokens",
                            *flags)
        self.assertEqual(1, said.count("\n"), said)
        for each in [f"token_file {self.directory}/tokens", *words]:
            self.assertIn(each, said)

    def test_wrong_ones_are_refused_before_it_serves(self):
        self.assert_wrong("No such file")
        for mode in [0o640, 0o604, 0o620, 0o700, 0o644]:
            self.token_file(hash_line("ci", TOKEN)).chmod(mode)
            self.assert_wrong(f"mode {mode:04o}", "chmod 600")
        self.token_file("# tokens\n", hash_line("ci", TOKEN), "ci\n")
        self.assert_wrong("tokens:3: ", "sha256:")
        self.token_file(f"ci {TOKEN}\n")
        self.assert_wrong("tokens:1: ")
        self.assertNotIn(TOKEN, self.refusal("--listen", f"unix:{self.path}", "--token-file", self.directory / "tokens"))
        (self.directory / "tokens").unlink()
        (self.directory / "tokens").mkdir()
        self.assert_wrong("is no regular file")
        if os.geteuid() == 0:
            (self.directory / "tokens").rmdir()
            os.chown(self.token_file(hash_line("ci", TOKEN)), 12345, 12345)
            self.assert_wrong("uid 12345", flags=["--keep-capability", "dac_override"])  # else it could not open it


if __name__ == "__main__":
    unittest.main()
