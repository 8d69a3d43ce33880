"""Ways round a policy by what an address looks like, and by who binds."""

import pathlib
import socket
import struct
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import grpc  # noqa: E402
from contract import data_pb, error_of, pb, socket_pb  # noqa: E402
from guarded import GuardedTest, inet, named, raw, sockaddr_in  # noqa: E402

FREE = {"name": "free", "allow": ["connect", "send", "receive", "bind", "listen"], "addresses": ["127.0.0.2"]}
DATA = ["send", "receive"]


class Addresses(GuardedTest):
    """127.0.0.2 is free, 127.0.0.1 is not."""

    def setUp(self):
        super().setUp()
        self.guard(FREE)
        self.beyond = self.listener()
        self.port = self.beyond.getsockname()[1]

    def tearDown(self):
        self.assert_nobody_came(self.beyond)

    def test_what_is_free(self):
        free = self.listener("127.0.0.2")
        found = self.opened("tcp4", connect=inet(free.getsockname()[1], "127.0.0.2"))
        self.assertEqual("127.0.0.2", found.peer.inet.ip)
        self.send(found.name)
        with free.accept()[0] as peer:
            self.assertEqual(b"x", peer.recv(1))

    def test_the_address_itself_at_open_and_at_connect(self):
        self.assert_denied(f"connect tcp:127.0.0.1:{self.port}", self.open, "tcp4", connect=inet(self.port))
        made = self.opened("tcp4")
        _, error = self.assert_denied("connect tcp:", self.dial, made.name, inet(self.port))
        self.assertEqual(("connect", made.name, "127.0.0.1"), (error.operation, error.socket, error.peer.inet.ip))
        self.assertEqual(socket_pb.STATE_CREATED, error.state)

    def test_a_denial_leaves_nothing_behind(self):
        self.assert_denied("connect", self.open, "tcp4", connect=inet(self.port), socket_id="mine")
        self.opened("tcp4", socket_id="mine")

    def test_mapped_into_ipv6(self):
        for ip in ["::ffff:127.0.0.1", "::ffff:7f00:1", "0:0:0:0:0:ffff:127.0.0.1"]:
            self.assert_denied("connect tcp:", self.open, "tcp6", connect=inet(self.port, ip))

    def test_a_free_address_mapped_is_free(self):
        free = self.listener("127.0.0.2")
        self.opened("tcp6", connect=inet(free.getsockname()[1], "::ffff:127.0.0.2"))

    def test_decimal_octal_hexadecimal_and_short(self):
        for host in ["2130706433", "0177.0.0.1", "0x7f.0.0.1", "0x7f000001", "127.1", "127.0.1", "017700000001"]:
            with self.subTest(host=host), self.assertRaises(grpc.RpcError) as raised:
                self.open("tcp4", connect=named(host, self.port))
            # Either the resolver takes it for 127.0.0.1, or for no address at all.
            self.assertIn(error_of(raised.exception)[0].reason, ["POLICY_DENIED", "NAME_NOT_RESOLVED"])

    def test_a_leading_zero_means_octal_to_some(self):
        with self.assertRaises(grpc.RpcError):
            self.open("tcp4", connect=named("127.0.0.01", self.port))

    def test_wildcards_reach_this_host(self):
        for kind, ip in [("tcp4", "0.0.0.0"), ("tcp6", "::"), ("tcp6", "::ffff:0.0.0.0")]:
            self.assert_denied("connect tcp:", self.open, kind, connect=inet(self.port, ip))

    def test_names_of_this_host(self):
        for host in ["localhost", "LOCALHOST", "localhost.", "ip6-localhost", socket.gethostname()]:
            with self.subTest(host=host), self.assertRaises(grpc.RpcError) as raised:
                self.open("tcp4", connect=named(host, self.port))
            self.assertIn(error_of(raised.exception)[0].reason, ["POLICY_DENIED", "NAME_NOT_RESOLVED"])

    def test_raw_bytes_of_a_sockaddr(self):
        self.assert_denied("connect tcp:", self.open, "tcp4", connect=raw(sockaddr_in("127.0.0.1", self.port)))
        longer = sockaddr_in("127.0.0.1", self.port) + bytes(100)
        self.assert_denied("connect tcp:", self.open, "tcp4", connect=raw(longer))
        in6 = struct.pack("=H", socket.AF_INET6) + struct.pack("!HI", self.port, 0) + socket.inet_pton(
            socket.AF_INET6, "::ffff:127.0.0.1") + bytes(4)
        self.assert_denied("connect tcp:", self.open, "tcp6", connect=raw(in6))

    def test_raw_sockaddrs_that_no_rule_has_words_for(self):
        made = self.opened("tcp4").name
        for family in [socket.AF_PACKET, socket.AF_NETLINK, 99]:
            self.assert_denied(f"raw sockaddr:{family}", self.dial, made, raw(struct.pack("=H", family) + bytes(14)))
        short = sockaddr_in("127.0.0.1", self.port)[:8]
        self.assert_denied(f"raw sockaddr:{socket.AF_INET}", self.dial, made, raw(short))

    def test_to_disconnect_and_connect_again(self):
        free = self.listener("127.0.0.2")
        made = self.opened("tcp4", connect=inet(free.getsockname()[1], "127.0.0.2")).name
        self.client.sockets.ConnectSocket(pb.ConnectSocketRequest(name=made, disconnect=True))
        self.assert_denied("connect", self.dial, made, inet(self.port))

    def test_to_listen_where_a_dissolved_connection_was_bound(self):
        """The kernel keeps the address; so that is judged, and no wildcard."""
        self.reload({"allow": ["connect", "bind", "listen"], "addresses": ["127.0.0.2/32"]})
        free = self.listener("127.0.0.2")
        made = self.opened("tcp4", bind=inet(0, "127.0.0.2"), connect=inet(free.getsockname()[1], "127.0.0.2")).name
        self.client.sockets.ConnectSocket(pb.ConnectSocketRequest(name=made, disconnect=True))
        found = self.client.sockets.ListenSocket(pb.ListenSocketRequest(name=made))
        self.assertEqual("127.0.0.2", found.local.inet.ip)
        other = self.opened("tcp4").name
        self.assert_denied("bind tcp:0.0.0.0:0", self.client.sockets.ListenSocket, pb.ListenSocketRequest(name=other))

    def test_an_ipv6_address_without_a_scope(self):
        mapped = socket.inet_pton(socket.AF_INET6, "::ffff:127.0.0.1")
        short = struct.pack("=H", socket.AF_INET6) + struct.pack("!HI", self.port, 0) + mapped
        self.assert_denied("connect tcp:", self.open, "tcp6", connect=raw(short))

    def test_a_family_that_follows_a_raw_address(self):
        for family in [16, 17, 40]:  # netlink, packet, vsock
            address = raw(struct.pack("=H", family) + bytes(14))
            for type_ in [socket_pb.SOCKET_TYPE_STREAM, socket_pb.SOCKET_TYPE_DGRAM]:
                self.assert_denied(f"raw family:{family}", self.client.sockets.OpenSocket,
                                   pb.OpenSocketRequest(type=type_, bind=address))

    def test_another_protocol_of_the_same_type(self):
        for protocol in [262, 132]:  # MPTCP, SCTP
            self.assert_denied(f"raw protocol:{protocol}", self.open, "tcp4", protocol=protocol)
        for protocol in [1, 136]:  # ICMP, UDP-Lite
            self.assert_denied(f"raw protocol:{protocol}", self.open, "udp4", protocol=protocol)


