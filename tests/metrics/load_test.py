"""Metrics during a counted load equal the load: what was done has grown by exactly so much, and nothing else has."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from contract import attach_pb, data_pb, duration, host_pb, inet, pb, session_pb  # noqa: E402
from eventually import eventually  # noqa: E402
from metered import RULES, MeteredTest  # noqa: E402
from quotas import Stream  # noqa: E402
from scrape import fetch, grown, labels_of, name_of, scrape  # noqa: E402

# Of the machine, of time, or of what a rule was asked anew.
NOT_EXACT = {"process_", "socketeer_loop_lag_seconds", 'socketeer_policy_decisions_total{decision="allow"}'}


class CountedLoad(MeteredTest):
    def setUp(self):
        super().setUp()
        self.meter()
        self.client.hosts.GetCaller(host_pb.GetCallerRequest())  # there is a standing session, and a connection
        self.before = self.quiet()
        self.expected = {}

    def quiet(self):
        """What there is when no call is under way: the last one's place is given back behind its answer."""
        def settled():
            found = scrape(self.metrics)
            return found if found["socketeer_calls_under_way"] == 0 else None
        return eventually(settled, "no call is under way")

    def expect(self, name, count, **labels):
        text = "{" + ",".join(f'{key}="{value}"' for key, value in labels.items()) + "}" if labels else ""
        self.expected[name + text] = self.expected.get(name + text, 0) + count

    def expect_calls(self, method, count, code="OK", outcome=None):
        self.expect("socketeer_calls_total", count, method=method, code=code)
        self.expect("socketeer_call_outcomes_total", count, method=method, outcome=outcome or code)
        self.expect("socketeer_call_duration_seconds_count", count, method=method)

    def difference(self):
        found = grown(self.before, self.quiet())
        return {series: by for series, by in found.items()
                if not any(series.startswith(each) for each in NOT_EXACT) and "_bucket{" not in series
                and "_seconds_sum{" not in series}

    def assert_grown(self):
        """By what is expected, and by nothing else."""
        self.assertEqual(self.expected, self.difference())

    def test_opens_accepts_and_closes(self):
        for _ in range(3):
            for name in self.pair():
                self.close(name)
        self.opened("udp4", bind=inet(0))
        self.expect_calls("OpenSocket", 7)
        self.expect_calls("AcceptSocket", 3)
        self.expect_calls("CloseSocket", 9)
        self.expect("socketeer_sockets_opened_total", 10)
        self.expect("socketeer_accepted_connections_total", 3)
        self.expect("socketeer_sockets_closed_total", 9, reason="OWNER")
        self.expect("socketeer_sockets", 1, kind="udp4", state="BOUND")
        self.assert_grown()

    def test_bytes_and_datagrams(self):
        _, near, far = self.pair()
        one = self.opened("udp4", bind=inet(0))
        other = self.opened("udp4", bind=inet(0))
        for _ in range(5):
            self.send(near, b"x" * 1000)
            self.client.sockets.ReceiveData(data_pb.ReceiveDataRequest(
                name=far, mode=data_pb.MODE_WHOLE, max_bytes=1000), timeout=20)
        for _ in range(4):
            self.send_to(one.name, other.local, b"y" * 10)
            self.receive_from(other.name)
        self.expect_calls("OpenSocket", 4)
        self.expect_calls("AcceptSocket", 1)
        self.expect_calls("SendData", 5)
        self.expect_calls("ReceiveData", 5)
        self.expect_calls("SendDatagrams", 4)
        self.expect_calls("ReceiveDatagrams", 4)
        for way in ["sent", "received"]:
            self.expect(f"socketeer_{way}_bytes_total", 5 * 1000 + 4 * 10)
            self.expect(f"socketeer_{way}_datagrams_total", 4)
        self.expect("socketeer_accepted_connections_total", 1)
        self.expect("socketeer_sockets_opened_total", 5)
        self.expect("socketeer_sockets", 1, kind="tcp4", state="LISTENING")
        self.expect("socketeer_sockets", 2, kind="tcp4", state="CONNECTED")
        self.expect("socketeer_sockets", 2, kind="udp4", state="BOUND")
        self.assert_grown()

    def test_failures_each_by_its_own_name(self):
        _, near, far = self.pair()
        for _ in range(3):
            self.fails(self.open, "tcp4", connect=inet(1))  # refused by the kernel
        for _ in range(2):
            self.fails(self.open, "tcp4", connect=inet(1, "127.0.0.7"))  # by the policy
        self.fails(self.receive, near, mode=data_pb.MODE_EXACT)
        for _ in range(4):
            self.assertTrue(self.wait_to_receive(near, 0.001).timed_out)
        self.fails(self.send, "sockets/nobody")
        self.fails(self.send, "none")
        host, port = self.metrics.split(":")
        self.fails(self.open, "tcp4", connect=inet(int(port), host))
        waiting = self.client.sockets.ReceiveData.future(data_pb.ReceiveDataRequest(name=near, mode=data_pb.MODE_WAIT))
        side = 'socketeer_waiting_operations{side="read"}'
        eventually(lambda: scrape(self.metrics)[side] == 1, "one waits")
        self.assertEqual(1, scrape(self.metrics)["socketeer_calls_under_way"])
        waiting.cancel()
        eventually(lambda: scrape(self.metrics)[side] == 0, "nobody waits")
        self.expect_calls("OpenSocket", 2)
        self.expect_calls("OpenSocket", 3, "FAILED_PRECONDITION", "ECONNREFUSED")
        self.expect_calls("OpenSocket", 3, "PERMISSION_DENIED", "POLICY_DENIED")
        self.expect("socketeer_policy_decisions_total", 2, decision="deny")
        self.expect("socketeer_policy_decisions_total", 1, decision="own_address")
        self.expect_calls("AcceptSocket", 1)
        self.expect_calls("ReceiveData", 1, "FAILED_PRECONDITION", "EAGAIN")
        self.expect("socketeer_calls_total", 4, method="ReceiveData", code="OK")
        self.expect("socketeer_call_outcomes_total", 4, method="ReceiveData", outcome="TIMED_OUT")
        self.expect("socketeer_call_duration_seconds_count", 4, method="ReceiveData")
        self.expect_calls("ReceiveData", 1, "CANCELLED")
        self.expect_calls("SendData", 1, "NOT_FOUND", "SOCKET_NOT_FOUND")
        self.expect_calls("SendData", 1, "INVALID_ARGUMENT", "INVALID_FIELD")
        self.expect("socketeer_sockets_opened_total", 3)
        self.expect("socketeer_accepted_connections_total", 1)
        self.expect("socketeer_sockets", 1, kind="tcp4", state="LISTENING")
        self.expect("socketeer_sockets", 2, kind="tcp4", state="CONNECTED")
        self.assert_grown()
        self.close(far)

    def test_callers_sessions_and_quotas(self):
        few, wrong = self.with_token("few-secret"), self.with_token("guessed")
        few.sockets.OpenSocket(pb.OpenSocketRequest(family=1, type=1), timeout=20)
        for _ in range(3):
            self.fails(few.sockets.OpenSocket, pb.OpenSocketRequest(family=1, type=1), timeout=20)
        for _ in range(5):
            self.fails(wrong.hosts.GetHost, host_pb.GetHostRequest(), timeout=20)
        name = self.client.create_session(60).name
        self.client.end_session(name)
        name = self.client.create_session(1).name
        ended = 'socketeer_sessions_ended_total{reason="LEASE_EXPIRED"}'
        eventually(lambda: scrape(self.metrics)[ended] == 1, "the lease ran out")
        self.fails(self.client.sessions.GetSession, session_pb.GetSessionRequest(name=name), timeout=20)
        self.expect_calls("OpenSocket", 1)
        self.expect_calls("OpenSocket", 3, "RESOURCE_EXHAUSTED", "LIMIT_REACHED")
        self.expect("socketeer_limit_refusals_total", 3, limit="quota.sockets")
        self.expect_calls("GetHost", 5, "UNAUTHENTICATED", "TOKEN_UNKNOWN")
        self.expect("socketeer_authentication_failures_total", 5, reason="TOKEN_UNKNOWN")
        self.expect_calls("CreateSession", 2)
        self.expect_calls("EndSession", 1)
        self.expect_calls("GetSession", 1, "NOT_FOUND", "SESSION_ENDED")
        self.expect("socketeer_sessions_created_total", 3)  # a standing one, too
        self.expect("socketeer_sessions_ended_total", 1, reason="SESSION_ENDED")
        self.expect("socketeer_sessions_ended_total", 1, reason="LEASE_EXPIRED")
        self.expect("socketeer_sessions", 1)
        self.expect("socketeer_connections", 2)
        self.expect("socketeer_connections_accepted_total", 2)
        self.expect("socketeer_sockets_opened_total", 1)
        self.expect("socketeer_sockets", 1, kind="tcp4", state="CREATED")
        self.assert_grown()

    def test_a_repeated_request_is_no_second_operation(self):
        for _ in range(3):
            self.opened("udp4", socket_id="mine", request_id="once")
        self.expect_calls("OpenSocket", 1)
        self.expect("socketeer_calls_total", 2, method="OpenSocket", code="OK")
        self.expect("socketeer_call_outcomes_total", 2, method="OpenSocket", outcome="REPEATED")
        self.expect("socketeer_call_duration_seconds_count", 2, method="OpenSocket")
        self.expect("socketeer_sockets_opened_total", 1)
        self.expect("socketeer_sockets", 1, kind="udp4", state="CREATED")
        self.assert_grown()

    def test_an_attached_stream_counts_what_it_moves(self):
        _, near, far = self.pair()
        stream = Stream(self.client, near)
        stream.next("opened")
        stream.send(data=attach_pb.AttachData(offset=0, data=b"x" * 1000))
        self.assertEqual(1000, stream.next("acknowledge").offset)
        self.client.sockets.ReceiveData(data_pb.ReceiveDataRequest(
            name=far, mode=data_pb.MODE_WHOLE, max_bytes=1000, min_bytes=1000), timeout=20)
        self.send(far, b"y" * 300)
        self.assertEqual(b"y" * 300, stream.data(300))
        stream.send(detach=attach_pb.AttachDetach())
        stream.cancel()
        ended = 'socketeer_sockets_closed_total{reason="OWNER"}'
        for name in [near, far]:
            self.close(name)
        eventually(lambda: scrape(self.metrics)[ended] == 2, "both are closed")
        found = self.difference()
        for way in ["sent", "received"]:
            self.assertEqual(1300, found[f"socketeer_{way}_bytes_total"])
        self.assertNotIn("socketeer_send_window_bytes", found)
        self.assertNotIn("socketeer_retained_bytes", found)
        self.assertEqual(1, sum(by for series, by in found.items()
                                if series.startswith('socketeer_calls_total{method="AttachSocket"')))

    def test_limits_by_their_names(self):
        labels = {f"k{i}": "v" for i in range(65)}
        for _ in range(2):
            self.fails(self.open, "udp4", labels=labels)
        self.expect_calls("OpenSocket", 2, "RESOURCE_EXHAUSTED", "LIMIT_REACHED")
        self.expect("socketeer_limit_refusals_total", 2, limit="max_labels")
        self.assert_grown()

    def test_shadow_denies_nothing(self):
        self.reload(*RULES, basics=(), mode="shadow")
        self.before = self.quiet()
        self.opened("udp4", bind=inet(0, "127.0.0.7"))
        self.expect_calls("OpenSocket", 1)
        self.expect("socketeer_policy_decisions_total", 1, decision="shadow_deny")
        self.expect("socketeer_sockets_opened_total", 1)
        self.expect("socketeer_sockets", 1, kind="udp4", state="BOUND")
        self.assert_grown()

    def test_streams_count_when_they_end(self):
        name = self.client.create_session(60).name
        stream = self.client.hold(name)
        stream.cancel()
        cancelled = 'socketeer_calls_total{method="HoldSession",code="CANCELLED"}'
        eventually(lambda: scrape(self.metrics).get(cancelled) == 1, "its end is counted")
        self.expect_calls("CreateSession", 1)
        self.expect("socketeer_calls_total", 1, method="HoldSession", code="CANCELLED")
        self.expect("socketeer_call_outcomes_total", 1, method="HoldSession", outcome="CANCELLED")
        self.expect("socketeer_sessions_created_total", 1)
        self.expect("socketeer_sessions", 1)
        self.assert_grown()


