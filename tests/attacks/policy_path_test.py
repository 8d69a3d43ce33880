"""Ways round a policy by UNIX paths, and to the daemon's own control sockets."""

import os
import pathlib
import socket
import struct
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import grpc  # noqa: E402
from contract import error_of, pb  # noqa: E402
from daemon import own_namespaces  # noqa: E402
from guarded import GuardedTest, abstract, inet, named, raw, sockaddr_in, unix  # noqa: E402

ALL = ["connect", "bind", "listen", "send", "receive"]


class PathTest(GuardedTest):
    """The folder `open` is free, `closed` is not."""

    def setUp(self):
        super().setUp()
        self.directory = self.directory.resolve()
        self.inside, self.outside = self.directory / "open", self.directory / "closed"
        self.inside.mkdir()
        self.outside.mkdir()
        self.guard({"name": "inside", "allow": ALL, "paths": [f"{self.inside}/**", "@free*"]})


class Connects(PathTest):
    def setUp(self):
        super().setUp()
        self.beyond = self.listener(str(self.outside / "s"), family=socket.AF_UNIX)

    def tearDown(self):
        self.assert_nobody_came(self.beyond)

    def assert_closed(self, path):
        info, _ = self.assert_denied("connect unix:", self.open, "unix", connect=unix(path))
        self.assertEqual(f"connect unix:{path}", info.metadata["request"])  # not where it leads: that is not the caller's

    def test_what_is_free(self):
        free = self.listener(str(self.inside / "s"), family=socket.AF_UNIX)
        found = self.opened("unix", connect=unix(self.inside / "s"))
        self.assertEqual(os.fsencode(self.inside / "s"), found.peer.unix_domain.path)
        self.send(found.name)
        peer = free.accept()[0]
        with peer:
            self.assertEqual(b"x", peer.recv(1))

    def test_itself(self):
        self.assert_closed(self.outside / "s")

    def test_a_link_to_it(self):
        (self.inside / "link").symlink_to(self.outside / "s")
        self.assert_closed(self.inside / "link")

    def test_links_of_links(self):
        (self.inside / "a").symlink_to("b")
        (self.inside / "b").symlink_to("../closed/s")
        self.assert_closed(self.inside / "a")

    def test_a_link_to_its_folder(self):
        (self.inside / "folder").symlink_to(self.outside)
        self.assert_closed(self.inside / "folder" / "s")

    def test_dots(self):
        self.assert_closed(f"{self.inside}/../closed/s")
        self.assert_closed(f"{self.inside}/./../open//../closed/s")

    def test_the_way_of_a_process(self):
        folder = os.open(self.outside, os.O_PATH)
        self.addCleanup(os.close, folder)
        self.assert_closed(f"/proc/{os.getpid()}/fd/{folder}/s")
        self.assert_closed(f"/proc/{self.daemon.pid}/root{self.outside}/s")

    def test_a_link_into_the_free_folder_is_free(self):
        self.listener(str(self.inside / "s"), family=socket.AF_UNIX)
        (self.outside / "link").symlink_to(self.inside / "s")
        self.opened("unix", connect=unix(self.outside / "link"))

    def test_a_path_with_a_nul_in_it(self):
        bytes_ = struct.pack("=H", socket.AF_UNIX) + os.fsencode(self.outside / "s") + b"\0" + os.fsencode(self.inside)
        self.assert_denied("connect unix:", self.open, "unix", connect=raw(bytes_))

    def test_a_path_that_is_not_there_is_told_as_ever(self):
        with self.assertRaises(grpc.RpcError) as raised:
            self.open("unix", connect=unix(self.inside / "none"))
        info, error = error_of(raised.exception)
        self.assertEqual(("ENOENT", "connect"), (info.reason, error.operation))
        self.assertIn("connect", raised.exception.details())

    def test_what_is_there_and_what_is_not_is_denied_alike(self):
        (self.outside / "file").write_text("")
        paths = [self.outside / each for each in ["none", "s", "file", "file/x", "none/x"]]
        for path in [*paths, f"{self.inside}/../closed/none", "relative"]:
            for kind in ["unix", "unix-seqpacket"]:
                self.assert_denied("connect unix", self.open, kind, connect=unix(path))
            self.assert_denied("bind unix:", self.open, "unix", bind=unix(path))
            self.assert_denied("send unix-dgram:", self.send_to, self.opened("unix-dgram").name, unix(path))

    def test_a_link_that_changes_all_the_time(self):
        free = self.listener(str(self.inside / "s"), family=socket.AF_UNIX)
        link, fresh = self.inside / "link", self.inside / "fresh"
        link.symlink_to(self.inside / "s")
        over = threading.Event()

        def swap():
            while not over.is_set():
                for target in [self.outside / "s", self.inside / "s"]:
                    fresh.symlink_to(target)
                    fresh.rename(link)

        swapper = threading.Thread(target=swap)
        swapper.start()
        seen = set()
        try:
            # Both must have been met often, or nothing was tried.
            while len(seen) < 2 or self.count < 300:
                self.count = getattr(self, "count", 0) + 1
                try:
                    made = self.opened("unix", connect=unix(link)).name
                    self.client.sockets.CloseSocket(pb.CloseSocketRequest(name=made))
                    free.accept()[0].close()
                    seen.add("free")
                except grpc.RpcError as error:
                    self.assertEqual("POLICY_DENIED", error_of(error)[0].reason)
                    seen.add("denied")
        finally:
            over.set()
            swapper.join()

    count = 0