class Datagrams(GuardedTest):
    def setUp(self):
        super().setUp()
        self.guard(FREE, {"name": "clients", "allow": ["bind"], "addresses": ["wildcard"], "ports": [0]})
        self.beyond = self.listener(type_=socket.SOCK_DGRAM)
        self.port = self.beyond.getsockname()[1]
        self.free = self.listener("127.0.0.2", type_=socket.SOCK_DGRAM)

    def tearDown(self):
        self.assert_nobody_came(self.beyond)

    def there(self):
        return inet(self.free.getsockname()[1], "127.0.0.2")

    def test_each_destination_is_judged(self):
        made = self.opened("udp4").name
        self.send_to(made, self.there())
        self.assertEqual(b"x", self.free.recv(1))
        _, error = self.assert_denied("send udp:127.0.0.1", self.send_to, made, inet(self.port))
        self.assertEqual(("send", "127.0.0.1"), (error.operation, error.peer.inet.ip))
        self.send_to(made, self.there())

    def test_sendto_on_a_connected_socket(self):
        made = self.opened("udp4", connect=self.there()).name
        self.send_to(made)
        self.assert_denied("send udp:127.0.0.1", self.send_to, made, inet(self.port))

    def test_to_connect_it_to_somebody_else(self):
        made = self.opened("udp4", connect=self.there()).name
        self.assert_denied("connect udp:127.0.0.1", self.dial, made, inet(self.port))
        self.send_to(made)
        self.assertEqual(b"x", self.free.recv(1))

    def test_the_family_unspecified_is_ipv4_to_udp(self):
        made = self.opened("udp4").name
        self.assert_denied("raw sockaddr:0", self.send_to, made, raw(sockaddr_in("127.0.0.1", self.port, 0)))

    def test_ipv4_from_an_ipv6_socket(self):
        made = self.opened("udp6").name
        self.assert_denied("send udp:", self.send_to, made, inet(self.port, "::ffff:127.0.0.1"))
        self.assert_denied("send udp:", self.send_to, made, raw(sockaddr_in("127.0.0.1", self.port)))

    def test_the_wildcard_from_a_bound_socket_is_its_own_address(self):
        self.reload(FREE, {"name": "binds", "allow": ["bind"], "addresses": ["loopback", "wildcard"]})
        beyond = self.listener("127.0.0.3", type_=socket.SOCK_DGRAM)
        made = self.opened("udp4", bind=inet(0, "127.0.0.3")).name
        for ip in ["0.0.0.0", "127.0.0.3"]:
            self.assert_denied("send udp:", self.send_to, made, inet(beyond.getsockname()[1], ip))
            self.assert_denied("connect udp:", self.dial, made, inet(beyond.getsockname()[1], ip))
        self.send_to(self.opened("udp4", bind=inet(0, "127.0.0.2")).name,
                     inet(self.free.getsockname()[1], "0.0.0.0"))
        self.assertEqual(b"x", self.free.recv(1))
        self.assert_nobody_came(beyond)

    def test_what_came_before_it_led_elsewhere(self):
        """Connected to one that it may not receive from, then dissolved, or connected to one that it may."""
        self.reload({"name": "deaf", "deny": ["receive"], "addresses": ["127.0.0.3"]},
                    {"allow": ["connect", "send", "receive", "bind"], "addresses": ["loopback", "wildcard"]})
        secret = self.listener("127.0.0.3", type_=socket.SOCK_DGRAM)
        for other in [None, self.there()]:
            made = self.opened("udp4", connect=inet(secret.getsockname()[1], "127.0.0.3"))
            secret.sendto(b"secret", ("127.0.0.1", made.local.inet.port))
            request = pb.ConnectSocketRequest(name=made.name, peer=other, disconnect=None if other else True)
            self.client.sockets.ConnectSocket(request)
            self.assert_denied("receive udp:127.0.0.3", self.receive_from, made.name, rule="deaf")

    def test_once_the_queue_was_empty_the_past_is_forgotten(self):
        self.reload({"name": "deaf", "deny": ["receive"], "addresses": ["127.0.0.3"]},
                    {"allow": ["connect", "send", "receive", "bind"], "addresses": ["loopback", "wildcard"]})
        secret = self.listener("127.0.0.3", type_=socket.SOCK_DGRAM)
        made = self.opened("udp4", connect=inet(secret.getsockname()[1], "127.0.0.3")).name
        here = self.dial(made, self.there()).local.inet
        call = self.client.sockets.ReceiveDatagrams.future(
            data_pb.ReceiveDatagramsRequest(name=made, mode=data_pb.MODE_WAIT), timeout=20)
        self.client.await_calls(1)
        self.free.sendto(b"y", (here.ip, here.port))
        self.assertEqual(b"y", call.result().datagrams[0].payload)

    def test_a_send_that_fails_has_bound_the_socket(self):
        made = self.opened("udp4").name
        with self.assertRaises(grpc.RpcError) as raised:
            self.send_to(made, self.there(), payload=bytes(65_530))
        self.assertEqual("EMSGSIZE", error_of(raised.exception)[0].reason)
        port = self.client.sockets.GetSocket(pb.GetSocketRequest(name=made)).local.inet.port
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as anybody:
            anybody.sendto(b"secret", ("127.0.0.1", port))
        self.assert_denied("receive udp:0.0.0.0", self.receive_from, made)

    def test_a_connect_that_fails_has_bound_it_too(self):
        self.reload(FREE, {"allow": ["connect"], "addresses": ["255.255.255.255"]})
        made = self.opened("udp4").name
        with self.assertRaises(grpc.RpcError) as raised:
            self.dial(made, inet(9, "255.255.255.255"))
        self.assertEqual("EACCES", error_of(raised.exception)[0].reason)
        self.assert_denied("bind udp:0.0.0.0:0", self.send_to, made, self.there())

    def test_the_second_of_two_in_one_call(self):
        made = self.opened("udp4").name
        datagrams = [{"payload": b"1", "destination": self.there()}, {"payload": b"2", "destination": inet(self.port)}]
        request = data_pb.SendDatagramsRequest(name=made, datagrams=datagrams, mode=data_pb.MODE_WHOLE)
        _, error = self.assert_denied("send udp:127.0.0.1", self.client.sockets.SendDatagrams, request)
        self.assertEqual((1, 1), (error.datagrams_done, error.bytes_done))
        self.assertEqual(b"1", self.free.recv(9))


