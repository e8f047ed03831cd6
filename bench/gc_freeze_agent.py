"""One agent of `gc_freeze.py`: prints its address, takes calls until its input ends, prints the collector's pauses.

python bench/gc_freeze_agent.py frozen|not-frozen CACHE_FOLDER
"""

import asyncio
import gc
import json
import sys
import time
from pathlib import Path

from loguru import logger

from warmline.agent.memory import use_few_arenas
from warmline.agent.serve import run
from warmline.settings import Settings, load_scenario

Pauses = list[tuple[int, float]]


async def main(arm: str, cache_dir: str) -> None:
    """Serve, and note how long every collection takes once calls are taken."""
    if arm == "not-frozen":
        gc.freeze = lambda: None
    stop = asyncio.Event()
    pauses: Pauses = []
    settings = Settings(port=0, cache_dir=Path(cache_dir), llm_base_url=None)

    def ready(port: int) -> None:
        gc.callbacks.append(_Noting(pauses))
        print(f"ws://127.0.0.1:{port}/ws", flush=True)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(run(settings, load_scenario(), say=lambda _: None, stop=stop, ready=ready))
        await asyncio.to_thread(sys.stdin.readline)
        gc.callbacks.clear()
        stop.set()
    print(json.dumps(pauses))


class _Noting:
    """A `gc.callbacks` entry. What it keeps is no container that the collector tracks for long: a tuple of numbers."""

    def __init__(self, pauses: Pauses) -> None:
        self._pauses = pauses
        self._began_sec = 0.0

    def __call__(self, phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            self._began_sec = time.perf_counter()
        else:
            self._pauses.append((info["generation"], (time.perf_counter() - self._began_sec) * 1000))


if __name__ == "__main__":
    use_few_arenas()
    logger.remove()
    asyncio.run(main(*sys.argv[1:]))
