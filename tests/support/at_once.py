"""unittest.main() for tests that mostly wait: a few run at once, each in a process of its own."""

import concurrent.futures
import subprocess
import sys
import unittest

AT_ONCE = 4


def names_of(suite):
    for each in suite:
        if isinstance(each, unittest.TestSuite):
            yield from names_of(each)
        else:
            yield each.id().removeprefix("__main__.")


def main():
    if len(sys.argv) > 1:
        unittest.main(verbosity=2)

    def run(name):
        return subprocess.run([sys.executable, sys.argv[0], name], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)

    names = list(names_of(unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"])))
    skipped = failed = 0
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for done in pool.map(run, names):
            print(done.stdout, end="", flush=True)
            failed += done.returncode != 0
            skipped += "\nOK (skipped=" in done.stdout
    print(f"{len(names)} tests, {failed} failed")
    # As unittest says it.
    print(f"OK (skipped={skipped})" if skipped and not failed else "OK" if not failed else "FAILED")
    sys.exit(failed > 0)