class Binds(GuardedTest):
    def test_the_wildcard_is_every_address(self):
        self.guard(FREE)
        for kind, ip in [("tcp4", "0.0.0.0"), ("tcp6", "::"), ("udp4", "0.0.0.0"), ("tcp6", "::ffff:0.0.0.0")]:
            self.assert_denied("bind ", self.open, kind, bind=inet(0, ip))
        self.opened("tcp4", bind=inet(0, "127.0.0.2"))

    def test_both_families_at_once_need_both(self):
        self.guard({"allow": ["bind"], "addresses": ["::/0"]})
        self.assert_denied("bind tcp:", self.open, "tcp6", bind=inet(0, "::"))
        self.opened("tcp6", bind=inet(0, "::"), options={"v6only": True})

    def test_v6only_turned_off_after_it_was_judged(self):
        self.guard({"allow": ["bind"], "addresses": ["::/0"]})
        made = self.opened("tcp6", bind=inet(0, "::"), options={"v6only": True}).name
        with self.assertRaises(grpc.RpcError) as raised:
            self.client.sockets.SetSocketOptions(pb.SetSocketOptionsRequest(name=made, options={"v6only": False}))
        self.assertEqual("EINVAL", error_of(raised.exception)[0].reason)

    def test_a_denied_address_is_part_of_the_wildcard(self):
        self.guard({"name": "one", "deny": ["bind"], "addresses": ["10.9.8.7"]}, {"allow": ["bind"]})
        self.assert_denied("bind tcp:0.0.0.0:0", self.open, "tcp4", bind=inet(0, "0.0.0.0"), rule="one")

    def test_listening_without_a_bind_is_one(self):
        self.guard(FREE, {"allow": ["listen"]})
        self.assert_denied("bind tcp:0.0.0.0:0", self.open, "tcp4", listen={})
        made = self.opened("tcp4").name
        self.assert_denied("bind tcp:0.0.0.0:0", self.client.sockets.ListenSocket, pb.ListenSocketRequest(name=made))

    def test_listening_is_judged_too(self):
        self.guard({"allow": ["bind"], "addresses": ["loopback"]})
        self.assert_denied("listen tcp:127.0.0.1", self.open, "tcp4", bind=inet(0), listen={})

    def test_sending_without_a_bind_is_one(self):
        self.guard(FREE)
        beyond = self.listener("127.0.0.2", type_=socket.SOCK_DGRAM)
        made = self.opened("udp4").name
        self.assert_denied("bind udp:0.0.0.0:0", self.send_to, made, inet(beyond.getsockname()[1], "127.0.0.2"))
        self.assert_nobody_came(beyond)

    def test_ports(self):
        self.guard({"name": "high", "deny": ["bind"], "ports": ["1024-65535"]}, {"allow": ["bind"]})
        self.assert_denied("bind tcp:127.0.0.1:0", self.open, "tcp4", bind=inet(0), rule="high")


