"""Workers of one kind for as long as they are wanted: a template that dies is started again."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Self

from warmline.errors import WorkerDied
from warmline.workers.template import WorkerTemplate
from warmline.workers.worker import Worker

__all__ = ["WorkerSource"]

_log = logging.getLogger(__name__)
_FORK_TIMEOUT_SEC = 5.0


class WorkerSource:
    """Keeps one template alive, and spawns from it. Takes what `WorkerTemplate.start` takes.

    However many ask while there is no template, one is started, and all of them get their worker from it. Who asks
    again after a failure decides how soon that is: a pool does so with back-off.
    """

    def __init__(self, preload: str, config: Mapping[str, object], *, name: str, start_timeout_sec: float) -> None:
        self.name = name
        self._preload = preload
        self._config = config
        self._start_timeout_sec = start_timeout_sec
        self._template: WorkerTemplate | None = None
        self._starting: asyncio.Task[WorkerTemplate] | None = None
        self._spawned = 0
        self._closed = False

    @classmethod
    async def start(
        cls, preload: str, config: Mapping[str, object], *, name: str, start_timeout_sec: float = 30.0
    ) -> Self:
        """Start the first template and wait until it has loaded.

        Raises:
            WarmUpFailed: it failed to load, or did not within `start_timeout_sec`.
        """
        source = cls(preload, config, name=name, start_timeout_sec=start_timeout_sec)
        try:
            await source._living()
        except BaseException:
            await source.aclose()
            raise
        return source

    @property
    def template_pid(self) -> int | None:
        """The process that workers are forked from; None while there is none."""
        return self._template.pid if self._template is not None and self._template.alive else None

    async def spawn(self) -> Worker:
        """A worker of the caller's own; waits for a new template where the old one has died.

        Raises:
            WorkerDied: the template died or hung over it, or the source is closed.
            WarmUpFailed: a new template did not load.
        """
        try:
            return await self._fork(await self._living())
        except WorkerDied:  # the template did, as everybody who asked in this moment finds out: not a second time
            return await self._fork(await self._living())

    async def aclose(self) -> None:
        """End the template, and with it its workers. Harmless when called twice."""
        self._closed = True
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.wait([self._starting])
        if self._template is not None:
            await self._template.aclose()

    async def _fork(self, template: WorkerTemplate) -> Worker:
        try:
            async with asyncio.timeout(_FORK_TIMEOUT_SEC):
                worker = await template.spawn()
        except TimeoutError as hung:
            await template.aclose()  # which makes room for another
            raise WorkerDied(self.name) from hung
        self._spawned += 1
        return worker

    async def _living(self) -> WorkerTemplate:
        if self._closed:
            raise WorkerDied(self.name)
        if self._template is not None and self._template.alive:
            return self._template
        return await asyncio.shield(self._start_once())

    def _start_once(self) -> "asyncio.Task[WorkerTemplate]":
        if self._starting is None or self._starting.done():
            self._starting = asyncio.create_task(self._start(), name=f"start {self.name}")
            self._starting.add_done_callback(self._on_started)
        return self._starting

    async def _start(self) -> WorkerTemplate:
        if self._template is not None:
            await self._template.aclose()  # what is left of it
        template = await WorkerTemplate.start(
            self._preload, self._config, name=self.name, start_timeout_sec=self._start_timeout_sec
        )
        self._template, self._spawned = template, 0
        template.on_exit(self._on_template_exit)
        return template

    def _on_template_exit(self) -> None:
        if self._closed:
            return
        _log.warning("the template of %s died after %d workers", self.name, self._spawned)
        # One that dies before it was of use to anybody is not worth starting again until somebody asks.
        if self._spawned:
            self._start_once()

    def _on_started(self, starting: "asyncio.Task[WorkerTemplate]") -> None:
        """Said here as well, because perhaps nobody waits for it."""
        if not starting.cancelled() and (failure := starting.exception()) is not None:
            _log.warning("no template of %s: %s", self.name, failure)
