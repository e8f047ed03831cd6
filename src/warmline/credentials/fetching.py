"""One fetch at a time, bounded: one that hangs, even one that is deaf to its cancellation, is left and replaced."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from warmline.credentials.redaction import safe_cause
from warmline.errors import CredentialError, CredentialUnreachable

if TYPE_CHECKING:
    from warmline.credentials.source import TokenSource
    from warmline.credentials.token import IssuedToken

__all__ = ["Fetcher", "failed_source"]

MAX_LEFT = 4
CLOSE_TIMEOUT_SEC = 2.0


class Fetcher:
    """Asks one source. `hung` counts the fetches that ran past their bound."""

    def __init__(self, source: TokenSource, timeout_sec: float) -> None:
        self._source = source
        self._timeout_sec = timeout_sec
        self._left: set[asyncio.Task[IssuedToken]] = set()
        self.hung: int = 0

    async def fetch(self) -> IssuedToken:
        """A token.

        Raises:
            CredentialError: there is none; its causes quote no secret that is known.
        """
        if len(self._left) >= MAX_LEFT:
            raise CredentialUnreachable(f"{len(self._left)} earlier requests still hang")
        task = asyncio.create_task(self._source.fetch())
        self._left.add(task)
        task.add_done_callback(self._ended)
        try:
            await asyncio.wait({task}, timeout=self._timeout_sec)
        except asyncio.CancelledError:
            task.cancel()
            raise
        if not task.done():
            task.cancel()
            self.hung += 1
            self._source.renew()
            raise CredentialUnreachable(f"no answer within {self._timeout_sec:g} s")
        return _result(task)

    async def aclose(self) -> None:
        """Call off what is left, and close the source."""
        for task in self._left:
            task.cancel()
        if self._left:
            await asyncio.wait(self._left, timeout=CLOSE_TIMEOUT_SEC)
        with contextlib.suppress(Exception):
            async with asyncio.timeout(CLOSE_TIMEOUT_SEC):
                await self._source.aclose()

    def _ended(self, task: asyncio.Task[IssuedToken]) -> None:
        self._left.discard(task)
        if not task.cancelled():
            task.exception()  # of one that was left behind, nobody else asks


def failed_source(error: BaseException) -> CredentialUnreachable:
    """What stands for an exception that a source should not have raised."""
    failure = CredentialUnreachable(f"the source failed ({type(error).__name__})")
    failure.__cause__ = safe_cause(error, ())
    return failure


def _result(task: asyncio.Task[IssuedToken]) -> IssuedToken:
    failure: CredentialError
    try:
        return task.result()
    except CredentialError as error:
        failure = error
    except (Exception, asyncio.CancelledError) as error:
        failure = failed_source(error)
    # Raised out here, so that what was caught does not become its context.
    raise failure
