"""What the samples of a soak say."""

import dataclasses
import re
import statistics

# The allocator keeps what threads freed, and gRPC starts threads as calls come: a daemon that leaks nothing wanders by so
# much. A leak of 100 bytes in each operation is beyond it within minutes.
MARGIN_BYTES = 2 << 20
MARGIN_SHARE = 0.05

# What spdlog, gRPC and the sanitizers print when something is wrong.
ERROR_LINE = re.compile(r"\[(error|critical)\]|^[EF]\d{4} |ERROR: |runtime error:|terminate called")


@dataclasses.dataclass
class Sample:
    seconds: float  # since the measurement began
    memory: int  # bytes of anonymous memory
    descriptors: int
    sockets: int
    calls: int
    sessions: int


def quarter(samples, number):
    """Those of the first to the fourth quarter of the time."""
    end = samples[-1].seconds
    return [sample for sample in samples if end * (number - 1) / 4 <= sample.seconds <= end * number / 4]


def memory_growth(samples):
    """(before, after): the medians of the second quarter and of the last. The first is for what fills up."""
    return tuple(statistics.median(sample.memory for sample in quarter(samples, number)) for number in (2, 4))


def judge_memory(samples):
    """What is wrong with it, or None."""
    before, after = memory_growth(samples)
    allowed = max(MARGIN_BYTES, MARGIN_SHARE * before)
    if after - before > allowed:
        return (f"memory grew from {before / 1e6:.1f} to {after / 1e6:.1f} MB (medians of the second and the last quarter); "
                f"{allowed / 1e6:.1f} MB are allowed")
    return None


def judge_log(log):
    said = next((line for line in log.splitlines() if ERROR_LINE.search(line)), None)
    return said and f"the daemon said: {said}"
