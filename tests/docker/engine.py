"""A container engine for the tests: the one that runs here, or one of our own for as long as the tests take.

Our own dockerd is the first process of a PID namespace, with a mount namespace and, to run containers, a network namespace:
whatever ends it, also SIGKILL of the tests, its containers, mounts and networks end with it. What stays are images and
the cache of the build, in a folder outside of the tree.
"""

import contextlib
import fcntl
import os
import pathlib
import select
import shutil
import signal
import socket
import subprocess
import tempfile

DOCKER = "/usr/bin/docker"
DOCKERD = "/usr/sbin/dockerd"
BASE_IMAGE = "debian:bookworm-slim"
START_SECONDS = 90
STOP_SECONDS = 60
BUILD_NETWORK = ["--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-masq=false"]
RUN_NETWORK = ["--bip=10.90.0.1/24", "--default-address-pool=base=10.91.0.0/16,size=24"]
# Its own first process brings loopback up. Mounts of the host are copied, and its own are not seen outside.
IN_NAMESPACES = ["setpriv", "--pdeathsig=KILL", "unshare", "--mount", "--pid", "--fork", "--kill-child=KILL", "--mount-proc"]
# Where it and what it starts write, whatever they are told: an empty place of its own for each, also in place of the
# settings of the engine that this host may have.
HIDDEN = ["/etc/docker", "/opt/containerd", "/run/containerd", "/run/docker"]
INSIDE = f"""
for place in {' '.join(HIDDEN)}; do mount -t tmpfs none $place || exit; done
ip link set lo up
exec "$@"
"""


class NoEngine(Exception):
    """There is none here, and why. Nothing was tested then."""


def docker(*arguments, **options):
    """Runs docker, and answers with what it printed."""
    options = {"check": True, "stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "text": True, **options}
    return subprocess.run([DOCKER, *map(str, arguments)], **options).stdout


def answers():
    """Is there an engine on this host, at DOCKER_HOST or at the default place? Another host's has not our files to mount."""
    if not os.environ.get("DOCKER_HOST", "unix://").startswith("unix://"):
        return False
    try:
        return subprocess.run([DOCKER, "version"], capture_output=True, timeout=20).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def cache():
    """The folder of our engine's images and build cache."""
    home = os.environ.get("XDG_CACHE_HOME") or pathlib.Path(os.environ["HOME"], ".cache")
    return pathlib.Path(home, "socketeer", "docker")


@contextlib.contextmanager
def only_one():
    """Two engines would destroy each other's images. The lock ends with the process."""
    cache().mkdir(parents=True, exist_ok=True)
    with open(cache() / "lock", "w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise NoEngine(f"another engine uses {cache()} now") from None
        yield


class Engine:
    """Our own; DOCKER_HOST leads to it while it is entered."""

    def __init__(self, network_arguments, own_network):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="socketeer-docker-"))
        self.host = f"unix://{self.directory}/sock"
        self._log = self.directory / "log"
        self._cgroup = f"socketeer-docker-{os.getpid()}"
        self._hidden = [place for place in HIDDEN if not os.path.isdir(place)]
        self._command = [*IN_NAMESPACES, *(["--net"] if own_network else []), "--", "sh", "-c", INSIDE, "sh", DOCKERD,
                         f"--data-root={cache()}/root", f"--exec-root={self.directory}/exec",
                         f"--pidfile={self.directory}/pid", f"--host={self.host}", f"--cgroup-parent=/{self._cgroup}",
                         "--exec-opt=native.cgroupdriver=cgroupfs",
                         *network_arguments]
        self._process = None

    def __enter__(self):
        try:
            self._start()
        except OSError as error:
            self._end()
            raise NoEngine(f"there is no place for one: {error}") from error
        except BaseException:
            self._end()
            raise
        self._outer = os.environ.get("DOCKER_HOST")
        os.environ["DOCKER_HOST"] = self.host
        return self

    def __exit__(self, *_):
        if self._outer is None:
            del os.environ["DOCKER_HOST"]
        else:
            os.environ["DOCKER_HOST"] = self._outer
        self._end()

    def _start(self):
        """Until it says that it is ready, as it would to systemd, or ends, or too much time has passed."""
        # Networks that tests left which were killed: else it would make them anew, and to build, in the host's namespace.
        shutil.rmtree(cache() / "root/network", ignore_errors=True)
        for place in self._hidden:
            os.mkdir(place)
        ready = str(self.directory / "ready")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified, open(self._log, "wb") as log:
            notified.bind(ready)
            # A group of its own: Ctrl-C is for us, who then stop it.
            self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                             env={**os.environ, "NOTIFY_SOCKET": ready}, process_group=0)
            ended = os.pidfd_open(self._process.pid)
            try:
                readable, _, _ = select.select([notified, ended], [], [], START_SECONDS)
            finally:
                os.close(ended)
        if notified not in readable:
            how = "ended" if readable else f"was not ready within {START_SECONDS} s"
            raise NoEngine(f"dockerd {how}; its images are in {cache()}, its log's last lines:\n{self.last_lines()}")
        if refusal := self._refusal():
            raise NoEngine(f"dockerd does not answer: {refusal}; its log's last lines:\n{self.last_lines()}")

    def _refusal(self):
        try:
            run = subprocess.run([DOCKER, "--host", self.host, "version"], capture_output=True, text=True, timeout=30)
        except subprocess.TimeoutExpired:
            return "not within 30 s"
        return (run.stderr.strip() or f"exit status {run.returncode}") if run.returncode else None

    def last_lines(self, count=8):
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join("  " + line for line in lines[-count:])

    def _dockerd(self):
        """Its process id out here, or None: the only child of unshare."""
        children = pathlib.Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        try:
            return int(children.read_text().split()[0])
        except (OSError, IndexError):
            return None

    def _end(self):
        with undisturbed():
            self._end_process()
            shutil.rmtree(self.directory)
            remove_cgroups(self._cgroup)
            for place in self._hidden:
                with contextlib.suppress(FileNotFoundError):
                    os.rmdir(place)

    def _end_process(self):
        if self._process and self._process.poll() is None:
            if dockerd := self._dockerd():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(dockerd, signal.SIGTERM)
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()  # and with it dockerd, and all that is in its namespaces
                self._process.wait()


