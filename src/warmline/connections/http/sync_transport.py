"""`WarmTransport` for synchronous clients: the same connections, on the loop thread."""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Any, TypeVar

from warmline.connections.http.loop_thread import LoopThread

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from warmline.connections.http.dialect import Dialect
    from warmline.connections.http.nearest import NearestTransport
    from warmline.connections.http.phases import RequestPhases
    from warmline.connections.http.transport import WarmTransport
    from warmline.connections.spent import Spent
    from warmline.pool import PoolSnapshot

__all__ = ["SyncWarmTransport"]

T = TypeVar("T")


class SyncWarmTransport:
    """For `httpx.Client` and `httpx2.Client`; safe from any number of threads. `warm(client)` makes one for you.

    Args:
        inner: does the work; nobody else may use it.
    """

    def __init__(self, inner: WarmTransport | NearestTransport) -> None:
        self._inner = inner
        self._thread = LoopThread()

    def handle_request(self, request: Any) -> Any:
        """One request; a body that is an iterator is read first."""
        request.read()
        response = self._thread.run(self._inner.handle_async_request(request))
        return self._inner.dialect.httpx.Response(
            status_code=response.status_code,
            headers=response.headers,
            stream=_class_for(self._inner.dialect)(self._inner.dialect, response.stream, self._thread),
            extensions=response.extensions,
        )

    def close(self) -> None:
        """Leave the connections, and the thread if nobody else needs it."""
        if sys.is_finalizing():  # a client of a module is dropped, and daemon threads run no more
            return
        try:
            self._thread.run(self._inner.aclose())
        except RuntimeError:  # closed before
            return
        self._thread.close()

    def __enter__(self) -> SyncWarmTransport:
        self.begin()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        self.close()

    def begin(self) -> None:
        """Begin to open connections in the background."""
        self._thread.run(self._inner.start())

    def wait_warm(self, n: int | None = None, timeout: float = 10.0) -> bool:
        """As `WarmTransport.wait_warm`; blocks."""
        return self._thread.run(self._inner.wait_warm(n, timeout))

    def rewarm(self, older_than_sec: float = 5.0) -> None:
        """As `WarmTransport.rewarm`."""
        self._thread.run(self._inner.rewarm(older_than_sec))

    def snapshot(self) -> PoolSnapshot | None:
        """As `WarmTransport.snapshot`."""
        return self._look(lambda: self._inner.snapshot())

    @property
    def spent(self) -> Spent:
        """As `WarmTransport.spent`."""
        return self._look(lambda: self._inner.spent)

    @property
    def refused_status(self) -> int:
        """As `WarmTransport.refused_status`."""
        return self._look(lambda: self._inner.refused_status)

    @property
    def recent(self) -> deque[RequestPhases]:
        """As `WarmTransport.recent`."""
        return self._inner.recent

    def _look(self, at: Callable[[], T]) -> T:
        if self._thread.closed:
            return at()

        async def look() -> T:
            return at()

        return self._thread.run(look())


class _SyncBody:
    """Fetches each part from the loop thread."""

    def __init__(self, dialect: Dialect, stream: Any, thread: LoopThread) -> None:
        self._dialect = dialect
        self._stream = stream
        self._thread = thread

    def __iter__(self) -> Iterator[bytes]:
        while (part := self._next()) is not None:
            yield part

    def _next(self) -> bytes | None:
        try:
            return self._thread.run(self._part())
        except RuntimeError as error:
            if not self._thread.closed:
                raise
            raise self._dialect.error("ReadError", "the client has been closed") from error

    async def _part(self) -> bytes | None:
        return await anext(self._stream, None)

    def close(self) -> None:
        """The reader has gone; a client that was closed has taken its streams with it."""
        if not self._thread.closed:
            self._thread.run(self._stream.aclose())


@functools.cache
def _class_for(dialect: Dialect) -> type[_SyncBody]:
    return type("WarmSyncBody", (_SyncBody, dialect.httpx.SyncByteStream), {})
