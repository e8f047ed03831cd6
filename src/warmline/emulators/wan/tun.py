"""Two network namespaces with a distance between them, over which every packet really travels.

Handshakes, slow start, FIN, RST and lost flows cost what they would. Linux and root alone.
"""

import asyncio
import json
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from warmline.emulators.child import end_child
from warmline.emulators.wan.namespace import namespace_path
from warmline.emulators.wan.plan import available_controls, server_address
from warmline.errors import EngineError

__all__ = ["TunWan", "why_no_tun"]

_START_TIMEOUT_SEC = 20.0
_END_TIMEOUT_SEC = 5.0


def why_no_tun() -> str | None:
    """Why there can be no `TunWan` here; None when there can be."""
    if not sys.platform.startswith("linux"):
        return "not Linux"
    if os.geteuid() != 0:
        return "not root"
    if not Path("/dev/net/tun").exists():
        return "no /dev/net/tun"
    missing = [name for name in ("ip", "nsenter") if shutil.which(name) is None]
    return f"no {missing[0]} command" if missing else None


class TunWan:
    """A running network. A client is run by `client_command`, a server listens in `server_namespace` at `address`."""

    def __init__(self, carrier: asyncio.subprocess.Process, client: str, server: str) -> None:
        self._carrier = carrier
        self.client_namespace = client
        self.server_namespace = server

    @classmethod
    async def start(cls, rtts_ms: Sequence[int]) -> Self:
        """Make the network, with a server's address for each round-trip time (0 to 254 ms).

        Raises:
            EngineError: this machine does not allow it; says why.
            ValueError: a time is out of range.
        """
        for rtt_ms in rtts_ms:
            server_address(rtt_ms)
        if (reason := why_no_tun()) is not None:
            raise EngineError(f"no network of TUN devices: {reason}")
        carrier = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "warmline.emulators.wan.carrier", *map(str, rtts_ms),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the parent, which may still have connections to end.
        )  # fmt: skip
        try:
            async with asyncio.timeout(_START_TIMEOUT_SEC):
                names = json.loads(await _line(carrier))
        except BaseException as error:
            await end_child(carrier, _END_TIMEOUT_SEC)
            if isinstance(error, EngineError | TimeoutError):
                raise EngineError("no network of TUN devices: this machine refused it") from error
            raise
        return cls(carrier, names["client"], names["server"])

    def address(self, rtt_ms: int, congestion_control: str | None = None) -> str:
        """Where a server listens that is `rtt_ms` away.

        Clients send there by `congestion_control`, one of `available_controls()`; None is the machine's own.

        Raises:
            ValueError: there is no such address.
        """
        if congestion_control is not None and congestion_control not in available_controls():
            raise ValueError(f"this kernel has no congestion control {congestion_control}")
        return server_address(rtt_ms, congestion_control)

    def client_command(self, command: Sequence[str]) -> list[str]:
        """The command line that runs `command` on the client's side."""
        return ["nsenter", f"--net={namespace_path(self.client_namespace)}", *command]

    async def forget_flows(self) -> None:
        """Drop every present TCP flow in silence, as a NAT that has forgotten them; others pass."""
        await self._tell("forget")

    async def heal(self) -> None:
        """Drop nothing more."""
        await self._tell("heal")

    async def aclose(self) -> None:
        """Take the network down: its process removes the namespaces. Harmless when called twice."""
        await end_child(self._carrier, _END_TIMEOUT_SEC)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _tell(self, word: str) -> None:
        if self._carrier.stdin is not None:
            self._carrier.stdin.write(f"{word}\n".encode())
            await self._carrier.stdin.drain()
        await _line(self._carrier)


async def _line(carrier: asyncio.subprocess.Process) -> bytes:
    line = await carrier.stdout.readline() if carrier.stdout else b""
    if not line:
        raise EngineError("the network of TUN devices ended")
    return line
