"""One worker process, as its owner sees it."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable

from warmline.errors import WorkerDied
from warmline.workers.frames import HEADER, MAX_PAYLOAD_BYTES, Message, decode_payload, encode

__all__ = ["Worker"]

_GRACE_SEC = 1.0


class Worker:
    """A forked process that serves exactly one owner. Made by `WorkerTemplate.spawn`."""

    def __init__(
        self,
        name: str,
        pid: int,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        exited: asyncio.Future[int],
    ) -> None:
        self.name = name
        self.pid = pid
        self._reader = reader
        self._writer = writer
        self._exited = exited

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
        """The worker's next message.

        Raises:
            WorkerDied: the worker ended before it sent one.
        """
        try:
            kind, length = HEADER.unpack(await self._reader.readexactly(HEADER.size))
            assert length <= MAX_PAYLOAD_BYTES, "workers are ours and send bounded frames"
            return decode_payload(kind, await self._reader.readexactly(length))
        except (asyncio.IncompleteReadError, ConnectionError) as closed:
            raise WorkerDied(self.name, self._exited.result() if self._exited.done() else None) from closed

    def kill(self) -> None:
        """End the process at once."""
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    async def aclose(self) -> None:
        """Close the socket, which asks the worker to end; kill it when it does not. Harmless when called twice."""
        self._writer.close()
        try:
            await asyncio.wait([self._exited], timeout=_GRACE_SEC)
        finally:
            self.kill()
        await asyncio.wait([self._exited], timeout=_GRACE_SEC)
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()
