"""A socket or a session of somebody else, by its known name, through every RPC that takes one: there is none. The RPCs are
those of the contract: a new one that nobody thought of here fails."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import grpc  # noqa: E402
from contract import Client, attach_pb, await_pb, data_pb, duration, error_of, inet, pb, session_pb, share_pb, socket_pb  # noqa: E402
from daemon import DaemonTest  # noqa: E402
from tls import hash_line  # noqa: E402

# Fields beside the name, for a request to be right otherwise.
REQUESTS = {
    "BindSocket": lambda at: pb.BindSocketRequest(local=inet(0), **at),
    "ConnectSocket": lambda at: pb.ConnectSocketRequest(disconnect=True, **at),
    "ListenSocket": lambda at: pb.ListenSocketRequest(**at),
    "AcceptSocket": lambda at: pb.AcceptSocketRequest(**at),
    "SendData": lambda at: data_pb.SendDataRequest(mode=data_pb.MODE_EXACT, data=b"x", **at),
    "ReceiveData": lambda at: data_pb.ReceiveDataRequest(mode=data_pb.MODE_EXACT, **at),
    "SendDatagrams": lambda at: data_pb.SendDatagramsRequest(
        mode=data_pb.MODE_EXACT, datagrams=[data_pb.OutgoingDatagram()], **at),
    "ReceiveDatagrams": lambda at: data_pb.ReceiveDatagramsRequest(mode=data_pb.MODE_EXACT, **at),
    "ShutdownSocket": lambda at: pb.ShutdownSocketRequest(direction=pb.DIRECTION_BOTH, **at),
    "CloseSocket": lambda at: pb.CloseSocketRequest(**at),
    "GetSocketOptions": lambda at: pb.GetSocketOptionsRequest(**at),
    "SetSocketOptions": lambda at: pb.SetSocketOptionsRequest(options={"keepalive": True}, **at),
    "AwaitSockets": lambda at: await_pb.AwaitSocketsRequest(
        items=[await_pb.AwaitItem(condition=await_pb.CONDITION_WRITABLE, **at)]),
    "GetSocket": lambda at: pb.GetSocketRequest(**at),
    "UpdateSocket": lambda at: pb.UpdateSocketRequest(socket=socket_pb.Socket(**at), update_mask={"paths": ["labels"]}),
    "TransferSocket": lambda at: pb.TransferSocketRequest(session="sessions/standing", **at),
    "ShareSocket": lambda at: share_pb.ShareSocketRequest(identity="uid:7", access=socket_pb.ACCESS_USE, **at),
    "UnshareSocket": lambda at: share_pb.UnshareSocketRequest(identity="uid:7", **at),
    "AttachSocket": lambda at: iter([attach_pb.AttachSocketRequest(open=attach_pb.AttachOpen(**at))]),
}
SESSION_REQUESTS = {
    "HoldSession": session_pb.HoldSessionRequest,
    "EndSession": session_pb.EndSessionRequest,
    "GetSession": session_pb.GetSessionRequest,
}
# They name no socket that is there: they make one, or list the caller's own.
NAMELESS = {"OpenSocket", "ListSockets", "WatchSockets", "CreateSession", "ListSessions"}


class Foreign(DaemonTest):
    def setUp(self):
        super().setUp()
        tokens = self.directory / "tokens"
        tokens.write_text(hash_line("other", "other-token"))
        tokens.chmod(0o600)
        daemon = self.start("--listen", f"unix:{self.path}", "--token-file", str(tokens))
        self.owner, self.other = Client(daemon.address), Client(daemon.address)
        self.addCleanup(self.owner.close)
        self.addCleanup(self.other.close)
        self.made = self.owner.sockets.OpenSocket(pb.OpenSocketRequest(
            socket_id="mine", family=socket_pb.FAMILY_INET, type=socket_pb.SOCKET_TYPE_STREAM, bind=inet(0))).socket

    def ask(self, stub, method, request, metadata=()):
        """What somebody else is told."""
        call = getattr(stub, method)(request, timeout=20, metadata=[("authorization", "Bearer other-token"), *metadata])
        return list(call) if method in ["AttachSocket", "HoldSession"] else call

    def refusal(self, stub, method, request, **call):
        with self.assertRaises(grpc.RpcError, msg=method) as raised:
            self.ask(stub, method, request, **call)
        return raised.exception

    def test_every_rpc_is_here(self):
        services = pb.DESCRIPTOR.services_by_name["SocketService"], session_pb.DESCRIPTOR.services_by_name["SessionService"]
        methods = {method.name for service in services for method in service.methods}
        self.assertEqual(methods, {*REQUESTS, *SESSION_REQUESTS, *NAMELESS})

    def test_a_socket_known_by_name_and_uid(self):
        for method, request in REQUESTS.items():
            for uid in ["", self.made.uid]:
                with self.subTest(method=method, uid=uid):
                    foreign = self.refusal(self.other.sockets, method, request({"name": self.made.name, "uid": uid}))
                    never = self.refusal(self.other.sockets, method, request({"name": "sockets/never", "uid": uid}))
                    self.assertEqual(grpc.StatusCode.NOT_FOUND, foreign.code(), foreign)
                    self.assertEqual("SOCKET_NOT_FOUND", error_of(foreign)[0].reason)
                    # Not a word tells the two apart.
                    self.assertEqual(never.details().replace("never", "mine"), foreign.details())
        self.assertEqual(socket_pb.STATE_BOUND, self.owner.sockets.GetSocket(
            pb.GetSocketRequest(name=self.made.name)).state, "nothing of all that touched it")

    def test_a_session_known_by_name(self):
        name = self.owner.create_session(60, session_id="work").name
        for method, request in SESSION_REQUESTS.items():
            with self.subTest(method=method):
                error = self.refusal(self.other.sessions, method, request(name=name))
                self.assertEqual("SESSION_NOT_FOUND", error_of(error)[0].reason)

    def test_a_call_in_a_foreign_session(self):
        name = self.owner.create_session(60, session_id="work").name
        error = self.refusal(self.other.sockets, "ListSockets", pb.ListSocketsRequest(),
                             metadata=[("socketeer-session", name)])
        self.assertEqual("SESSION_NOT_FOUND", error_of(error)[0].reason)

    def test_to_wait_for_its_name(self):
        """It never appears to whom it is not."""
        item = await_pb.AwaitItem(name=self.made.name, condition=await_pb.CONDITION_WRITABLE, allow_missing=True)
        answer = self.ask(self.other.sockets, "AwaitSockets",
                          await_pb.AwaitSocketsRequest(items=[item], timeout=duration(0.1)))
        self.assertTrue(answer.timed_out)

    def test_lists_have_only_ones_own(self):
        self.assertEqual([], list(self.ask(self.other.sockets, "ListSockets", pb.ListSocketsRequest()).sockets))


if __name__ == "__main__":
    unittest.main()
