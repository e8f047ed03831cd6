"""Threads that still work when the process ends: the interpreter must not end under them.

One that comes back from native code (an inference, the load of a model) once the interpreter has begun to end is ended
by force in that very place, on which C++ aborts the process: "terminate called without an active exception".
"""

import atexit
import threading
import time
from weakref import WeakSet

__all__ = ["wait_for_at_exit"]

_AT_MOST_SEC = 2.0
_threads: "WeakSet[threading.Thread]" = WeakSet()  # the interpreter's end is one for all that run in it


def wait_for_at_exit(thread: threading.Thread) -> None:
    """The process ends when `thread`, which runs, has ended, or 2 s later: by then it hangs, and will not come back.

    For daemon threads that may be in native code at that moment. Steps of a plan have it already.
    """
    _threads.add(thread)


@atexit.register
def _wait() -> None:
    until_sec = time.monotonic() + _AT_MOST_SEC
    for thread in tuple(_threads):
        thread.join(max(0.0, until_sec - time.monotonic()))
