"""A real Prometheus on loopback, which scrapes often."""

import json
import pathlib
import re
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from eventually import eventually  # noqa: E402

CONFIGURATION = """
global: {{scrape_interval: 200ms}}
rule_files: [{rules}]
scrape_configs:
  - job_name: socketeer
    static_configs: [{{targets: ["{target}"]}}]
"""


class Prometheus:
    """Ready when the constructor returns."""

    def __init__(self, directory, target, rules):
        (directory / "prometheus.yml").write_text(CONFIGURATION.format(target=target, rules=json.dumps(str(rules))))
        self._log = directory / "prometheus.log"
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                ["/usr/bin/prometheus", f"--config.file={directory}/prometheus.yml", f"--storage.tsdb.path={directory}/tsdb",
                 "--web.listen-address=127.0.0.1:0"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            listening = eventually(lambda: re.search(r'msg="?Listening on"? address=(\S+)', self.log()), self.log)
            self._address = listening[1]
            eventually(lambda: self._get("/-/ready") is not None, self.log)
        except BaseException:
            self.stop()
            raise

    def log(self):
        return self._log.read_text()

    def stop(self):
        self._process.terminate()
        self._process.wait(20)

    def _get(self, path):
        """None: it is not ready."""
        try:
            with urllib.request.urlopen(f"http://{self._address}{path}", timeout=20) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as error:
            if error.code == 503:
                return None
            raise AssertionError(f"{path}: {error.read().decode()}") from error

    def query(self, expression):
        """The result, a list of {"metric": labels, "value": [when, text]}. An expression that is wrong is an error."""
        answer = json.loads(self._get("/api/v1/query?" + urllib.parse.urlencode({"query": expression})))
        assert answer["status"] == "success", (expression, answer)
        return answer["data"]["result"]

    def scrapes(self):
        """How many samples of the target there are."""
        found = self.query("count_over_time(up[1h])")
        return int(found[0]["value"][1]) if found else 0

    def rules(self):
        """Of all groups: what the API tells of them."""
        answer = json.loads(self._get("/api/v1/rules"))
        return [rule for group in answer["data"]["groups"] for rule in group["rules"]]
