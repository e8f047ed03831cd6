"""A keeper for programs without an event loop: it lives on one in a daemon thread."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING

from warmline.errors import CredentialClosed

if TYPE_CHECKING:
    from types import TracebackType

    from warmline.credentials.keeper import TokenKeeper

__all__ = ["KeeperThread"]

STOP_TIMEOUT_SEC = 10.0


class KeeperThread:
    """`with KeeperThread(TokenKeeper(source)) as keeper:` and then `keeper.get()` or `keeper.provider()`."""

    def __init__(self, keeper: TokenKeeper) -> None:
        self._keeper = keeper
        self._started = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._work, name=f"warmline-keeper-{keeper.name}", daemon=True)

    def start(self) -> TokenKeeper:
        """Start the thread; the keeper works when this returns, without having a token yet.

        Raises:
            CredentialClosed: the keeper could not be started.
        """
        self._thread.start()
        self._started.wait()
        if self._loop is None:
            raise CredentialClosed("cannot be started", credential=self._keeper.name)
        return self._keeper

    def close(self) -> None:
        """Close the keeper and end the thread. Harmless when called twice."""
        if self._loop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(STOP_TIMEOUT_SEC)

    def __enter__(self) -> TokenKeeper:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _work(self) -> None:
        try:
            with contextlib.suppress(CredentialClosed):  # `start` says so
                asyncio.run(self._keep())
        finally:
            self._started.set()

    async def _keep(self) -> None:
        async with self._keeper:
            self._loop = asyncio.get_running_loop()
            self._started.set()
            await self._stop.wait()
