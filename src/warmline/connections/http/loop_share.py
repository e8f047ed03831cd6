"""What one transport uses on one event loop. It knows nothing of the transport, so that who drops one lets go of it."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from warmline.connections.http import loop_end
from warmline.connections.http.names import ResolvedNames
from warmline.connections.http.plain import PlainPool
from warmline.connections.http.shared import join, leave
from warmline.connections.spent import Spent

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from warmline.connections.http.origin import WarmOrigin
    from warmline.connections.http.route import Route
    from warmline.connections.http.settings import WarmSettings
    from warmline.connections.http.warm_up import WarmUp

__all__ = ["LoopShare"]


class LoopShare:
    """A share in the home origin, a pool for all others, and names. Ends with the transport or with the loop.

    Attributes:
        ended: it was closed, and holds nothing any more.
    """

    def __init__(self) -> None:
        self.ended: bool = False
        self._origin: WarmOrigin | None = None
        self._key: Hashable = None
        self._names: ResolvedNames | None = None
        self._plain: PlainPool | None = None
        loop_end.begun(self)

    def origin(
        self, key: Callable[[], Hashable], make: Callable[[], WarmOrigin], warm_up: Callable[[], WarmUp | None]
    ) -> WarmOrigin:
        """The origin of this key, joined with the first call: credentials may change, and it stays the same."""
        if self._origin is None:
            self._key = key()
            self._origin = join(self._key, make, self, warm_up)
        return self._origin

    def plain(self, route: Route, settings: WarmSettings) -> PlainPool:
        """For requests that nothing is kept warm for."""
        if self._plain is None:
            self._names = ResolvedNames(settings.dns_ttl_sec)
            self._plain = PlainPool(route, self._names, settings.care)
        return self._plain

    @property
    def spent(self) -> Spent:
        """What the origin's warmth has cost up to now."""
        return Spent() if self._origin is None else copy.copy(self._origin.spent)

    async def aclose(self) -> None:
        """Leave the origin (the last who leaves closes it) and close the rest."""
        self.ended = True
        plain, self._plain = self._plain, None
        names, self._names = self._names, None
        origin, self._origin = self._origin, None
        if plain is not None:
            await plain.aclose()
        if origin is not None:
            await leave(self._key, self)
        if names is not None:
            await names.aclose()
        await loop_end.ended(self)
