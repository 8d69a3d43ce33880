"""A daemon that is started with every privilege keeps none that it was not told to keep."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from contract import Client, error_of, inet, pb, socket_pb  # noqa: E402
import grpc  # noqa: E402
from daemon import DaemonTest, own_namespaces  # noqa: E402

NET_BIND_SERVICE = 1 << 10  # capabilities(7)


class Confinement(DaemonTest):
    def threads(self, daemon):
        """What the kernel says of each thread of it, as dictionaries."""
        for task in pathlib.Path(f"/proc/{daemon.pid}/task").iterdir():
            try:
                text = (task / "status").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue  # it ended meanwhile
            yield dict(line.split(":\t", 1) for line in text.splitlines())

    def serve(self, *arguments):
        return self.start("--listen", f"unix:{self.path}", *arguments, prefix=self.privileged())

    def bind_a_low_port(self):
        client = Client(f"unix:{self.path}")
        self.addCleanup(client.close)
        return client.sockets.OpenSocket(pb.OpenSocketRequest(type=socket_pb.SOCKET_TYPE_STREAM, bind=inet(1023)))

    def privileged(self):
        """Every capability, and a network of its own, where low ports need one."""
        return [*own_namespaces("--net"), "sh", "-c", "ip link set lo up && exec \"$0\" \"$@\""]

    def test_every_thread_is_confined_and_has_no_capability(self):
        daemon = self.serve("--loops", "2")
        statuses = list(self.threads(daemon))
        self.assertGreater(len(statuses), 2)
        for status in statuses:
            for kind in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"]:
                self.assertEqual(0, int(status[kind], 16), kind)
            self.assertEqual(("1", "2"), (status["NoNewPrivs"], status["Seccomp"]))

    def test_a_low_port_is_denied_as_to_anybody(self):
        self.serve()
        with self.assertRaises(grpc.RpcError) as caught:
            self.bind_a_low_port()
        self.assertEqual("EACCES", error_of(caught.exception)[0].reason)

    def test_what_is_named_is_kept(self):
        daemon = self.serve("--keep-capability", "net_bind_service")
        self.bind_a_low_port()
        for status in self.threads(daemon):
            self.assertEqual([NET_BIND_SERVICE] * 3, [int(status[kind], 16) for kind in ["CapPrm", "CapEff", "CapBnd"]])

    def test_the_file_names_them_too(self):
        config = self.directory / "socketeer.yaml"
        config.write_text("keep_capabilities: [CAP_NET_BIND_SERVICE]\n")
        self.serve("--config", str(config))
        self.bind_a_low_port()

    def test_what_cannot_be_kept_is_said(self):
        endpoint = f"unix:{self.path}"
        said = self.refusal("--listen", endpoint, "--keep-capability", "net_rav")
        self.assertIn('--keep-capability is "net_rav"; it must be the name of a capability', said)
        config = self.directory / "socketeer.yaml"
        for text, wrong in [("{net_raw: 1}", ":1: keep_capabilities must be a list of names like net_raw"),
                            ("[net_raw, 7]", ':1: keep_capabilities is "7"; it must be the name of a capability')]:
            config.write_text(f"keep_capabilities: {text}\n")
            self.assertIn(f"{config}{wrong}", self.refusal("--listen", endpoint, "--config", str(config)))


if __name__ == "__main__":
    unittest.main()
