"""The hosts and the controller of deploy/compose.yaml, in a copy of the tree."""

import os
import pathlib
import shutil
import subprocess

from engine import DOCKER, docker

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMPOSE = "/usr/bin/docker-compose"
USER = 65532  # the image's
HOSTS = ["a", "b", "c"]
NETWORKS = {"net1": {"a": "198.18.1.11", "b": "198.18.1.12"}, "net2": {"b": "198.18.2.12", "c": "198.18.2.13"}}


def copy_tree(directory):
    """All that is, or would be, in the repository: what is tried leaves nothing in the tree itself."""
    listing = subprocess.run(["git", "-c", "safe.directory=*", "-C", ROOT, "ls-files", "-coz", "--exclude-standard"],
                             capture_output=True, check=True, text=True).stdout
    for name in filter(None, listing.split("\0")):
        if (ROOT / name).is_file():
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, directory / name)
    return directory


class Compose:
    """Up when the constructor returns: the controller waits for the hosts' health."""

    def __init__(self, tree):
        self._deploy = tree / "deploy"
        self._make_lab()
        try:
            self.compose("up", "-d")
            self._ids = {service: self.compose("ps", "-q", service).strip() for service in [*HOSTS, "controller"]}
        except BaseException:
            self.down()
            raise

    def _make_lab(self):
        lab = self._deploy / "lab"
        lab.mkdir(mode=0o700)
        for file in (self._deploy / "compose").glob("*.yaml"):
            shutil.copy(file, lab)
            os.chown(lab / file.name, USER, USER)
            (lab / file.name).chmod(0o600)
        os.chown(lab, USER, USER)
        docker("run", "--rm", "--network=none", f"--volume={lab}:/lab", "--entrypoint=socketeer", "socketeer",
               "cert", "/lab", *(f"--host={host}" for host in HOSTS), "--client=controller")

    def compose(self, *arguments):
        run = subprocess.run([COMPOSE, "-f", self._deploy / "compose.yaml", *arguments], stdin=subprocess.DEVNULL,
                             capture_output=True, text=True)
        if run.returncode:
            raise AssertionError(f"docker-compose {' '.join(arguments)}: exit status {run.returncode}\n{run.stderr}")
        return run.stdout

    def down(self):
        self.compose("down", "--volumes", "--remove-orphans", "--timeout", "5")

    def id(self, service):
        return self._ids[service]

    def state(self, service, what):
        """A field of the container's state: Running, ExitCode, Health.Status."""
        return docker("inspect", "--format", "{{.State." + what + "}}", self.id(service)).strip()

    def network(self, name):
        return f"{self._deploy.name}_{name}"

    def command(self, host, *arguments):
        """What runs the CLI in the controller, for subprocess; without a host: on all, or none."""
        words = ["--host", host, *arguments] if host else arguments
        return [DOCKER, "exec", self.id("controller"), "socketeer", *map(str, words)]

    def run(self, host, *arguments):
        return subprocess.run(self.command(host, *arguments), stdin=subprocess.DEVNULL, capture_output=True, text=True)

    def start(self, host, *arguments):
        return subprocess.Popen(self.command(host, *arguments), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)
