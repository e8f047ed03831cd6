"""The end of a child process that stops when its stdin ends."""

import asyncio
import contextlib

__all__ = ["end_child"]


async def end_child(process: asyncio.subprocess.Process, grace_sec: float) -> None:
    """End the child, after `grace_sec` by force, and reap it, also when the caller is cancelled meanwhile."""
    if process.stdin:
        process.stdin.close()
    try:
        async with asyncio.timeout(grace_sec):
            await process.wait()
    except TimeoutError:
        pass
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
