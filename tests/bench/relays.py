"""What people forward TCP connections with: socat and ssh -L, started by the bench, for one far end each."""

import getpass
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import threading

import peers

SSHD = """
HostKey {work}/host
AuthorizedKeysFile {work}/key.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
AllowTcpForwarding yes
LogLevel ERROR
"""


def command(name, package):
    """Its path; sshd is not in everybody's PATH."""
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin")
    if path is None:
        raise peers.Missing(f"there is no {name} (Debian's {package}): ./dev setup bench")
    return path


class Process:
    """For a with statement; `port` forwards to the far end."""

    def __init__(self, *words, **options):
        self.process = subprocess.Popen(list(map(str, words)), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, text=True, **options)
        self.pids = [self.process.pid]

    def wait_for(self, pattern):
        """The first line of its narration that has it; or None, when it has ended. The rest is thrown away: a full pipe
        would stop it."""
        found = next(filter(None, (re.search(pattern, line) for line in self.process.stderr)), None)
        self.rest = threading.Thread(target=self.process.stderr.read)
        self.rest.start()
        return found

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.rest.join()
        self.process.stderr.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Socat(Process):
    def __init__(self, far_port):
        super().__init__(command("socat", "socat"), "-d", "-d", "-b", "262144",
                         "TCP-LISTEN:0,bind=127.0.0.1,fork,nodelay", f"TCP:127.0.0.1:{far_port},nodelay")
        found = self.wait_for(r"listening on AF=2 127\.0\.0\.1:(\d+)")
        if not found:
            sys.exit("bench: socat did not start")
        self.port = found[1]


class Ssh(Process):
    """ssh -L to an sshd of its own on loopback, with keys made for it. The listener is ours and the sshd is given one
    connection, so that no port has to be guessed but the one that ssh listens on."""

    def __init__(self, work, far_port):
        sshd = command("sshd", "openssh-server")
        for name in ("host", "key"):
            subprocess.run([command("ssh-keygen", "openssh-client"), "-q", "-t", "ed25519", "-N", "", "-f", work / name],
                           check=True)
        (work / "sshd_config").write_text(SSHD.format(work=work))
        if os.geteuid() == 0:
            pathlib.Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # it wants that to be there, and empty
        with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
            free.close()
            super().__init__(command("ssh", "openssh-client"), "-v", "-N", "-F", "none", "-i", work / "key",
                             "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
                             "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-o", "ExitOnForwardFailure=yes",
                             "-L", f"127.0.0.1:{self.port}:127.0.0.1:{far_port}",
                             "-p", listener.getsockname()[1], f"{getpass.getuser()}@127.0.0.1")
            connection, _ = listener.accept()
        with connection:
            self.sshd = subprocess.Popen([sshd, "-i", "-f", work / "sshd_config"], stdin=connection, stdout=connection,
                                         stderr=subprocess.DEVNULL)
        self.pids.append(self.sshd.pid)
        if not self.wait_for("Entering interactive session"):
            sys.exit("bench: ssh did not connect to its sshd")

    def stop(self):
        super().stop()
        self.sshd.wait()
