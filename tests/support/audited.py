"""A daemon with an audit, and what it says."""

import json
import pathlib
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from contract import Client  # noqa: E402
from eventually import eventually  # noqa: E402
from tls import TlsTest  # noqa: E402


def parse(line):
    """A line of the audit: one JSON object in ASCII, no key twice."""
    assert line.isascii() and line.isprintable(), line
    pairs = json.loads(line, object_pairs_hook=list)
    keys = [key for key, _ in pairs]
    assert len(keys) == len(set(keys)), f"a key stands twice: {line}"
    assert keys[:2] == ["time", "event"], line
    return dict(pairs)


def parse_all(text):
    assert text == "" or text.endswith("\n"), f"half a line: {text[-200:]!r}"
    return [parse(line) for line in text.splitlines()]


class AuditedTest(TlsTest):
    def setUp(self):
        super().setUp()
        self.audit_file = self.directory / "audit"

    def serve_locally(self, *arguments, **options):
        """On self.path; a client of it."""
        self.daemon = self.start("--listen", f"unix:{self.path}", "--audit", str(self.audit_file),
                                 *map(str, arguments), **options)
        return self.local()

    def local(self):
        client = Client(f"unix:{self.path}")
        self.addCleanup(client.close)
        return client

    def policy(self, *rules, mode="enforce"):
        path = self.directory / "policy.yaml"
        path.write_text(json.dumps({"mode": mode, "rules": [{"identities": ["any"], **rule} for rule in rules]}))
        path.chmod(0o600)
        return path

    def lines(self, event=None, **fields):
        """Those of that event, and with these values."""
        text = self.audit_file.read_text()
        whole = parse_all(text[:text.rfind("\n") + 1])
        return [line for line in whole if event in (None, line["event"])
                and all(line.get(key) == value for key, value in fields.items())]

    def await_lines(self, event, count, **fields):
        """So many that there are, or will be."""
        eventually(lambda: len(self.lines(event, **fields)) >= count,
                   lambda: f"{event} {fields} in\n{self.audit_file.read_text()}")
        found = self.lines(event, **fields)
        self.assertEqual(count, len(found), found)
        return found

    def line(self, event, **fields):
        return self.await_lines(event, 1, **fields)[0]

    def hang_up(self):
        self.daemon.process.send_signal(signal.SIGHUP)
