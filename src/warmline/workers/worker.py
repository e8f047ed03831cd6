"""One worker process, as its owner sees it."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable

from warmline.errors import WorkerDied
from warmline.workers.connection import WorkerConnection
from warmline.workers.frames import HEADER, MAX_PAYLOAD_BYTES, Message, decode_payload, encode

__all__ = ["Worker"]

_GRACE_SEC = 1.0
_UNKNOWN_STATUS = -signal.SIGKILL


class Worker:
    """A forked process that serves exactly one owner. Made by `WorkerTemplate.spawn`.

    It outlives its template: from then on its end is known by its socket alone, without an exit status.
    """

    def __init__(self, name: str, pid: int, connection: WorkerConnection, exited: "asyncio.Future[int]") -> None:
        self.name = name
        self.pid = pid
        self._connection = connection
        self._reader = connection.reader
        self._writer = connection.writer
        self._exited = exited
        self._header: tuple[int, int] | None = None
        self._orphaned = False

    @property
    def alive(self) -> bool:
        """Whether the process runs, as far as its parent has been told."""
        return not self._exited.done()

    def on_exit(self, callback: Callable[[], None]) -> None:
        """Call `callback` once on the loop when the process has ended."""
        self._exited.add_done_callback(lambda _: callback())

    def send(self, message: Message) -> None:
        """Hand a message over without waiting. Lost when the worker is dead: `receive` says so."""
        if not self._writer.is_closing():
            self._writer.write(encode(message))

    async def receive(self) -> Message:
        """The worker's next message. Cancelled in the middle of one, it loses nothing: the next call returns it.

        Raises:
            WorkerDied: the worker ended before it sent one.
        """
        try:
            if self._header is None:
                self._header = HEADER.unpack(await self._reader.readexactly(HEADER.size))
            kind, length = self._header
            assert length <= MAX_PAYLOAD_BYTES, "workers are ours and send bounded frames"
            payload = await self._reader.readexactly(length)
            self._header = None
            return decode_payload(kind, payload)
        except (asyncio.IncompleteReadError, ConnectionError) as closed:
            raise WorkerDied(self.name, self._exited.result() if self._exited.done() else None) from closed

    def kill(self) -> None:
        """End the process at once."""
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    async def aclose(self) -> None:
        """Close the socket, which asks the worker to end; kill it when it does not. Harmless when called twice."""
        if self._orphaned:  # once our end is closed too, nothing would tell that it has ended
            self.kill()
        else:
            self._writer.close()
        try:
            await asyncio.wait([self._exited], timeout=_GRACE_SEC)
        finally:
            self.kill()
        await asyncio.wait([self._exited], timeout=_GRACE_SEC)
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()

    async def end_now(self) -> None:
        """`kill` and `aclose`, whatever it is in the middle of."""
        self.kill()
        await self.aclose()

    def orphan(self) -> None:
        """Its template is gone, which would have told of its end: go by the socket from here on."""
        self._orphaned = True
        if self._writer.is_closing():  # asked to end, and nobody is left to tell whether it did
            self.kill()
            self._on_lost()
        else:
            self._connection.lost.add_done_callback(lambda _: self._on_lost())

    def _on_lost(self) -> None:
        if not self._exited.done():
            self._exited.set_result(_UNKNOWN_STATUS)
