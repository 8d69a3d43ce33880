"""A manual page made of a program's own --help, and of that of its verbs: page.py PROGRAM SECTION MORE >PAGE.

MORE is a file in roff of what --help does not tell: the page's one-line description in its first line, as a comment, then
sections. Not help2man: it fills the lines of examples, which are commands, into paragraphs, and knows no verbs.
"""

import itertools
import os
import pathlib
import re
import subprocess
import sys
import time

COMMENT = '.\\" '
GROUPS = {"Positionals", "Options", "Subcommands"}
ENTRY = re.compile(r"  (\S.*?)(?:\s{2,}(\S.*))?")  # "  --id ID      Its id": what begins at the margin


def escaped(text):
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("^", "\\(ha").replace("~", "\\(ti")
    return re.sub(r"^\.", r"\\&.", text)


def help_of(words):
    environment = {**os.environ, "XDG_RUNTIME_DIR": ""}  # a default that is shown must not be the builder's
    run = subprocess.run([*words, "--help"], capture_output=True, text=True, check=True, env=environment)
    return run.stdout.rstrip().splitlines()


def entries(lines):
    """(term, its meaning) of a group; a meaning may go on in further lines, or begin in the next."""
    found = []
    for line in lines:
        if re.match(r" {3,}\S", line):
            found[-1][1].append(line.strip())
        else:
            term, meaning = ENTRY.fullmatch(line).groups()
            found.append((term, [meaning] if meaning else []))
    return [(term, " ".join(meaning)) for term, meaning in found]


class Help:
    """--help in its parts: the description, the usage, the groups, and what stands behind them."""

    def __init__(self, words):
        lines = help_of(words)
        usage = next(number for number, line in enumerate(lines) if line.startswith("Usage: "))
        self.words, self.about, self.usage = words, lines[:usage], lines[usage].removeprefix("Usage: ")
        self.groups, self.behind = {}, []
        group = None
        for line in lines[usage + 1:]:
            if line.rstrip(":") in GROUPS and line.endswith(":"):
                group = self.groups.setdefault(line.rstrip(":"), [])
            elif not line:
                group = None
                self.behind.append(line)
            elif group is not None:
                group.append(line)
            else:
                self.behind.append(line)

    def verbs(self):
        return [term for term, _ in entries(self.groups.get("Subcommands", []))]


def paragraphs(lines):
    """Prose is filled; lines that are indented stand as they are, but for those far in, which go on with the prose."""
    out = []
    for kind, block in itertools.groupby(lines, lambda line: re.match(r"  \S", line) is not None):
        if kind:
            out += [".PP", ".RS 4", ".nf", *(escaped(line[2:]) for line in block), ".fi", ".RE"]
        else:
            out += [".PP", *(escaped(line.strip()) or ".PP" for line in block)]
    return [line for line, after in zip(out, [*out[1:], ""]) if not line == after == ".PP"]


def parted(lines):
    """(the examples, the other lines)"""
    if "Examples:" not in lines:
        return [], lines
    start = lines.index("Examples:")
    end = lines.index("", start) if "" in lines[start:] else len(lines)
    return lines[start + 1:end], lines[:start] + lines[end:]


def group(lines, left_out=()):
    out = []
    for term, meaning in entries(lines):
        if not term.startswith(left_out):
            out += [".TP", r"\fB" + escaped(term) + r"\fR", escaped(meaning)]
    return out


def verb_pages(words, shown):
    """A subsection for each verb, and for the verbs of a verb."""
    out = []
    for name in Help(words).verbs():
        verb = Help([*words, name])
        usage = verb.usage.removeprefix(pathlib.Path(words[0]).name).strip()
        out += [f'.SS "{escaped(" ".join([*words[1:], name]))}"', rf"\fB{escaped(usage)}\fR", ".PP",
                *map(escaped, verb.about)]
        out += group(verb.groups.get("Positionals", [])) + group(verb.groups.get("Options", []), ("-h,",))
        if verb.behind not in shown:  # a verb has those of the verb or program above it, unless it has its own
            out += paragraphs(verb.behind)
        out += verb_pages([*words, name], [*shown, verb.behind])
    return out


def page(program, section, more):
    name = pathlib.Path(program).name
    described, *rest = pathlib.Path(more).read_text().splitlines()
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    date = time.strftime("%Y-%m-%d", time.gmtime(int(os.environ.get("SOURCE_DATE_EPOCH", time.time()))))
    top = Help([program])
    out = [f'.TH {name.upper()} {section} {date} "{version}"', ".SH NAME", rf"{name} \- {described.removeprefix(COMMENT)}",
           ".SH SYNOPSIS", rf"\fB{escaped(top.usage)}\fR", ".SH DESCRIPTION", *paragraphs(top.about),
           ".SH OPTIONS", *group(top.groups["Options"])]
    if top.verbs():
        out += [".SH VERBS", *group(top.groups["Subcommands"]), ".PP", "The options above may also stand behind the verb.",
                *verb_pages([program], [top.behind])]
    examples, notes = parted(top.behind)
    out += [".SH NOTES", *paragraphs(notes), ".SH EXAMPLES", *paragraphs(examples), *rest]
    return "\n".join(out) + "\n"


if __name__ == "__main__":
    sys.stdout.write(page(*sys.argv[1:]))
