"""Giving a resource back, or reporting it dead."""

from __future__ import annotations

import logging
from asyncio import get_running_loop
from typing import TYPE_CHECKING, Generic, TypeVar

from warmline.errors import ForeignResource
from warmline.events import ResourceReleased
from warmline.pool import lending, returning, upkeep
from warmline.pool.api.bound import BoundPool
from warmline.pool.entry import CloseCause
from warmline.pool.sessions import Use

if TYPE_CHECKING:
    from warmline.pool.entry import Entry
    from warmline.pool.sessions import Session

T = TypeVar("T")

__all__ = ["Releases"]

logger: logging.Logger = logging.getLogger("warmline.pool")
FINE, BROKEN = Use.FINE, Use.BROKEN
_is_enabled_for, _DEBUG = logger.isEnabledFor, logging.DEBUG


class Releases(BoundPool, Generic[T]):
    """The ways back."""

    async def release_for_session(
        self, session_id: str | None, resource: T | None = None, broken: bool = False
    ) -> bool:
        """The session is over: all its holds end, its resource is reset and recycled, or closed.

        Returns at once; a reset that takes time belongs to the pool. False, and counted, when there is nothing to
        release any more (twice, late). With session_id None this is `release(resource)`.

        Args:
            broken: never lend it again.

        Raises:
            ForeignResource: `resource` never came from this pool.
        """
        if session_id is None:
            return False if resource is None else await self.release(resource, broken)
        self._here()
        use = Use.BROKEN if broken else Use.FINE
        if resource is not None:
            entry = self._entry_of(resource)
            held = entry is not None and entry.session is not None and entry.session.id in (session_id, None)
            sessions = [entry.session] if held and entry is not None and entry.session is not None else []
        else:
            sessions = self._sessions_of(session_id)
        for session in sessions:
            self._finish(session, use)
        self._state.counters.late_releases += not sessions
        return bool(sessions)

    async def release(self, resource: T, broken: bool = False) -> bool:
        """Give back what `acquire` gave; as `release_for_session`. A second release of a resource that has been lent
        again in between cannot be told from the first of its new holder: `lease()` has no such gap."""
        if get_running_loop() is not self._engine.loop:
            self._refuse_loop()
        entry = self._state.by_resource.get(id(resource)) or self._entry_of(resource)
        if entry is None or entry.session is None:
            self._state.counters.late_releases += 1
            return False
        self._finish(entry.session, BROKEN if broken else FINE)
        return True

    def invalidate(self, resource: T) -> bool:
        """`resource` died: a spare is closed and replaced now, a leased one is closed when its session lets go.

        Raises:
            ForeignResource: it never came from this pool.
        """
        self._here()
        entry = self._entry_of(resource)
        return entry is not None and self._invalidate(entry, CloseCause.DIED)

    def _invalidate(self, entry: Entry, cause: CloseCause) -> bool:
        done = self._state.invalidate(entry, cause, self._engine.now())
        self._engine.perform()
        return done

    def _entry_of(self, resource: T) -> Entry | None:
        """The live entry of `resource`; None for one that was ours."""
        entry = self._state.by_resource.get(id(resource))
        if entry is None and resource not in self._engine.work.recently_closed:
            self._state.counters.foreign_releases += 1
            raise self._state.error(ForeignResource, f"a {type(resource).__name__} that this pool never made")
        return entry

    def _sessions_of(self, session_id: str) -> list[Session]:
        """The sessions of this id that hold something; a prefetch that still waits is called off."""
        if not self._knobs.session_awareness:
            held = (entry.session for entry in self._state.entries)
            return [session for session in held if session is not None and session.id == session_id]
        found = [session for session in self._state.superseded if session.id == session_id]
        session = self._state.sessions.get(session_id)
        if session is not None and (session.entry is not None or all(w.prefetch for w in session.waiters)):
            found.append(session)
        return found

    def _finish(self, session: Session, use: Use) -> None:
        state, engine = self._state, self._engine
        now = engine.now()
        try:
            if session.entry is None:
                lending.withdraw(state, session.waiters[0], now)  # a prefetch that still waits
            elif session.unclaimed:
                returning.release_all(state, session, use, now)
            else:
                returning.finish(state, session, use, now)
        finally:  # whatever a resource does in its own reset, what was decided is done
            if state.woken or state.actions or state.wake_at < engine.armed_at:
                engine.perform()
        if state.emit is not None or (session.id is not None and _is_enabled_for(_DEBUG)):
            self._note_released(session, use)

    def _end_lease(self, session: Session, use: Use) -> None:
        try:
            ended = returning.end_lease(self._state, session, use, self._engine.now())
        finally:
            self._engine.perform()
        if ended:
            self._note_released(session, use)

    def _note_released(self, session: Session, use: Use) -> None:
        if self._state.emit is not None:
            now = self._engine.now()
            self._state.emit(ResourceReleased(at_sec=now, pool=self.name, use=use.value, session_id=session.id))
        if session.id is not None and session.ended:
            logger.debug("[%s] Released session resource for %s", self.name, upkeep.short_id(session.id))
