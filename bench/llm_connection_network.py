"""Server and network of the benchmark: an emulator at each distance, over TUN devices or, without root, a proxy."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from warmline.emulators import EmulatorProcess
from warmline.emulators.wan import TunWan, available_controls, why_no_tun

__all__ = ["FIRST_TOKEN_MS", "Network", "Place", "network"]

# Names that the emulator's certificate is for: one for most requests, one for each congestion control.
_NAME = "llm.warmline.test"
_CONTROLLED = {"bbr": "openai.warmline.test", "cubic": "azure.warmline.test"}
FIRST_TOKEN_MS = 50.0
_TOKEN_INTERVAL_MS = 10.0


@dataclass(frozen=True, slots=True)
class Place:
    """A server at a distance, and the addresses of its names."""

    rtt_ms: int
    emulator: EmulatorProcess
    addresses: Mapping[str, str]

    @property
    def url(self) -> str:
        """Base URL for most requests."""
        return self._url(_NAME)

    @property
    def controlled_urls(self) -> Mapping[str, str]:
        """Base URLs by congestion control."""
        return {control: self._url(name) for control, name in _CONTROLLED.items() if name in self.addresses}

    def _url(self, name: str) -> str:
        return f"https://{name}:{urlsplit(self.emulator.url).port}/v1"


@dataclass(frozen=True, slots=True)
class Network:
    """The network in one of its two forms; `tun` None is the proxy, because of `why_no_tun`."""

    tun: TunWan | None
    why_no_tun: str | None

    @asynccontextmanager
    async def place(self, rtt_ms: int) -> AsyncIterator[Place]:
        """A server of its own, so that no arm finds what another has left."""
        # In its own network it may listen on all addresses: they are the distances.
        far = [f"--namespace={self.tun.server_namespace}", "--host=0.0.0.0"] if self.tun else [f"--rtt={rtt_ms}ms"]
        emulator = await EmulatorProcess.start(
            first_token_ms=FIRST_TOKEN_MS,
            prefill_us_per_token=0,
            token_interval_ms=_TOKEN_INTERVAL_MS,
            tls=True,
            control=True,
            options=far,
        )
        async with emulator:
            yield Place(rtt_ms, emulator, self._addresses(rtt_ms))

    def _addresses(self, rtt_ms: int) -> Mapping[str, str]:
        if self.tun is None:
            return {_NAME: "127.0.0.1"}
        controls = available_controls()
        controlled = {_CONTROLLED[control]: self.tun.address(rtt_ms, control) for control in controls}
        return {_NAME: self.tun.address(rtt_ms), **controlled}

    def client_command(self, command: Sequence[str]) -> list[str]:
        """What runs `command` on the client's side."""
        return self.tun.client_command(command) if self.tun else list(command)

    async def do(self, what: str, place: Place) -> None:
        """Strike, as a client asks for it."""
        control = place.emulator.control
        match what:
            case "close-idle":
                await control.close_idle()
            case "arm-close-race":
                await control.arm("close-race", times=1)
            case "disarm-close-race":
                await control.disarm("close-race")
            case "drop-flows" if self.tun:
                await self.tun.forget_flows()
            case "heal" if self.tun:
                await self.tun.heal()
            case _:
                raise ValueError(f"a client asked for {what}")


@asynccontextmanager
async def network(rtts_ms: Sequence[int]) -> AsyncIterator[Network]:
    """The best form that this machine allows."""
    reason = why_no_tun()
    async with AsyncExitStack() as stack:
        tun = await stack.enter_async_context(await TunWan.start(rtts_ms)) if reason is None else None
        if tun is not None:
            await asyncio.sleep(0.2)
        yield Network(tun, reason)