class DatagramsToPaths(PathTest):
    def setUp(self):
        super().setUp()
        self.beyond = self.listener(str(self.outside / "s"), family=socket.AF_UNIX, type_=socket.SOCK_DGRAM)
        self.made = self.opened("unix-dgram", bind=unix(self.inside / "me")).name

    def tearDown(self):
        self.assert_nobody_came(self.beyond)

    def test_each_destination_with_its_links(self):
        free = self.listener(str(self.inside / "s"), family=socket.AF_UNIX, type_=socket.SOCK_DGRAM)
        link = self.inside / "link"
        link.symlink_to(self.inside / "s")
        self.send_to(self.made, unix(link))
        self.assertEqual((b"x", str(self.inside / "me")), free.recvfrom(1))
        link.unlink()
        link.symlink_to(self.outside / "s")
        self.assert_denied(f"send unix-dgram:{link}", self.send_to, self.made, unix(link))

    def test_connected_first(self):
        (self.inside / "link").symlink_to(self.outside / "s")
        self.assert_denied("connect unix-dgram:", self.dial, self.made, unix(self.inside / "link"))

    def test_connected_again_by_a_link_that_changed(self):
        self.listener(str(self.inside / "s"), family=socket.AF_UNIX, type_=socket.SOCK_DGRAM)
        self.reload({"name": "quiet", "deny": ["send"], "paths": [f"{self.inside}/quiet"]},
                    {"name": "inside", "allow": ALL, "paths": [f"{self.inside}/**"]})
        self.listener(str(self.inside / "quiet"), family=socket.AF_UNIX, type_=socket.SOCK_DGRAM)
        link = self.inside / "link"
        link.symlink_to(self.inside / "s")
        self.dial(self.made, unix(link))
        self.send_to(self.made)
        link.unlink()
        link.symlink_to(self.inside / "quiet")
        self.dial(self.made, unix(link))
        self.assert_denied("send unix-dgram:", self.send_to, self.made, rule="quiet")

    def test_bytes_that_are_no_text(self):
        self.assert_denied("send unix-dgram:@\\xff\\x0a", self.send_to, self.made, abstract(b"\xff\n"))

    def test_abstract_names(self):
        name = b"denied-%d" % os.getpid()
        beyond = self.listener(b"\0" + name, family=socket.AF_UNIX, type_=socket.SOCK_DGRAM)
        self.assert_denied("send unix-dgram:@denied", self.send_to, self.made, abstract(name))
        self.assert_denied("send unix-dgram:", self.send_to, self.made, abstract(b"free\0" + name))
        self.assert_nobody_came(beyond)