@contextlib.contextmanager
def undisturbed():
    """No signal is handled until it is left."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP, signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def remove_cgroups(name):
    """Empty ones that stay behind containers, in each hierarchy."""
    mount = pathlib.Path("/sys/fs/cgroup")
    for top in [mount / name, *mount.glob(f"*/{name}")]:
        for directory, _, _ in os.walk(top, topdown=False):
            with contextlib.suppress(OSError):
                os.rmdir(directory)


def clean(images=False):
    """Of our engine: what tests that were killed left, or else what newer images and the cache of the build do not need."""
    if images:
        docker("image", "prune", "--force")
        docker("builder", "prune", "--force", "--keep-storage=4GB")
    else:
        for what in ("container", "network", "volume"):
            docker(what, "prune", "--force")


def base_image():
    """Makes BASE_IMAGE, if the engine has none, from the package mirrors that this machine uses: no registry is asked."""
    if docker("images", "-q", BASE_IMAGE).strip():
        return
    print(f"making {BASE_IMAGE} with mmdebstrap", flush=True)
    excluded = [f"--dpkgopt=path-exclude=/usr/share/{what}/*" for what in ("doc", "info", "locale", "man")]
    sources = [str(path) for path in (pathlib.Path("/etc/apt/sources.list"),
                                      pathlib.Path("/etc/apt/sources.list.d/debian.sources")) if path.is_file()]
    with tempfile.TemporaryDirectory() as directory:
        archive = f"{directory}/base.tar"
        try:
            subprocess.run(["mmdebstrap", "--quiet", "--variant=minbase", *excluded, "bookworm", archive, *sources],
                           stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=True)
            docker("import", archive, BASE_IMAGE, stderr=subprocess.PIPE)
        except subprocess.CalledProcessError as error:
            raise NoEngine(f"there is no {BASE_IMAGE} in the engine, and it cannot be made: {error.cmd[0]}: "
                           f"{error.stderr.strip()[-1000:]}") from None


def runs_containers():
    """Does the engine really run containers, in networks? On machines without cgroups or bridges it only starts."""
    name = f"socketeer-probe-{os.getpid()}"
    try:
        docker("network", "create", "--internal", name, stderr=subprocess.PIPE)
        try:
            docker("run", "--rm", "--network", name, BASE_IMAGE, "true", stderr=subprocess.PIPE)
        finally:
            docker("network", "rm", name, stderr=subprocess.PIPE)
    except subprocess.CalledProcessError as error:
        raise NoEngine(f"the engine runs no containers: {error.stderr.strip()}") from None
