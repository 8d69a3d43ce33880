"""The image: how it is built, what it holds, and how a single container of it behaves."""

import os
import pathlib
import re
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from compose import ROOT, USER  # noqa: E402
from engine import BASE_IMAGE, DOCKER, docker  # noqa: E402
from eventually import eventually  # noqa: E402

RESTRICTED = ["--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges"]
WRITABLE = f"--tmpfs=/run/socketeer:uid={USER},mode=700"


def build():
    """In the host's network: from its package mirrors, by the way out that it has."""
    way_out = [f"--build-arg={name}" for name in ("http_proxy", "https_proxy", "no_proxy") if name in os.environ]
    subprocess.run([DOCKER, "build", "--network=host", *way_out, "--tag=socketeer", f"--file={ROOT}/deploy/Dockerfile", ROOT],
                   env={**os.environ, "DOCKER_BUILDKIT": "1"}, stdin=subprocess.DEVNULL, check=True)


def files(name):
    """{path: size} of all that is in an image."""
    listing = docker("run", "--rm", "--network=none", "--user=0", "--entrypoint=find", name,
                     "/", "-xdev", "-type", "f", "-not", "-path", "/proc/*", "-printf", "%s %p\n")
    return {path: int(size) for size, path in (line.split(" ", 1) for line in listing.splitlines())}


def added():
    """What it holds beside Debian."""
    base = files(BASE_IMAGE)
    return {path: size for path, size in files("socketeer").items() if base.get(path) != size}


def size(name):
    return int(docker("image", "inspect", "--format", "{{.Size}}", name))


def sizes():
    base, whole = size(BASE_IMAGE), size("socketeer")
    return f"the image: {whole / 1e6:.1f} MB, of which {BASE_IMAGE} is {base / 1e6:.1f} MB, and this {(whole - base) / 1e6:.1f} MB"


def show():
    for path, of_file in sorted(added().items()):
        print(f"{of_file / 1e6:8.2f} MB  {path}")
    print(sizes(), flush=True)


class Image(unittest.TestCase):
    def start(self, *options, arguments=()):
        container = docker("run", "--detach", "--network=none", *options, "socketeer", *arguments).strip()
        self.addCleanup(docker, "rm", "--force", "--volumes", container)
        return container

    def await_listening(self, container):
        """Its first line of standard output."""
        def first():
            return docker("logs", container, stderr=subprocess.DEVNULL).splitlines()
        return eventually(first, lambda: docker("logs", container, stderr=subprocess.STDOUT))[0]

    def inspected(self, container, what):
        return docker("inspect", "--format", "{{" + what + "}}", container).strip()

    def test_it_adds_the_programs_their_libraries_and_a_file_of_settings(self):
        library = re.compile(r"/usr/lib/[^/]+-linux-gnu/lib[^/]+\.so\.[\d.]+")
        self.assertEqual(["/etc/socketeer/socketeerd.yaml", "/usr/bin/socketeer", "/usr/bin/socketeerd"],
                         sorted(path for path in added() if not library.fullmatch(path)))

    def test_its_user_is_a_number_and_not_root(self):
        self.assertEqual(f"{USER}:{USER}", docker("image", "inspect", "--format", "{{.Config.User}}", "socketeer").strip())

    def test_it_names_no_architecture(self):
        text = (ROOT / "deploy/Dockerfile").read_text() + (ROOT / "deploy/image_root.sh").read_text()
        self.assertNotRegex(text, "x86|amd64|aarch64|arm64|--platform")

    def test_without_privileges_and_on_a_file_system_that_is_read_only_it_is_healthy_and_drains(self):
        container = self.start(*RESTRICTED, WRITABLE, "--health-interval=1s")
        self.assertEqual("listening on unix:/run/socketeer/socketeer.sock", self.await_listening(container))
        eventually(lambda: self.inspected(container, ".State.Health.Status") == "healthy",
                   lambda: self.inspected(container, "json .State.Health"))
        self.assertRegex(docker("exec", container, "socketeer", "open", "tcp4"), r"^sockets/\S+ +tcp4 +CREATED")
        docker("stop", container)
        self.assertEqual("0", self.inspected(container, ".State.ExitCode"), "killed for not stopping, if it is 137")

    def test_a_daemon_that_does_not_serve_is_unhealthy(self):
        container = self.start(*RESTRICTED, WRITABLE, "--health-interval=1s", "--health-retries=1", "--health-start-period=0",
                               "--env=SOCKETEERD_HEALTH=127.0.0.1:1026")  # not where the image's check asks
        eventually(lambda: self.inspected(container, ".State.Health.Status") == "unhealthy",
                   lambda: self.inspected(container, "json .State.Health"))

    def test_a_file_then_the_environment_then_flags(self):
        listening = "listening on unix:/run/socketeer/{}.sock"
        settings = "/etc/socketeer/socketeerd.yaml"
        file = ROOT / "tests/docker/listen.yaml"
        mounted = [*RESTRICTED, WRITABLE, f"--volume={file}:{settings}:ro"]
        environment = "--env=SOCKETEERD_LISTEN=unix:/run/socketeer/environment.sock"
        self.assertEqual(listening.format("file"), self.await_listening(self.start(*mounted)))
        self.assertEqual(listening.format("environment"), self.await_listening(self.start(*mounted, environment)))
        flag = ("--listen", "unix:/run/socketeer/flag.sock")
        self.assertEqual(listening.format("flag"), self.await_listening(self.start(*mounted, environment, arguments=flag)))

    def test_what_is_wrong_is_said_to_standard_error_and_ends_it(self):
        run = subprocess.run([DOCKER, "run", "--rm", "--network=none", *RESTRICTED, WRITABLE, "socketeer",
                              "--loops", "0"], capture_output=True, text=True)
        self.assertEqual((1, ""), (run.returncode, run.stdout))
        self.assertIn("--loops", run.stderr)
