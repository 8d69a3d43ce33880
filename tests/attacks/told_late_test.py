"""Denials that the audit is told of when their call is over, and gRPC has forgotten it."""

import concurrent.futures
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from attachment import Attachment  # noqa: E402
from contract import inet, pb, socket_pb  # noqa: E402
from guarded import GuardedTest  # noqa: E402

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


class ToldLate(GuardedTest):
    def cut_off(self):
        client = self.connect(self.daemon.address)
        for number in range(30):
            name = client.sockets.OpenSocket(pb.OpenSocketRequest(
                type=socket_pb.SOCKET_TYPE_DGRAM, family=socket_pb.FAMILY_INET), timeout=20).socket.name
            attachment = Attachment(client, name, metadata=[("traceparent", TRACE)])
            attachment.send_to(*[inet(9, "127.0.0.9")] * 900)
            for _ in range(number):
                attachment.next("send_failure")
            attachment.stream.cancel()
            client.sockets.CloseSocket(pb.CloseSocketRequest(name=name), timeout=20)

    def test_a_stream_that_is_cut_amid_its_denials(self):
        """What the call's metadata said was read then, from memory that was free."""
        self.write({"name": "some", "allow": ["bind", "receive"], "addresses": ["any"]})
        self.daemon = self.start("--listen", f"unix:{self.path}", "--policy", str(self.file), "--loops", "4",
                                 "--audit", str(self.directory / "audit"))
        self.client = self.connect(self.daemon.address)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for done in [pool.submit(self.cut_off) for _ in range(8)]:
                done.result()
        self.daemon.stop()
        self.assertIn(TRACE, (self.directory / "audit").read_text())


if __name__ == "__main__":
    unittest.main()
