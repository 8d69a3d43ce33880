"""Callers over TLS who are not who they should be, and those who are."""

import pathlib
import socket
import ssl
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import grpc  # noqa: E402
from contract import Client, host_pb, pb, socket_pb  # noqa: E402
from lab import Authority  # noqa: E402
from http2 import WHOAMI  # noqa: E402
from tls import TlsTest  # noqa: E402


class Certificates(TlsTest):
    def test_the_identity_is_the_san_uri_as_it_is(self):
        self.serve()
        caller = self.whoami(self.client(self.agent))
        self.assertEqual("spiffe://lab/agent", caller.identity)
        self.assertEqual(host_pb.PROOF_CERTIFICATE, caller.proof)
        self.assertEqual("sessions/standing", caller.session)
        self.assertGreater(caller.certificate_expire_time.seconds, 0)

    def test_without_a_uri_it_is_the_san_dns(self):
        self.serve()
        both = self.ca.client("both", "DNS:b.lab, URI:spiffe://lab/both, DNS:c.lab")
        dns = self.ca.client("dns", "IP:10.0.0.1, DNS:first.lab, DNS:second.lab")
        self.assertEqual("spiffe://lab/both", self.whoami(self.client(both)).identity)
        self.assertEqual("dns:first.lab", self.whoami(self.client(dns)).identity)

    def test_over_ipv6_too(self):
        self.serve(listen=["[::1]:0"])
        client = self.client(self.agent)
        self.assertEqual("spiffe://lab/agent", self.whoami(client).identity)
        self.assertEqual(1, client.hosts.GetHost(host_pb.GetHostRequest()).usage.connections)

    def test_unix_sockets_stay_as_they_are(self):
        daemon = self.serve(listen=["127.0.0.1:0", f"unix:{self.path}"])
        client = Client(daemon.addresses[1])
        self.addCleanup(client.close)
        caller = self.whoami(client)
        self.assertTrue(caller.identity.startswith("uid:"), caller)
        self.assertEqual(host_pb.PROOF_UID, caller.proof)
        self.assertFalse(caller.HasField("certificate_expire_time"))

    def test_no_certificate(self):
        self.serve()
        self.assert_cut_off(self.client())

    def test_a_certificate_of_another_ca(self):
        self.serve()
        other = Authority(self.directory, "other")
        self.assert_cut_off(self.client(other.client("mallory", "URI:spiffe://lab/agent")))

    def test_a_ca_that_only_has_the_same_name(self):
        self.serve()
        folder = self.directory / "twin"
        folder.mkdir()
        self.assert_cut_off(self.client(Authority(folder).client("mallory", "URI:spiffe://lab/agent")))

    def test_an_expired_certificate(self):
        self.serve()
        self.assert_cut_off(self.client(self.ca.client("late", begin=-7200, end=-1)))

    def test_a_certificate_that_is_not_valid_yet(self):
        self.serve()
        self.assert_cut_off(self.client(self.ca.client("early", begin=3600, end=7200)))

    def test_a_certificate_that_is_for_servers_only(self):
        """Else whoever took a daemon's key would be a caller everywhere."""
        self.serve()
        self.assert_cut_off(self.client(self.ca.client("stolen", usage="serverAuth")))
        for usage in ["clientAuth", "serverAuth, clientAuth"]:
            self.assertEqual("spiffe://lab/fit", self.whoami(self.client(self.ca.client("fit", usage=usage))).identity)

    def test_a_certificate_that_names_nobody(self):
        self.serve()
        for name, san in [("none", None), ("address", "IP:10.0.0.1"), ("mail", "email:agent@lab")]:
            with self.subTest(san=san):
                info, message = self.assert_refused(self.client(self.ca.issue(name, san)), "CERTIFICATE_WITHOUT_IDENTITY")
                self.assertIn("subject alternative name", message)

    def test_a_uri_that_would_pass_for_another_sort_of_identity(self):
        self.serve()
        for number, uri in enumerate(["uid:0", "UID:0", "token:admin", "dns:agent.lab", "anonymous:x", "plain"]):
            with self.subTest(uri=uri):
                pair = self.ca.issue(f"odd-{number}", f"URI:{uri}")
                self.assert_refused(self.client(pair), "CERTIFICATE_WITHOUT_IDENTITY")

    def test_a_pattern_is_no_identity(self):
        """What a policy's rule would take for many."""
        self.serve()
        sans = ["DNS:*", "DNS:*.lab", "URI:*", "URI:://", "URI:spiffe://lab/*", "URI:spiffe://", "DNS:a..lab"]
        for number, san in enumerate(sans):
            with self.subTest(san=san):
                self.assert_refused(self.client(self.ca.issue(f"wide-{number}", san)), "CERTIFICATE_WITHOUT_IDENTITY")

    def test_dns_names_are_one_in_any_case(self):
        self.serve()
        self.assertEqual("dns:agent.lab", self.whoami(self.client(self.ca.issue("case", "DNS:Agent.LAB"))).identity)

    def test_a_common_name_is_no_identity(self):
        self.serve()
        self.assert_refused(self.client(self.ca.issue("agent.lab", None)), "CERTIFICATE_WITHOUT_IDENTITY")

    def test_a_foreign_identitys_socket_is_not_there(self):
        daemon = self.serve(listen=["127.0.0.1:0", f"unix:{self.path}"])
        owner, local = self.client(self.agent), Client(daemon.addresses[1])
        self.addCleanup(local.close)
        made = owner.sockets.OpenSocket(pb.OpenSocketRequest(type=socket_pb.SOCKET_TYPE_DGRAM,
                                                             family=socket_pb.FAMILY_INET)).socket
        self.assertEqual("spiffe://lab/agent", made.owner)
        for other in [self.client(self.ca.client("other")), local]:
            with self.assertRaises(grpc.RpcError) as raised:
                other.sockets.GetSocket(pb.GetSocketRequest(name=made.name, uid=made.uid))
            self.assertEqual(grpc.StatusCode.NOT_FOUND, raised.exception.code())
        again = self.client(self.agent)  # another connection of the same identity
        self.assertEqual(made.uid, again.sockets.GetSocket(pb.GetSocketRequest(name=made.name)).uid)


