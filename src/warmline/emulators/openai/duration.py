"""Times as people write them on a command line."""

import argparse
import re

__all__ = ["seconds"]

_UNITS_SEC = {"ms": 1e-3, "s": 1.0, "m": 60.0, "": 1.0}
_WRITTEN = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|)")
_LONGEST_SEC = 1e6


def seconds(text: str) -> float:
    """Read 100ms, 60s, 5m, or a number of seconds.

    Raises:
        argparse.ArgumentTypeError: it is none of these, or above 1,000,000 s.
    """
    written = _WRITTEN.fullmatch(text.strip())
    value = float(written[1]) * _UNITS_SEC[written[2]] if written else -1.0
    if not 0 <= value <= _LONGEST_SEC:
        raise argparse.ArgumentTypeError(f"{text!r} is no time such as 100ms, 60s or 5m")
    return value
