"""A service manager's side of sd_notify(3), and a thread of a process that is made to hang."""

import ctypes
import os
import pathlib
import queue
import socket
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from eventually import eventually  # noqa: E402

PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH = 0x4206, 0x4207, 17
WALL = 0x40000000  # __WALL: threads too


class Supervisor:
    """Receives what a daemon tells it, message by message. `address` as in NOTIFY_SOCKET. It reads all the time, as who
    supervises does: sd_notify(3) waits for room."""

    def __init__(self, address):
        self.address = str(address)
        self._name = self.address.replace("@", "\0", 1) if self.address.startswith("@") else self.address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self._name)
        self._messages = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self):
        while (message := self._socket.recv(65536)) != b"CLOSE=1":
            self._messages.put(dict(line.partition("=")[::2] for line in message.decode().splitlines()))

    def say(self, message):
        """To itself, behind all that others have sent."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as own:
            own.sendto(message, self._name)

    def next(self):
        """Of the next message, its lines as a dictionary."""
        return self._messages.get(timeout=20)

    def until(self, key, *forbidden):
        """The first message that has the key; none before it may have one of the others."""
        while key not in (message := self.next()):
            for each in forbidden:
                assert each not in message, message
        return message

    def close(self):
        if self._reader.is_alive():
            self.say(b"CLOSE=1")
            self._reader.join()
        self._socket.close()


class StoppedThread:
    """One thread of a process stands still until resume(), as if a system call held it."""

    def __init__(self, tid):
        self.tid = tid
        self.libc = ctypes.CDLL(None, use_errno=True)
        self._ptrace(PTRACE_SEIZE)
        self._ptrace(PTRACE_INTERRUPT)
        os.waitpid(tid, WALL)

    def resume(self):
        self._ptrace(PTRACE_DETACH)

    def await_death(self):
        """Until the process is killed."""
        def killed():
            reaped, status = os.waitpid(self.tid, WALL | os.WNOHANG)
            return reaped != 0 and os.WIFSIGNALED(status)
        eventually(killed, "the process is killed")

    def _ptrace(self, request):
        if self.libc.ptrace(ctypes.c_long(request), ctypes.c_long(self.tid), None, None) < 0:
            raise OSError(ctypes.get_errno(), "ptrace")


def thread_named(pid, name):
    """Its number."""
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        if (task / "comm").read_text().strip() == name:
            return int(task.name)
    raise AssertionError(f"process {pid} has no thread {name}")
