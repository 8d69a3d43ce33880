"""Waiting for what has no event."""

import time

PATIENCE = 20  # seconds; what has not come by then never will


def eventually(holds, what):
    """Until `holds` answers with something that is true, which is returned. `what`: a text, or what makes one."""
    deadline = time.monotonic() + PATIENCE
    while not (found := holds()):
        if time.monotonic() >= deadline:
            raise AssertionError(f"never came to be: {what() if callable(what) else what}")
        time.sleep(0.01)  # because neither a log nor a count tells anybody that it has grown
    return found