class Binds(PathTest):
    def test_it_has_the_name_that_was_given(self):
        made = self.opened("unix", bind=unix(self.inside / "s"), listen={})
        self.assertEqual(os.fsencode(self.inside / "s"), made.local.unix_domain.path)
        with socket.socket(socket.AF_UNIX) as peer:
            peer.connect(str(self.inside / "s"))
            self.assertEqual(str(self.inside / "s"), peer.getpeername())
            accepted = self.client.sockets.AcceptSocket(pb.AcceptSocketRequest(name=made.name)).socket
            self.send(accepted.name)
            self.assertEqual(b"x", peer.recv(1))

    def test_outside(self):
        for path in [self.outside / "new", f"{self.inside}/../closed/new", f"{self.inside}/../closed/./new"]:
            self.assert_denied(f"bind unix:{path}", self.open, "unix", bind=unix(path))
        self.assertEqual([], list(self.outside.iterdir()))

    def test_through_a_folder_that_is_a_link(self):
        (self.inside / "folder").symlink_to(self.outside)
        self.assert_denied("bind unix:", self.open, "unix", bind=unix(self.inside / "folder/new"))
        self.assertEqual([], list(self.outside.iterdir()))

    def test_a_name_that_the_kernel_would_choose(self):
        self.assert_denied("bind unix:@", self.open, "unix", bind=raw(struct.pack("=H", socket.AF_UNIX)))

    def test_the_path_of_another_is_not_removed(self):
        """A link that is changed before the close: the file of that name elsewhere stays."""
        real, link = self.inside / "real", self.inside / "folder"
        real.mkdir()
        link.symlink_to(real)
        made = self.opened("unix", bind=unix(link / "s")).name
        link.unlink()
        link.symlink_to(self.outside)
        victim = self.listener(str(self.outside / "s"), family=socket.AF_UNIX)
        self.client.sockets.CloseSocket(pb.CloseSocketRequest(name=made))
        self.assertEqual((False, True), ((real / "s").exists(), (self.outside / "s").is_socket()))
        victim.close()

    def test_a_folder_that_was_removed(self):
        gone = self.inside / "gone"
        gone.mkdir()
        held = os.open(gone, os.O_PATH)
        self.addCleanup(os.close, held)
        gone.rmdir()
        self.assert_denied("bind unix:", self.open, "unix", bind=unix(f"/proc/{os.getpid()}/fd/{held}/s"))

    def test_abstract(self):
        self.assert_denied("bind unix:@other", self.open, "unix", bind=abstract(b"other"))
        self.opened("unix", bind=abstract(b"free-%d" % os.getpid()))

    def test_a_folder_that_changes_all_the_time(self):
        real, link = self.inside / "real", self.inside / "folder"
        real.mkdir()
        link.symlink_to(real)
        over = threading.Event()

        def swap():
            fresh = self.inside / "fresh"
            while not over.is_set():
                for target in [self.outside, real]:
                    fresh.symlink_to(target)
                    fresh.rename(link)

        swapper = threading.Thread(target=swap)
        swapper.start()
        seen = set()
        count = 0
        try:
            while len(seen) < 2 or count < 300:
                count += 1
                try:
                    made = self.opened("unix-dgram", bind=unix(link / f"s{count}")).name
                    self.assertTrue((real / f"s{count}").is_socket())
                    self.client.sockets.CloseSocket(pb.CloseSocketRequest(name=made))
                    seen.add("free")
                except grpc.RpcError as error:
                    self.assertIn(error_of(error)[0].reason, ["POLICY_DENIED", "PATH_CHANGED"])
                    seen.add("denied")
        finally:
            over.set()
            swapper.join()


class WithoutAPolicy(GuardedTest):
    def test_the_path_of_another_is_not_removed(self):
        """The folder's link was changed before the close, to one where another has a socket of that name."""
        mine, others, link = (self.directory / each for each in ["mine", "others", "link"])
        mine.mkdir()
        others.mkdir()
        link.symlink_to(mine)
        self.daemon = self.start()
        self.client = self.connect(self.daemon.address)
        made = self.opened("unix", bind=unix(link / "s")).name
        link.unlink()
        link.symlink_to(others)
        self.listener(str(others / "s"), family=socket.AF_UNIX)
        self.client.sockets.CloseSocket(pb.CloseSocketRequest(name=made))
        self.assertTrue((others / "s").is_socket())

    def test_what_was_put_at_the_path_instead_is_not_removed(self):
        self.daemon = self.start()
        self.client = self.connect(self.daemon.address)
        made = self.opened("unix", bind=unix(self.directory / "s")).name
        (self.directory / "s").unlink()
        self.listener(str(self.directory / "s"), family=socket.AF_UNIX)
        self.client.sockets.CloseSocket(pb.CloseSocketRequest(name=made))
        self.assertTrue((self.directory / "s").is_socket())