class Protocols(TlsTest):
    def test_versions_before_1_2_are_refused(self):
        self.serve()
        for version in [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1]:
            context = self.context(self.agent)
            context.set_ciphers("ALL:@SECLEVEL=0")  # or this side would refuse by itself
            context.minimum_version = context.maximum_version = version
            with self.subTest(version=version), socket.create_connection(self.endpoint(), 10) as connection:
                with self.assertRaises(ssl.SSLError) as raised:
                    context.wrap_socket(connection, server_hostname="localhost")
                # gRPC closes without an alert. Had this side refused by itself, it would say something else.
                self.assertRegex(str(raised.exception), "EOF|ALERT_PROTOCOL_VERSION")

    def test_version_1_2_is_served(self):
        self.serve()
        context = self.context(self.agent)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        with socket.create_connection(self.endpoint(), 10) as connection:
            with context.wrap_socket(connection, server_hostname="localhost") as wrapped:
                self.assertEqual(("TLSv1.2", "h2"), (wrapped.version(), wrapped.selected_alpn_protocol()))

    def ask_by_hand(self, context, session=None):
        """(what the daemon answered to a GetCaller, "" for nothing; the TLS session; was it resumed?)"""
        seen = b""
        try:
            with socket.create_connection(self.endpoint(), 20) as connection:
                with context.wrap_socket(connection, server_hostname="localhost", session=session) as wrapped:
                    wrapped.sendall(WHOAMI)
                    while b"spiffe://" not in seen and b"grpc-status" not in seen:
                        more = wrapped.recv(65536)
                        if not more:
                            break
                        seen += more
                    return seen, wrapped.session, wrapped.session_reused
        except (ssl.SSLError, ConnectionError):
            return b"", None, False

    def test_a_session_that_is_resumed_does_not_outlive_its_certificate(self):
        """Resumed, TLS shows no certificate again, so nothing in it looks at the time."""
        self.serve()
        context = self.context(self.ca.client("brief", begin=-60, end=4))
        context.maximum_version = ssl.TLSVersion.TLSv1_2  # in 1.3 it could not be resumed twice
        answer, session, _ = self.ask_by_hand(context)
        self.assertIn(b"spiffe://lab/brief", answer)
        answer, _, resumed = self.ask_by_hand(context, session)
        self.assertEqual((True, True), (resumed, b"spiffe://lab/brief" in answer), "else this tests nothing")
        for _ in range(100_000):
            if self.ask_by_hand(context)[0] == b"":  # it has expired: a handshake of its own is refused
                break
        answer, _, resumed = self.ask_by_hand(context, session)
        self.assertTrue(resumed)
        self.assertNotIn(b"spiffe://lab/brief", answer)
        self.assertIn(b"expired", answer)

    def test_plain_http2_is_cut_off(self):
        daemon = self.serve()
        client = Client(daemon.address)
        self.addCleanup(client.close)
        self.assert_cut_off(client)
        with socket.create_connection(self.endpoint(), 10) as connection:
            connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0")
            seen = b""
            try:
                while data := connection.recv(4096):
                    seen += data
            except ConnectionResetError:
                pass  # closed with what was sent unread
            self.assertNotIn(b"\0\0\0\4\1", seen)  # no HTTP/2 is spoken: not even an acknowledgement
        self.assertEqual("spiffe://lab/agent", self.whoami(self.client(self.agent)).identity)

    def test_the_daemon_proves_itself(self):
        self.serve(pair=self.ca.server(san="DNS:elsewhere.lab"))
        self.assert_cut_off(self.client(self.agent))
        named = self.client(self.agent, options=[("grpc.ssl_target_name_override", "elsewhere.lab")])
        self.assertEqual("spiffe://lab/agent", self.whoami(named).identity)


if __name__ == "__main__":
    unittest.main()
