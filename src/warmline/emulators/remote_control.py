"""A running emulator's counters and faults, from another process."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

__all__ = ["EmulatorControl"]

_TIMEOUT_SEC = 10.0


class EmulatorControl:
    """The control path at `url`; every method waits for the answer and raises `OSError` without one."""

    def __init__(self, url: str) -> None:
        import urllib.request  # not with the module: every emulator would pay for it at its start

        self._url = url
        # The control path is on this machine, whatever proxy the environment names for others.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    async def counters(self) -> Mapping[str, Any]:
        """What came in; see docs/reference/emulators.md."""
        return await self._send("GET", "/counters")

    async def forget(self) -> None:
        """Count anew."""
        await self._send("DELETE", "/counters")

    async def arm(self, fault: str, *, value: float | None = None, times: int | None = None) -> None:
        """Let a fault happen, `times` times, or until it is disarmed (None)."""
        await self._send("PUT", f"/faults/{fault}", {"value": value, "times": times})

    async def disarm(self, fault: str) -> None:
        """Let it happen no more."""
        await self._send("DELETE", f"/faults/{fault}")

    async def close_idle_after(self, sec: float) -> None:
        """From its next answer on, a connection may idle that long."""
        await self._send("PUT", "/idle-close", {"sec": sec})

    async def close_idle(self) -> int:
        """Close every idle connection now; returns how many."""
        return int((await self._send("DELETE", "/idle-connections"))["closed"])

    async def accept_keys(self, keys: list[str] | None) -> None:
        """Accept these API keys alone, or any (None)."""
        await self._send("PUT", "/keys", {"accepted": keys})

    async def serve_models(self, names: list[str] | None) -> None:
        """Serve these models alone, or any name (None)."""
        await self._send("PUT", "/models", {"served": names})

    async def serve_deployments(self, names: list[str] | None) -> None:
        """Serve these of Azure's deployments alone, or any name (None)."""
        await self._send("PUT", "/deployments", {"served": names})

    async def _send(self, method: str, path: str, told: Mapping[str, object] | None = None) -> Mapping[str, Any]:
        return await asyncio.to_thread(self._exchange, method, path, told)

    def _exchange(self, method: str, path: str, told: Mapping[str, object] | None) -> Mapping[str, Any]:
        import urllib.request

        body = None if told is None else json.dumps(told).encode()
        request = urllib.request.Request(self._url + path, body, {"content-type": "application/json"}, method=method)
        with self._opener.open(request, timeout=_TIMEOUT_SEC) as answer:
            found: Mapping[str, Any] = json.load(answer)
            return found
