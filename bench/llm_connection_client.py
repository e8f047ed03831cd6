"""One arm of `llm_connection.py`, in a process and an environment of its own.

Takes what to do as one line of JSON on stdin; says on stdout, a line of JSON each, what the harness has to do (it
answers with a line when it is done) and at last what was found.
"""

import asyncio
import json
import socket
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from llm_connection_arms import ARMS
from llm_connection_states import Measuring

__all__ = ["main"]


def main() -> int:
    """Measure, as told."""
    told = json.loads(sys.stdin.readline())
    _resolve_slowly(told["addresses"], told["dns_ms"] / 1000)
    found = asyncio.run(_measured(told))
    samples = {state: [asdict(sample) for sample in samples] for state, samples in found.items()}
    print(json.dumps({"found": samples, "versions": _versions()}), flush=True)
    return 0


async def _measured(told: dict[str, Any]) -> Any:
    async def tell(what: str) -> None:
        print(json.dumps({"do": what}), flush=True)
        await asyncio.to_thread(sys.stdin.readline)

    measuring = Measuring(
        arm=ARMS[told["arm"]],
        base_url=told["url"],
        controlled_urls=told["controlled_urls"],
        rtt_ms=told["rtt_ms"],
        wanted=told["states"],
        samples=told["samples"],
        long_idle_sec=told["long_idle_sec"],
        can_drop=told["can_drop"],
        tell=tell,
    )
    return await measuring.run()


def _resolve_slowly(addresses: Mapping[str, str], delay_sec: float) -> None:
    """A name server that is `delay_sec` away, for a few names, beneath every library's own resolver."""
    real = socket.getaddrinfo

    def getaddrinfo(host: Any, *given: Any, **named: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name not in addresses:
            return real(host, *given, **named)
        time.sleep(delay_sec)
        return real(addresses[name], *given, **named)

    socket.getaddrinfo = getaddrinfo


def _versions() -> dict[str, str]:
    found = {"python": sys.version.split()[0]}
    for package in ("openai", "httpx", "httpx2", "livekit-agents", "livekit-plugins-openai"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


if __name__ == "__main__":
    sys.exit(main())
