"""Runs rows of the benchmarks for as short as can be; for tests."""

import json
import pathlib
import subprocess
import tempfile

RUN = pathlib.Path(__file__).with_name("run")


def run(*rows):
    """What the JSON says."""
    with tempfile.TemporaryDirectory() as directory:
        out = pathlib.Path(directory, "sub/bench.json")
        done = subprocess.run([RUN, "--smoke", "--out", out, *rows], capture_output=True, text=True, timeout=240)
        if done.returncode != 0:
            raise AssertionError(done.stderr)
        return json.loads(out.read_text())
