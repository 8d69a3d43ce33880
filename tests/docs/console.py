"""Runs what a document shows. In a fenced block marked `console`:

    $ command        is run by bash, all of a document in one directory against one daemon; a \\ continues it
    > text           continues one with a here-document, as the shell shows it
    output           must be the command's whole output, stdout and stderr; if none is shown, any will do
    ...              stands for any text in a line, and alone on a line for any lines
    ? 3              the exit status, if it is not 0

Random parts (socket ids, uids, ports, times) need not be the document's: the first time that one is shown as output it is
matched with the real one, and from then on it means that one, in commands too. Blanks that align columns may differ.
`./dev` is never run, but its command must exist; in blocks of any mark.
"""

import re
import subprocess
from dataclasses import dataclass, field

PORT = r"(?:(?<=[\w.*\]]:)|(?<=\"port\":)|(?<=\"port\": ))"  # what stands before one
KINDS = {
    "id": r"\bs-[a-z2-7]{26}\b",
    "uid": r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b",
    "time": r"\b\d{4}-\d\d-\d\dT[\d:.]+Z",
    "port": PORT + r"\d{4,5}\b",
}
RANDOM = re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in KINDS.items()))


@dataclass
class Command:
    line: int
    text: str
    output: list = field(default_factory=list)
    status: int = 0


def blocks(document):
    """(mark, number of its first line, lines) of each fenced block."""
    mark = None
    for number, line in enumerate(document.splitlines(), 1):
        if not line.startswith("```"):
            if mark is not None:
                lines.append(line)
        elif mark is None:
            mark, start, lines = line[3:].strip(), number + 1, []
        else:
            yield mark, start, lines
            mark = None


def commands(document):
    """The commands of the document's console blocks."""
    for mark, start, lines in blocks(document):
        if mark != "console":
            continue
        command = None
        for number, line in enumerate(lines, start):
            if command and command.text.endswith("\\"):
                command.text = command.text[:-1] + line
            elif command and "<<" in command.text and not command.output and line.startswith("> "):
                command.text += "\n" + line[2:]
            elif line.startswith("$ "):
                if command:
                    yield command
                command = Command(number, line[2:])
            elif command is None:
                raise ValueError(f"line {number}: output without a command")
            elif re.fullmatch(r"\? \d+", line):
                command.status = int(line[2:])
            else:
                command.output.append(line)
        if command:
            yield command


def dev_commands(document):
    """(line, command) of each ./dev in a block."""
    for _, start, lines in blocks(document):
        for number, line in enumerate(lines, start):
            if found := re.match(r"(?:\$ )?\./dev(?: +([\w-]+))?", line):
                yield number, found[1] or "help"


class Session:
    """What random parts mean so far, in one document."""

    def __init__(self):
        self.means = {}

    def real(self, command):
        """The command with the real parts. A part that nothing showed before is meant as it stands."""
        return RANDOM.sub(lambda found: self.means.setdefault(found[0], found[0]), command)

    def matches(self, shown, output):
        """Is the output what the lines show? If so, their random parts get their meaning."""
        pattern, fresh = self._pattern("\n" + "\n".join(shown) + "\n")
        found = re.fullmatch(pattern, "\n" + output.rstrip("\n") + "\n")
        if found:
            self.means.update(zip(fresh, found.groups()))
        return found is not None

    def _pattern(self, text):
        """A regular expression for what is shown, and the parts whose meaning its groups will be."""
        pattern, at, fresh = "", 0, []
        for found in RANDOM.finditer(text):
            part = found[0]
            pattern += literal(text[at:found.start()])
            if part in self.means:
                pattern += re.escape(self.means[part])
            elif part in fresh:
                pattern += rf"(?:\{fresh.index(part) + 1})"
            else:
                fresh.append(part)
                pattern += f"({KINDS[found.lastgroup]})"
            at = found.end()
        return pattern + literal(text[at:]), fresh


def literal(text):
    """A regular expression for a text without random parts."""
    parts = re.split(r"(\n\.\.\.(?=\n)|\.\.\.| {2,})", text)
    meaning = {"\n...": r"(?:\n.*)*?", "...": ".*"}
    return "".join(meaning.get(part) or (" {2,}" if part.startswith("  ") else re.escape(part)) for part in parts)


def check(document, known_dev_commands, **run_options):
    """What is wrong in the document, a text for each."""
    problems = [f"line {line}: there is no ./dev {name}"
                for line, name in dev_commands(document) if name not in known_dev_commands]
    session = Session()
    for command in commands(document):
        if command.text.startswith("./dev"):
            continue
        run = subprocess.run(["/bin/bash", "-c", session.real(command.text)], stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, **run_options)
        said = f"line {command.line}: $ {command.text}\n"
        if run.returncode != command.status:
            problems.append(f"{said}exits with {run.returncode}, not with {command.status}:\n{run.stdout}")
        elif command.output and not session.matches(command.output, run.stdout):
            problems.append(f"{said}prints:\n{run.stdout}")
    return problems