class WhatIsReceived(GuardedTest):
    def test_datagrams_that_come_to_an_address(self):
        self.guard({"allow": ["bind", "send"]})
        made = self.opened("udp4", bind=inet(0))
        self.send_to(made.name, inet(made.local.inet.port))
        self.assert_denied("receive udp:127.0.0.1", self.receive_from, made.name)

    def test_a_connection_is_judged_by_the_address_it_was_made_to(self):
        self.guard({"allow": ["bind", "listen", "connect", *DATA], "addresses": ["127.0.0.2"]})
        listener = self.opened("tcp4", bind=inet(0, "127.0.0.2"), listen={})
        with socket.create_connection(("127.0.0.2", listener.local.inet.port), source_address=("127.0.0.1", 0)) as peer:
            accepted = self.client.sockets.AcceptSocket(pb.AcceptSocketRequest(name=listener.name)).socket
            self.assertEqual("127.0.0.1", accepted.peer.inet.ip)
            self.send(accepted.name)  # the peer's address is in no rule
            self.assertEqual(b"x", peer.recv(1))
            peer.send(b"y")
            self.assertEqual(b"y", self.receive(accepted.name).data)

    def test_to_send_and_not_to_receive(self):
        self.guard({"allow": ["connect", "send"], "addresses": ["loopback"]})
        beyond = self.listener()
        made = self.opened("tcp4", connect=inet(beyond.getsockname()[1])).name
        self.send(made)
        self.assert_denied("receive tcp:127.0.0.1", self.receive, made)

    def test_to_receive_and_not_to_send(self):
        self.guard({"allow": ["connect", "receive"], "addresses": ["loopback"]})
        beyond = self.listener()
        made = self.opened("tcp4", connect=inet(beyond.getsockname()[1])).name
        self.assert_denied("send tcp:127.0.0.1", self.send, made)
        beyond.accept()[0].close()
        self.assertTrue(self.receive(made).end_of_stream)


