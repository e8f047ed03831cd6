"""Hooks, sync or async: started by the engine, owned until they end, abandoned past their bound."""

from __future__ import annotations

import asyncio
import functools
import inspect
from typing import TYPE_CHECKING, Any

from warmline.pool.signals import ENDS_THE_PROCESS
from warmline.pool.threads import DaemonThreads, ThreadJob

if TYPE_CHECKING:
    import contextvars
    from collections.abc import Callable

__all__ = ["HookRunner", "Job", "is_async"]


def is_async(hook: Callable[..., Any]) -> bool:
    """True when calling `hook` only makes a coroutine, so that it may be called on the event loop."""
    while isinstance(hook, functools.partial):
        hook = hook.func
    if isinstance(hook, type):  # its `__call__` is that of what it makes
        return False
    return inspect.iscoroutinefunction(hook) or inspect.iscoroutinefunction(getattr(hook, "__call__", None))  # noqa: B004


class Job:
    """One running hook. `done` hears its outcome; after `abandon` only `late` does, and only of a value."""

    __slots__ = ("abandoned", "done", "essential", "held", "late", "task", "thread")

    def __init__(
        self, done: Callable[[Any, BaseException | None], None], late: Callable[[Any], None], essential: bool
    ) -> None:
        self.done: Callable[[Any, BaseException | None], None] = done
        self.late: Callable[[Any], None] = late
        self.essential: bool = essential  # a close: begins even when nobody waits for it any more
        self.abandoned: bool = False
        self.held: bool = False
        self.task: asyncio.Future[Any] | None = None
        self.thread: ThreadJob | None = None

    @property
    def hangs(self) -> bool:
        """Abandoned in a thread: it ends when it ends."""
        return self.abandoned and self.thread is not None

    def __repr__(self) -> str:
        where = "a thread" if self.task is None else "the loop"
        return f"<Job {'abandoned' if self.abandoned else 'running'} on {where}>"


class HookRunner:
    """Starts hooks and owns them to their end. Everything but the threads themselves happens on `loop`.

    Hooks run in a copy of the context in which the runner was made, so that nothing of the call that happens to
    trigger one (a trace, a session) leaks into a resource that outlives it.
    """

    def __init__(self, name: str, loop: asyncio.AbstractEventLoop, context: contextvars.Context) -> None:
        self._loop = loop
        self._context = context
        self._name = name
        self.threads: DaemonThreads = DaemonThreads(name)
        self.jobs: set[Job] = set()
        self._thread_free: asyncio.Future[None] | None = None  # while the end of one is waited for
        # A loop on virtual time stands still while a thread works for us.
        self._hold: Callable[[], None] = getattr(loop, "hold_time", _nothing)
        self._release: Callable[[], None] = getattr(loop, "release_time", _nothing)

    def start(
        self,
        hook: Callable[..., Any],
        args: tuple[Any, ...],
        done: Callable[[Any, BaseException | None], None],
        late: Callable[[Any], None],
        *,
        essential: bool = False,
    ) -> Job:
        """Call `hook(*args)`: on the loop when it is async, in a thread when it is not.

        Raises nothing: a call that cannot even be made (a wrong signature) is heard of as any other failure.
        """
        job = Job(done, late, essential)
        self.jobs.add(job)
        try:
            if is_async(hook):
                self._await(job, hook(*args))
            else:
                self._run_in_thread(job, hook, args)
        except ENDS_THE_PROCESS:
            raise
        except BaseException as error:
            self._loop.call_soon(self._ended, job, None, error, context=self._context)
        return job

    def abandon(self, job: Job) -> None:
        """Nobody waits for it any more: cancelled if it can be, else left to end on its own."""
        job.abandoned = True
        if job.task is not None:
            job.task.cancel()
        if job.thread is not None:
            self.threads.abandon(job.thread, still_run=job.essential)
            self._let_time_pass(job)

    async def finish(self, timeout_sec: float) -> int:
        """Wait for what still runs, then cancel or abandon it; the number of tasks that would not end."""
        await self._threads_end(timeout_sec)
        if tasks := self._tasks():
            await asyncio.wait(tasks, timeout=timeout_sec)
        for task in self._tasks():
            task.cancel()
        if tasks := self._tasks():
            await asyncio.wait(tasks, timeout=timeout_sec)
        await asyncio.sleep(0)  # what has just ended is heard first
        self.threads.stop()
        return len(self._tasks())

    async def _threads_end(self, timeout_sec: float) -> None:
        try:
            async with asyncio.timeout(timeout_sec):
                while self._in_threads():
                    self._thread_free = self._loop.create_future()
                    await self._thread_free
        except TimeoutError:
            for job in self._in_threads():
                self.abandon(job)

    def _in_threads(self) -> list[Job]:
        return [job for job in self.jobs if job.thread is not None and not job.abandoned]

    def _tasks(self) -> list[asyncio.Future[Any]]:
        return [job.task for job in self.jobs if job.task is not None and not job.task.done()]

    def _await(self, job: Job, awaitable: Any) -> None:
        name = f"{self._name}-hook"
        # A coroutine is run as it is: wrapped, a task that is cancelled before its first step would never await it.
        coroutine = awaitable if inspect.iscoroutine(awaitable) else _as_coroutine(awaitable)
        task = self._loop.create_task(coroutine, name=name, context=self._context.copy())
        job.task = task
        task.add_done_callback(functools.partial(self._task_ended, job))

    def _task_ended(self, job: Job, task: asyncio.Future[Any]) -> None:
        if task.cancelled():
            self._ended(job, None, asyncio.CancelledError())
        elif (error := task.exception()) is not None:
            self._ended(job, None, error)
        else:
            self._ended(job, task.result(), None)

    def _run_in_thread(self, job: Job, hook: Callable[..., Any], args: tuple[Any, ...]) -> None:
        done = functools.partial(self._thread_ended, job)
        job.thread = ThreadJob(self._loop, self._context, hook, args, done)
        job.held = True
        self._hold()
        try:
            self.threads.submit(job.thread, must_run=job.essential)
        except RuntimeError as error:
            self._loop.call_soon(done, None, error)

    def _thread_ended(self, job: Job, value: Any, error: BaseException | None) -> None:
        job.thread = None
        if self._thread_free is not None and not self._thread_free.done():
            self._thread_free.set_result(None)
        self._let_time_pass(job)
        if error is None and inspect.isawaitable(value):
            self._await(job, value)
            if job.abandoned and job.task is not None and not job.essential:
                job.task.cancel()
        else:
            self._ended(job, value, error)

    def _let_time_pass(self, job: Job) -> None:
        if job.held:
            job.held = False
            self._release()

    def _ended(self, job: Job, value: Any, error: BaseException | None) -> None:
        self.jobs.discard(job)
        if not job.abandoned:
            job.done(value, error)
        elif error is None:
            job.late(value)


async def _as_coroutine(awaitable: Any) -> Any:
    return await awaitable


def _nothing() -> None:
    return None
