"""A shell at a terminal of its own, as a person has it."""

import os
import pty


class Terminal:
    """It has answered when the constructor returns: `prompt` is what it prints once it reads keys."""

    def __init__(self, command, prompt, **environment):
        self._prompt = prompt.encode()
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            os.execve(command[0], command, {**os.environ, "TERM": "dumb", **environment})
        self.until_prompt()

    def until_prompt(self):
        """What it writes up to its next prompt."""
        return self.until(self._prompt)

    def until(self, words):
        """What it writes up to these bytes."""
        written = b""
        while not written.endswith(words):
            read = self._read()
            if not read:
                raise AssertionError(f"no {words}: {written}")
            written += read
        return written.decode()

    def type(self, keys, until=None):
        os.write(self._fd, keys.encode())
        return self.until(until or self._prompt)

    def _read(self):
        try:
            return os.read(self._fd, 1)  # exactly to the prompt: nothing of what comes behind it is lost
        except OSError:  # how Linux tells that nobody has the other end any more
            return b""

    def close(self):
        os.close(self._fd)  # hangs up
        os.waitpid(self.pid, 0)
