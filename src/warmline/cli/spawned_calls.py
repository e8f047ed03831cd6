"""Calls to servers that are started for them: the truly cold start."""

import asyncio
import shlex
import signal
from collections.abc import Callable, Sequence
from dataclasses import replace

import click

from warmline.measure import Caller, CallPlan, CallResult, ServerProcess

__all__ = ["place_spawned_calls"]

_START_TIMEOUT_SEC = 60.0


async def place_spawned_calls(
    caller: Caller, plans: Sequence[CallPlan], command: str, *, on_result: Callable[[int, CallResult], None]
) -> list[CallResult]:
    """One call after the other, each to a server of its own; the call begins when the server's process does.

    Raises:
        click.UsageError: the command is no well-formed command line.
        ConfigError: it cannot be started.
    """
    try:
        words = shlex.split(command)
    except ValueError as failure:
        raise click.UsageError(f"--spawn: {failure}") from failure
    task = asyncio.current_task()
    if task is not None:
        # The server is in a session of its own: it would outlive a caller that is told to go.
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    results = []
    for number, plan in enumerate(plans):
        patient = replace(plan, connect_timeout_sec=_START_TIMEOUT_SEC, greeting_timeout_sec=_START_TIMEOUT_SEC)
        with ServerProcess(words) as server:
            results.append(await caller.call(patient, called_sec=server.started_sec))
            await asyncio.to_thread(server.stop)
        on_result(number, results[-1])
    return results
