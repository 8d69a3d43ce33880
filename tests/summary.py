"""Says what a ctest run did, from its JUnit report: what failed, with its output; what was skipped, and why; counts.

A skipped test is not a pass.
"""

import re
import sys
import xml.etree.ElementTree as xml


def reason(case):
    """Why a test was skipped, as GTEST_SKIP, unittest or the last line of a script says it."""
    output = (case.findtext("system-out") or "").strip()
    said = re.findall(r": Skipped\n(.+)", output) or re.findall(r"skipped '(.+)'", output)
    return "; ".join(dict.fromkeys(said)) or output.rpartition("\n")[2] or "no reason given"


def main(report):
    cases = xml.parse(report).getroot().findall("testcase")
    skipped = [case for case in cases if case.get("status") == "notrun"]
    failed = [case for case in cases if case.get("status") == "fail"]
    for case in failed:
        print(f"\n=== FAILED {case.get('name')}\n{(case.findtext('system-out') or '').strip()}")
    if failed:
        print("\nFAILED:", *(case.get("name") for case in failed), sep="\n  ")
    if skipped:
        print("\nSKIPPED, so nothing is known about:")
        for case in skipped:
            print(f"  {case.get('name')}: {reason(case)}")
    print(f"\n{len(cases) - len(skipped) - len(failed)} passed, {len(failed)} failed, {len(skipped)} skipped")


if __name__ == "__main__":
    main(sys.argv[1])
