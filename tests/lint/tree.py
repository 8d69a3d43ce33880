"""The rules of the tree that no compiler checks. Run it: tests/lint/tree.py [ROOT]; nothing printed is nothing wrong."""

import pathlib
import re
import subprocess
import sys

# Each layer and what it may use besides itself. Arrows point down only.
LAYERS = {
    "proto": [],
    "yaml": [],
    "server/base": [],
    "server/audit": ["server/base"],
    "server/policy": ["server/base", "yaml"],
    "server/quota": ["server/policy", "server/base", "yaml"],
    "server/net": ["server/quota", "server/base"],
    "server/metrics": ["server/net", "server/base"],
    "server/guard": ["server/net", "server/policy", "server/base"],
    "server/registry": ["server/guard", "server/net", "server/quota", "server/base"],
    "server/coordination": ["server/registry", "server/base"],
    "server/rpc": ["server/coordination", "server/registry", "server/metrics", "server/guard", "server/policy", "server/audit", "server/net", "server/quota", "server/base", "proto"],
    "server/main": ["server/rpc", "server/policy", "server/registry", "server/audit", "server/net", "server/base", "proto", "yaml"],
    "client/report": ["client"],
    "client/probe": ["client", "proto", "yaml"],
    "client/scenario": ["client/report", "client/probe", "client", "proto", "yaml"],
    # It judges a policy's file as the daemon would, so by the same code.
    "client/cli": ["client/scenario", "client/report", "client/probe", "client", "proto", "server/policy", "server/base"],
    "client": ["proto", "yaml"],
}
# The layer of a CMake target, where it is not that of server/.
TARGETS = {"grpc": "proto", "proto": "proto", "wire": "proto", "yaml": "yaml", "client": "client",
           "report": "client/report", "probe": "client/probe", "scenario": "client/scenario"}
SOURCES = {".cc", ".h", ".py", ".proto", ".sh", ".js"}
MAX_LINES = 400

# Spelt so that this file does not break its own rule.
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")
SLEEP = re.compile(r"\b(u?sleep|sleep_for|sleep_until) ?\(|\bsleep +[\d.$]")
MACHINE_PATH = re.compile(r"(?<![\w.$}])/(work|root|home)/")


def tracked(root):
    """Every file that is, or would be, in the repository."""
    listing = subprocess.run(
        ["git", "-c", "safe.directory=*", "-C", root, "ls-files", "-coz", "--exclude-standard"],
        capture_output=True, check=True, text=True)
    paths = [pathlib.Path(name) for name in listing.stdout.split("\0") if name]
    return [path for path in sorted(set(paths)) if (root / path).is_file()]


def layer_of(path):
    """The layer that a path (of a file or in an #include) belongs to, or None."""
    return next((layer for layer in LAYERS if path.startswith(layer + "/")), None)


def included_layer(name):
    """The layer that an #include of this name uses, or None if it is not one's business."""
    if re.match(r"(grpc|grpcpp|google/protobuf|google/rpc)/", name) or name.endswith(".pb.h"):
        return "proto"
    return "client" if name.startswith("socketeer/") else layer_of(name)


def uses(path, text):
    """(line, layer) for each layer that the file reaches for, by #include or by a link in its CMakeLists.txt."""
    for number, line in enumerate(text.splitlines(), 1):
        if path.name == "CMakeLists.txt":
            for name in re.findall(r"\b(?:socketeer(?:::|_)|gRPC::)(base|audit|policy|quota|net|guard|metrics|registry|coordination|rpc|proto|wire|yaml|client|report|probe|scenario|grpc)\b", line):
                yield number, TARGETS.get(name, f"server/{name}")
        elif include := re.match(r'\s*#\s*include\s*[<"]([^>"]+)[>"]', line):
            if layer := included_layer(include[1]):
                yield number, layer


def check_layers(path, text):
    own = layer_of(path.as_posix())
    if own:
        for number, layer in uses(path, text):
            if layer != own and layer not in LAYERS[own]:
                yield f"{path}:{number}: {own} must not use {layer}"


def check_size(path, text):
    lines = text.count("\n")
    if path.suffix in SOURCES and lines > MAX_LINES:
        yield f"{path}: {lines} lines; {MAX_LINES} are the limit: split it"


def check_words(path, text):
    code = path.suffix in SOURCES or text.startswith("#!")
    for number, line in enumerate(text.splitlines(), 1):
        if MACHINE_PATH.search(line):
            yield f"{path}:{number}: the path of one machine"
        if code and UNFINISHED.search(line):
            yield f"{path}:{number}: unfinished"
        if code and SLEEP.search(line) and "because" not in line:
            yield f'{path}:{number}: a sleep: wait for the event, or say on this line "because ..."'


def check_links(root, path, text):
    """Links in documents, and docs/ named in comments, lead somewhere."""
    if path.suffix == ".md":
        prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", prose):
            if not re.match(r"\w+:", target) and not (root / path.parent / target).exists():
                yield f"{path}: dead link {target}"
    elif path.suffix in {".cc", ".h", ".proto"}:
        for target in re.findall(r"\bdocs/[\w/.-]*[\w-]", text):
            if not any(root.glob(target + "*")):
                yield f"{path}: names {target}, which does not exist"


def check_dead_headers(texts):
    included = {name for text in texts.values() for name in re.findall(r'#include ["<]([^">]+)', text)}
    for path in texts:
        name = path.as_posix().removeprefix("client/include/")
        if path.suffix == ".h" and layer_of(path.as_posix()) and name not in included:
            yield f"{path}: nothing includes it"


def check(root):
    """What is wrong in the tree at `root`, one line each."""
    root = pathlib.Path(root).resolve()
    found = []
    texts = {}
    for path in tracked(root):
        try:
            texts[path] = (root / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture, or a seed of a fuzz target
    for path, text in texts.items():
        found += [*check_layers(path, text), *check_size(path, text), *check_words(path, text)]
        found += check_links(root, path, text)
    return found + [*check_dead_headers(texts)]


if __name__ == "__main__":
    problems = check(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2])
    print(*problems, sep="\n", end="\n" if problems else "")
    sys.exit(1 if problems else 0)
