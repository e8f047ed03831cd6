"""Preloads for the tests of `warmline.workers`: what a template loads and what its workers do."""

import importlib
import os
import signal
from collections.abc import Callable, Mapping

from warmline.workers import Channel


def load(config: Mapping[str, object]) -> Callable[[Channel], None]:
    """Echoes; answers {"whoami"} with its pid and the template's; dies or hangs on request."""
    template_pid = os.getpid()

    def serve(channel: Channel) -> None:
        while (message := channel.receive()) is not None:
            match message:
                case {"whoami": _}:
                    channel.send({"pid": os.getpid(), "template": template_pid, "config": config["name"]})
                case {"die": int(status)}:
                    os._exit(status)
                case {"hang": _}:
                    signal.pause()
                case _:
                    channel.send(message)

    return serve


def load_numpy(config: Mapping[str, object]) -> Callable[[Channel], None]:
    """Imports what starts threads, left to itself; tells how many there are."""
    importlib.import_module("numpy")
    threads = len(os.listdir("/proc/self/task"))

    def serve(channel: Channel) -> None:
        channel.send({"threads": threads})
        channel.receive()

    return serve


def load_and_fail(config: Mapping[str, object]) -> Callable[[Channel], None]:
    """Has nothing to load."""
    raise RuntimeError("no such model")


def load_forever(config: Mapping[str, object]) -> Callable[[Channel], None]:
    """Never done."""
    signal.pause()
    raise AssertionError