class OwnControlSockets(GuardedTest):
    """With a policy that allows everything, and without any."""

    def ways(self):
        yield "unix", unix(self.path)
        (self.directory / "link").symlink_to(self.path)
        yield "unix", unix(self.directory / "link")
        os.link(self.path, self.directory / "hard")
        yield "unix", unix(self.directory / "hard")
        yield "unix", unix(f"/proc/{self.daemon.pid}/root{self.path}")
        port = int(self.daemon.addresses[1].rsplit(":", 1)[1])
        yield "tcp4", inet(port)
        yield "tcp4", inet(port, "0.0.0.0")
        yield "tcp6", inet(port, "::ffff:127.0.0.1")
        yield "tcp6", inet(port, "::ffff:0.0.0.0")
        yield "tcp4", raw(sockaddr_in("127.0.0.1", port))
        # Without a scope: 24 bytes (RFC 2133).
        mapped = socket.inet_pton(socket.AF_INET6, "::ffff:127.0.0.1")
        yield "tcp6", raw(struct.pack("=H", socket.AF_INET6) + struct.pack("!HI", port, 0) + mapped)
        yield "tcp4", named("localhost", port)

    def assert_off_limits(self):
        for kind, address in self.ways():
            with self.subTest(address=address):
                self.assert_denied("connect ", self.open, kind, connect=address,
                                   rule="nobody reaches the daemon's own control socket through the daemon")
                made = self.opened(kind).name
                self.assert_denied("connect ", self.dial, made, address,
                                   rule="nobody reaches the daemon's own control socket through the daemon")

    def test_under_a_policy(self):
        self.guard({"allow": ["all"]}, listen=["127.0.0.1:0"])
        self.assert_off_limits()

    def test_without_one(self):
        self.daemon = self.start("--listen", f"unix:{self.path}", "--listen", "127.0.0.1:0", count=2)
        self.client = self.connect(self.daemon.address)
        self.assert_off_limits()
        # What else there is can be reached.
        beyond = self.listener()
        self.opened("tcp4", connect=inet(beyond.getsockname()[1]))

    def test_a_datagram_at_its_path(self):
        self.guard({"allow": ["all"]})
        made = self.opened("unix-dgram").name
        with self.assertRaises(grpc.RpcError) as raised:
            self.send_to(made, unix(self.path))
        self.assertEqual("EPROTOTYPE", error_of(raised.exception)[0].reason)

    def test_it_cannot_be_taken_over(self):
        self.guard({"allow": ["all"]}, listen=["127.0.0.1:0"])
        port = int(self.daemon.addresses[1].rsplit(":", 1)[1])
        for address in [inet(port), inet(port, "0.0.0.0")]:
            with self.assertRaises(grpc.RpcError) as raised:
                self.open("tcp4", bind=address, options={"reuseport": True, "reuseaddr": True}, listen={})
            self.assertEqual("EADDRINUSE", error_of(raised.exception)[0].reason)


class OwnControlSocketOfEveryAddress(GuardedTest):
    def test_each_address_of_the_host(self):
        from lab import Authority
        ca = Authority(self.directory)
        pair = ca.server()
        self.write({"allow": ["all"]})
        up = ["sh", "-c", "ip link set lo up; ip address add 10.99.0.1/32 dev lo; ip route add local 10.98.0.0/16 dev lo; "
              'exec "$@"', "sh"]
        self.daemon = self.start("--listen", f"unix:{self.path}", "--listen", "0.0.0.0:7625", "--tls-cert", pair.cert,
                                 "--tls-key", pair.key, "--client-ca", ca.cert, "--policy", self.file, count=2,
                                 prefix=[*own_namespaces("--net"), *up])
        self.client = self.connect(self.daemon.address)
        why = "nobody reaches the daemon's own control socket through the daemon"
        for ip in ["127.0.0.1", "127.8.8.8", "10.99.0.1", "0.0.0.0", "10.98.1.1"]:
            self.assert_denied(f"connect tcp:{ip}:7625", self.open, "tcp4", connect=inet(7625, ip), rule=why)
        self.assert_denied("connect tcp:", self.open, "tcp6", connect=inet(7625, "::ffff:10.99.0.1"), rule=why)
        with self.assertRaises(grpc.RpcError) as raised:
            self.open("tcp4", connect=inet(7626, "10.99.0.1"))
        self.assertEqual("ECONNREFUSED", error_of(raised.exception)[0].reason)


if __name__ == "__main__":
    unittest.main()
