"""The template process, as its owner sees it: loads once, gives workers."""

import asyncio
import contextlib
import itertools
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from typing import Any, Self

from warmline.errors import WarmUpFailed, WorkerDied
from warmline.workers.connection import WorkerConnection
from warmline.workers.frames import FrameDecoder, Message, encode
from warmline.workers.worker import Worker

__all__ = ["WorkerTemplate"]

_READ_BYTES = 65536
_GRACE_SEC = 1.0
# Else NumPy's OpenBLAS starts a thread a core when it is imported: a template forks, and is to be ready soon.
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}


class WorkerTemplate:
    """A process that has loaded what its workers need, and forks them on demand.

    `preload` names a function `load(config) -> serve`: `load` runs once in the template; `serve(channel)` runs in
    every worker until its channel closes. Where code is loaded from is up to the caller: never take it from outside.
    """

    def __init__(self, name: str, process: asyncio.subprocess.Process, control: socket.socket) -> None:
        self.name = name
        self.load_ms: float = 0.0
        self._process = process
        self._control = control
        self._decoder = FrameDecoder()
        self._numbers = itertools.count()
        self._loaded: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._spawning: dict[int, asyncio.Future[tuple[int, asyncio.Future[int]]]] = {}
        self._exits: dict[int, asyncio.Future[int]] = {}
        self._workers: dict[int, Worker] = {}
        self._closing = False
        self._gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().add_reader(control, self._on_readable)

    @classmethod
    async def start(
        cls, preload: str, config: Mapping[str, object], *, name: str, start_timeout_sec: float = 30.0
    ) -> Self:
        """Start the process and wait until it has loaded.

        Raises:
            WarmUpFailed: it failed to load, or did not within `start_timeout_sec`.
        """
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        command = [sys.executable, "-m", "warmline.workers.template_process", str(theirs.fileno()), preload]
        with theirs:
            try:
                process = await asyncio.create_subprocess_exec(
                    *command,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.DEVNULL,
                    pass_fds=[theirs.fileno()],
                    env=os.environ | _ONE_THREAD,
                    # Ctrl-C in a terminal is for the parent, also while the template still starts.
                    start_new_session=True,
                )
            except BaseException:
                ours.close()
                raise
        template = cls(name, process, ours)
        try:
            await template._load(config, start_timeout_sec)
        except BaseException:
            await template.aclose()
            raise
        return template

    @property
    def pid(self) -> int:
        """The process that has loaded."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether workers can be had from it, as far as is known."""
        return not self._gone.done()

    def on_exit(self, callback: Callable[[], None]) -> None:
        """Call `callback` once on the loop when the template has died or was closed."""
        self._gone.add_done_callback(lambda _: callback())

    async def spawn(self) -> Worker:
        """A worker of the caller's own, forked in milliseconds.

        Raises:
            WorkerDied: the template is gone.
        """
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        number = next(self._numbers)
        spawned: asyncio.Future[tuple[int, asyncio.Future[int]]] = asyncio.get_running_loop().create_future()
        self._spawning[number] = spawned
        try:
            with theirs:
                self._send_socket(number, theirs)
            pid, exited = await spawned
            connection = await WorkerConnection.open(ours)
        except BaseException:
            ours.close()  # a worker that was forked all the same sees the end of its socket and ends
            raise
        finally:
            self._spawning.pop(number, None)
        worker = Worker(self.name, pid, connection, exited)
        if not exited.done():
            self._workers[pid] = worker
        return worker

    async def aclose(self) -> None:
        """End the template, and with it its workers. Harmless when called twice."""
        if not self.alive:  # it is ending: to kill it now would reap it behind the back of asyncio, which complains
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_GRACE_SEC):
                    await self._process.wait()
        self._closing = True
        self._disconnect()
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        await self._process.wait()

    async def _load(self, config: Mapping[str, object], timeout_sec: float) -> None:
        try:
            async with asyncio.timeout(timeout_sec):
                await asyncio.get_running_loop().sock_sendall(self._control, encode(config))
                self.load_ms = await self._loaded
        except (TimeoutError, OSError) as failure:
            raise WarmUpFailed(f"worker template {self.name!r} did not load within {timeout_sec:g} s") from failure

    def _send_socket(self, number: int, sock: socket.socket) -> None:
        try:
            socket.send_fds(self._control, [encode({"spawn": number})], [sock.fileno()])
        except OSError as gone:
            raise WorkerDied(self.name, self._process.returncode) from gone

    def _exit_of(self, pid: int) -> asyncio.Future[int]:
        if pid not in self._exits:
            self._exits[pid] = asyncio.get_running_loop().create_future()
        return self._exits[pid]

    def _on_readable(self) -> None:
        try:
            data = self._control.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._disconnect()
            return
        for message in self._decoder.feed(data):
            self._on_message(message)

    def _on_message(self, message: Message) -> None:
        match message:
            case {"ready": _, "took_ms": float(took_ms)} if not self._loaded.done():
                self._loaded.set_result(took_ms)
            case {"failed": str(reason)} if not self._loaded.done():
                self._loaded.set_exception(WarmUpFailed(f"worker template {self.name!r} failed to load: {reason}"))
            case {"spawned": int(number), "pid": int(pid)}:
                self._on_spawned(number, pid)
            case {"refused": int(number)}:
                if number in self._spawning:
                    _fail(self._spawning[number], WorkerDied(self.name))
            case {"exited": int(pid), "status": int(status)}:
                self._exit_of(pid).set_result(status)
                del self._exits[pid]
                self._workers.pop(pid, None)

    def _on_spawned(self, number: int, pid: int) -> None:
        exited = self._exit_of(pid)
        waiting = self._spawning.get(number)
        if waiting is not None and not waiting.done():
            waiting.set_result((pid, exited))
        else:  # who asked for it has gone in the meantime
            _kill(pid)

    def _disconnect(self) -> None:
        """The template is gone or let go: nobody waits for it any longer."""
        if self._control.fileno() < 0:
            return
        asyncio.get_running_loop().remove_reader(self._control)
        self._control.close()
        died = WorkerDied(self.name, self._process.returncode)
        _fail(self._loaded, died)
        for waiting in self._spawning.values():
            _fail(waiting, died)
        for pid, exited in self._exits.items():
            self._let_go(pid, exited)
        self._exits.clear()
        self._workers.clear()
        self._gone.set_result(None)

    def _let_go(self, pid: int, exited: "asyncio.Future[int]") -> None:
        """Nobody reaps this worker any more: what a call uses goes on without, anything else is ended."""
        worker = self._workers.get(pid)
        if worker is not None and not self._closing:
            worker.orphan()
            return
        _kill(pid)
        if not exited.done():
            exited.set_result(-signal.SIGKILL)


def _fail(waiting: "asyncio.Future[Any]", failure: Exception) -> None:
    if not waiting.done():
        waiting.set_exception(failure)
        waiting.exception()  # nobody may be waiting


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
