"""Who may talk to the server: Origin and Host are both checked, against pages that call across sites or rebind DNS."""

import hmac
from dataclasses import dataclass, field

__all__ = ["Guard"]


@dataclass(frozen=True, slots=True)
class Guard:
    """The allow-lists of one server, and the token that callers owe it (None: none is owed)."""

    origins: frozenset[str]
    hosts: frozenset[str]
    token: str | None = field(default=None, repr=False)

    def admits(self, *, origin: str | None, host: str | None) -> bool:
        """Whether a request with these headers may go on. Programs send no Origin; browsers always do on `/ws`."""
        if host is None or host.lower() not in self.hosts:
            return False
        return origin is None or origin.lower() in self.origins

    def accepts_ticket(self, ticket: object) -> bool:
        """Whether `ticket` is the token, in a time that does not tell how much of it is right."""
        if self.token is None:
            return True
        return isinstance(ticket, str) and hmac.compare_digest(ticket.encode(), self.token.encode())
