"""The whole agent in the test's own loop, on a free port: so that its tasks, threads and descriptors can be counted."""

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from tests.shared_cache import shared_cache
from warmline.agent.serve import run
from warmline.events import Event
from warmline.settings import Settings, load_scenario

FRAME = bytes(640)


@dataclass
class Served:
    """An agent that takes calls."""

    host: str
    port: int
    events: list[Event]

    @property
    def url(self) -> str:
        return f"ws://{self.host}:{self.port}/ws"

    def call(self, **kwargs) -> contextlib.AbstractAsyncContextManager[ClientConnection]:
        return connect(self.url, compression=None, max_size=None, **kwargs)


@contextlib.asynccontextmanager
async def served(
    tmp_path, gates=None, drain=None, say=lambda _: None, until_ready=True, scenario=None, **choices
) -> AsyncIterator[Served]:
    """Start it warm, stop it at the end of the block. With `until_ready` False the block begins once it listens."""
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    settings = Settings(port=0, cache_dir=shared_cache(tmp_path), **{"llm_base_url": None, **choices})
    events: list[Event] = []
    listening: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()

    def listen_to(line: str) -> None:
        say(line)
        if not until_ready and line.startswith("Listening: "):
            listening.set_result(int(line.partition("/ ")[0].rpartition(":")[2]))

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(
            run(
                settings,
                scenario or load_scenario(),
                say=listen_to,
                emit=events.append,
                ready=listening.set_result if until_ready else lambda _: None,
                gates=gates,
                drain=drain,
                stop=stop,
            )
        )
        yield Served(settings.host, await listening, events)
        stop.set()


async def events_until(call: ClientConnection, kind: str, **fields: object) -> list[dict[str, Any]]:
    """Every event up to the first of this kind with these fields; audio is passed over."""
    seen = []
    async with asyncio.timeout(60):
        async for message in call:
            if isinstance(message, bytes):
                continue
            event = json.loads(message)
            seen.append(event)
            if event["type"] == kind and fields.items() <= event.items():
                return seen
    raise AssertionError(f"no {kind} before the close; saw {[event['type'] for event in seen]}")


async def closed_with(call: ClientConnection) -> tuple[int | None, list[dict[str, Any]]]:
    """Read to the end: the close code, and the error events before it."""
    errors = []
    with contextlib.suppress(Exception):
        async with asyncio.timeout(60):
            async for message in call:
                event = json.loads(message) if isinstance(message, str) else {"type": "audio"}
                errors += [event] if event["type"] == "error" else []
    await call.wait_closed()
    return call.close_code, errors
