"""Chromium without a window, and without a network: it has a namespace of its own, in which nothing leads anywhere."""

import html.parser
import os
import shutil
import struct
import subprocess
import unittest
import zlib

NAMESPACE = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--net"]
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--enable-logging=stderr"]


def require():
    """Skips where there is none."""
    if not shutil.which("chromium"):
        raise unittest.SkipTest("there is no chromium")
    if subprocess.run([*NAMESPACE, "true"], capture_output=True, check=False).returncode != 0:
        raise unittest.SkipTest("no network namespace can be made, and a browser must not reach a network")


class Document(html.parser.HTMLParser):
    """What stands in a page: its elements, and its text without style."""

    def __init__(self, text):
        super().__init__()
        self.elements = []  # (tag, attributes)
        self.text = ""
        self._tag = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self._tag = tag
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        if self._tag != "style":
            self.text += data

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def browse(page, directory, *flags):
    """(what it writes, what its console says) when it opens the file."""
    profile = directory / "profile"
    shutil.rmtree(profile, ignore_errors=True)  # each time as if for the first time
    run = subprocess.run([*NAMESPACE, "chromium", *FLAGS, f"--user-data-dir={profile}", *flags, page.as_uri()],
                         env={**os.environ, "HOME": str(directory)}, capture_output=True, text=True, check=True)
    return run.stdout, [line for line in run.stderr.splitlines() if "CONSOLE" in line]


def document(page, directory):
    """(Document, console) of the page as the browser understands it."""
    dom, console = browse(page, directory, "--dump-dom")
    return Document(dom), console


class Picture:
    """A page as it looks."""

    def __init__(self, page, directory, *flags, size=(1280, 1500)):
        path = directory / "picture.png"
        browse(page, directory, f"--screenshot={path}", "--window-size={},{}".format(*size), *flags)
        data = path.read_bytes()
        assert data.startswith(b"\x89PNG"), data[:8]
        self.size = struct.unpack(">II", data[16:24])
        pixels, at = b"", 8
        while at < len(data):
            length, kind = struct.unpack(">I4s", data[at:at + 8])
            if kind == b"IDAT":
                pixels += data[at + 8:at + 8 + length]
            at += length + 12
        # The first pixel of a picture is stored as it is: there is none before it.
        self.corner = tuple(zlib.decompress(pixels)[1:4])
