"""Resources that say what profile they were made for."""

from __future__ import annotations

import asyncio
from typing import Any


class Voice:
    def __init__(self, profile: str) -> None:
        self.profile = profile
        self.closed = 0

    async def aclose(self) -> None:
        self.closed += 1


class Voices:
    """Makes voices, half a second each."""

    def __init__(self) -> None:
        self.made: list[Voice] = []
        self.starts: list[float] = []

    def knobs(self, profile: str) -> dict[str, Any]:
        async def factory() -> Voice:
            self.starts.append(asyncio.get_running_loop().time())
            await asyncio.sleep(0.5)
            self.made.append(Voice(profile))
            return self.made[-1]

        return {"factory": factory, "name": profile, "warm_pool_size": 1, "warmup_interval_sec": 10.0}

    @property
    def open(self) -> list[Voice]:
        return [voice for voice in self.made if not voice.closed]
