"""What another identity is told of barriers and values: nothing, unless they are shared, and the policy lets him see that."""

import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import grpc  # noqa: E402
from contract import Client, coordination_pb, error_of  # noqa: E402
from guarded import ME, GuardedTest  # noqa: E402
from tls import hash_line  # noqa: E402

TOKEN = [("authorization", "Bearer other-token")]
OBSERVE = {"name": "observers", "allow": ["observe"]}


class Foreign(GuardedTest):
    def serve(self, *rules):
        self.write(*rules)
        tokens = self.directory / "tokens"
        tokens.write_text(hash_line("other", "other-token"))
        tokens.chmod(0o600)
        self.daemon = self.start("--listen", f"unix:{self.path}", "--token-file", str(tokens), "--policy", str(self.file),
                                 "--audit", str(self.directory / "audit"))
        self.client = self.connect(self.daemon.address)
        self.mine = self.client.coordination
        self.theirs = Client(self.daemon.address)
        self.addCleanup(self.theirs.close)

    def publish(self, name, **more):
        return self.mine.PublishValue(coordination_pb.PublishValueRequest(name=f"values/{name}", data=b"x", **more))

    def ask(self, method, request):
        """As somebody else."""
        return getattr(self.theirs.coordination, method)(request, timeout=20, metadata=TOKEN)

    def reason(self, method, request):
        with self.assertRaises(grpc.RpcError) as raised:
            self.ask(method, request)
        return error_of(raised.exception)[0].reason

    def test_every_rpc_about_a_private_value(self):
        self.serve(OBSERVE)
        self.publish("mine")
        get = coordination_pb.GetValueRequest(name="values/mine")
        self.assertEqual("VALUE_NOT_FOUND", self.reason("GetValue", get))
        self.assertEqual("VALUE_NOT_FOUND", self.reason("WithdrawValue", coordination_pb.WithdrawValueRequest(name=get.name)))
        self.assertEqual("VALUE_EXISTS", self.reason("PublishValue", coordination_pb.PublishValueRequest(name=get.name)))
        wait = coordination_pb.AwaitValueRequest(name=get.name, timeout={})
        self.assertTrue(self.ask("AwaitValue", wait).timed_out)
        self.assertEqual(0, len(self.ask("ListValues", coordination_pb.ListValuesRequest()).values))
        self.assertEqual(b"x", self.mine.GetValue(get).data)

    def test_without_observe_what_is_shared_is_denied(self):
        self.serve()
        self.publish("all", shared=True)
        get = coordination_pb.GetValueRequest(name="values/all")
        self.assertEqual("POLICY_DENIED", self.reason("GetValue", get))
        self.assertEqual("POLICY_DENIED", self.reason("AwaitValue", coordination_pb.AwaitValueRequest(name=get.name)))
        self.assertEqual(0, len(self.ask("ListValues", coordination_pb.ListValuesRequest()).values))
        barrier = coordination_pb.AwaitBarrierRequest(barrier="barriers/go", parties=2, shared=True)
        self.assertEqual("POLICY_DENIED", self.reason("AwaitBarrier", barrier))
        # What is one's own nobody judges.
        self.assertEqual(b"x", self.mine.GetValue(get).data)
        alone = coordination_pb.AwaitBarrierRequest(barrier="barriers/go", parties=1)
        self.assertEqual(0, self.ask("AwaitBarrier", alone).index)
        self.assertEqual(["values/all"], [each.name for each in self.mine.ListValues(
            coordination_pb.ListValuesRequest()).values])

    def test_a_policy_that_changes_counts_for_who_waits(self):
        self.serve(OBSERVE)
        call = self.theirs.coordination.AwaitValue.future(
            coordination_pb.AwaitValueRequest(name="values/all"), metadata=TOKEN)
        self.client.await_calls(1)
        self.reload()
        self.publish("all", shared=True)
        self.assertEqual("POLICY_DENIED", error_of(call.exception(timeout=20))[0].reason)

    def test_with_observe_identities_meet(self):
        self.serve(OBSERVE)
        self.publish("all", shared=True)
        seen = self.ask("GetValue", coordination_pb.GetValueRequest(name="values/all"))
        self.assertEqual((b"x", ME, ""), (seen.data, seen.owner, seen.session))
        barrier = coordination_pb.AwaitBarrierRequest(barrier="barriers/go", parties=2, shared=True)
        waits = self.mine.AwaitBarrier.future(barrier)
        self.assertEqual(1, self.ask("AwaitBarrier", barrier).generation)
        self.assertEqual(1, waits.result(timeout=20).generation)

    def test_the_audit_says_who_published_what(self):
        self.serve()
        self.publish("all", shared=True)
        self.mine.WithdrawValue(coordination_pb.WithdrawValueRequest(name="values/all"))
        self.daemon.stop()
        lines = [json.loads(line) for line in (self.directory / "audit").read_text().splitlines()]
        told = {line["event"]: line for line in lines if "value" in line}
        self.assertEqual((ME, "values/all", 1, True, "sessions/standing"),
                         tuple(told["publish"][key] for key in ["identity", "value", "bytes", "shared", "session"]))
        self.assertEqual("values/all", told["withdraw"]["value"])


if __name__ == "__main__":
    unittest.main()