class VerbsWithoutAnAddress(GuardedTest):
    def test_kinds_of_sockets(self):
        self.guard({"allow": ["open"], "protocols": ["udp"]}, basics=())
        self.opened("udp4")
        for kind in ["tcp4", "tcp6", "unix", "unix-dgram", "unix-seqpacket"]:
            self.assert_denied(f"open {kind}", self.open, kind)

    def test_names(self):
        self.guard({"allow": ["resolve"], "names": ["*.example"]}, basics=("open",))
        self.assert_denied("resolve localhost", self.open, "tcp4", connect=named("localhost", 80))
        with self.assertRaises(grpc.RpcError) as raised:
            self.open("tcp4", connect=named("nothing.example", 80))
        self.assertEqual("NAME_NOT_RESOLVED", error_of(raised.exception)[0].reason)

    def test_options_at_open_and_after(self):
        self.guard({"allow": ["option"], "names": ["nodelay"]}, basics=("open",))
        made = self.opened("tcp4", options={"nodelay": True}).name
        self.assert_denied("option keepalive", self.open, "tcp4", options={"keepalive": True})
        _, error = self.assert_denied("option linger", self.client.sockets.SetSocketOptions,
                                      pb.SetSocketOptionsRequest(name=made, options={"linger": {"enabled": True}}))
        self.assertEqual("setsockopt", error.operation)

    def test_an_option_that_is_denied_leaves_those_before_it(self):
        self.guard({"allow": ["option"], "names": ["reuseaddr"]}, basics=("open",))
        made = self.opened("tcp4").name
        self.assert_denied("option keepalive", self.client.sockets.SetSocketOptions, pb.SetSocketOptionsRequest(
            name=made, options={"reuseaddr": True, "keepalive": True}))
        options = self.client.sockets.GetSocketOptions(pb.GetSocketOptionsRequest(name=made))
        self.assertEqual((True, False), (options.reuseaddr, options.keepalive))

    def test_identities(self):
        self.guard({"name": "others", "allow": ["open"], "identities": ["uid:4242"]}, basics=())
        self.assert_denied("open tcp4", self.open, "tcp4")


if __name__ == "__main__":
    unittest.main()