class Labels(MeteredTest):
    def load(self, client, mark):
        """A bit of all, with names, labels, addresses and a session that have this mark; some of it fails."""
        session = client.create_session(60, session_id=f"job-{mark}").name
        inside = client.in_session(session)
        for i in range(10):
            inside.sockets.OpenSocket(pb.OpenSocketRequest(
                family=1, type=1, socket_id=f"{mark}-{i}", labels={f"key-{mark}": "value"},
                bind=inet(0, "127.0.0.9"), listen=pb.Listen()), timeout=20)
        self.fails(inside.sockets.OpenSocket, pb.OpenSocketRequest(family=1, type=1, connect=inet(1)), timeout=20)
        self.fails(inside.sockets.OpenSocket, pb.OpenSocketRequest(family=1, type=1, connect=inet(9, "127.0.0.7")),
                   timeout=20)
        self.fails(inside.sockets.SendData, data_pb.SendDataRequest(name=f"sockets/missing-{mark}"), timeout=20)

    def test_no_series_comes_with_more_sockets_callers_and_names(self):
        self.meter()
        self.load(self.client, "first")
        self.fails(self.with_token("guess-first").hosts.GetHost, host_pb.GetHostRequest(), timeout=20)
        before = scrape(self.metrics)
        for i in range(20):
            self.load(self.with_token(f"secret{i}"), f"next{i}")
            self.fails(self.with_token(f"guess{i}").hosts.GetHost, host_pb.GetHostRequest(), timeout=20)
        after = scrape(self.metrics)
        self.assertEqual(set(before), set(after))
        listening = 'socketeer_sockets{kind="tcp4",state="LISTENING"}'
        self.assertEqual((10, 210), (before[listening], after[listening]))

    def test_nothing_that_a_caller_is_or_chose_is_told(self):
        self.meter()
        self.load(self.with_token("secret3"), "tattle")
        page = fetch(self.metrics)
        self.assertIn('outcome="POLICY_DENIED"', page)
        for secret in ["tattle", "127.0.0", "token", "secret", "uid:", str(self.path), "no-seven", "sessions/", "sockets/"]:
            self.assertNotIn(secret, page.replace("TOKEN", ""))
        self.assertEqual({"method", "code", "outcome", "kind", "state", "side", "reason", "loop", "limit", "decision",
                          "version", "le"}, {label for each in scrape(self.metrics) for label in labels_of(each)})

    def test_every_series_has_its_help_and_type(self):
        self.meter()
        self.load(self.client, "x")
        page = fetch(self.metrics)
        names = {name_of(each) for each in scrape(self.metrics)}
        for what in ["HELP", "TYPE"]:
            self.assertEqual(names, {line.split()[2] for line in page.splitlines() if line.startswith(f"# {what} ")})


if __name__ == "__main__":
    unittest.main()
