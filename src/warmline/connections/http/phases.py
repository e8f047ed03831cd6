"""Where the time of one request went."""

from __future__ import annotations

import inspect
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["PhaseTrace", "RequestPhases", "tell"]

logger: logging.Logger = logging.getLogger("warmline.connections")


@dataclass(slots=True, kw_only=True)
class RequestPhases:
    """One request, phase by phase. Milliseconds; those that end in `_at_ms` count from the caller's call.

    Attributes:
        origin: scheme, host and port. Neither path nor query nor headers are kept.
        reused: the connection stood before the request was made.
        tier: warm or cold, or plain for a request outside of the warm pool.
        joined: the caller waited for a connection whose opening had begun before.
        waited_ms: until there was a connection. dns_ms, tcp_ms, tls_ms: of its opening, 0 when reused.
        sent_at_ms, headers_at_ms, first_byte_at_ms, complete_at_ms: the request was sent; the response's head, the
            first byte of its body and its end came. None for what never happened.
        sends: 2 when the server closed the first connection as the request left.
    """

    origin: str
    method: str
    http_version: str = ""
    status: int = 0
    reused: bool = False
    tier: str = "plain"
    joined: bool = False
    waited_ms: float = 0.0
    dns_ms: float = 0.0
    tcp_ms: float = 0.0
    tls_ms: float = 0.0
    sent_at_ms: float | None = None
    headers_at_ms: float | None = None
    first_byte_at_ms: float | None = None
    complete_at_ms: float | None = None
    upload_bytes: int = 0
    sends: int = 1


def tell(on_request: Callable[[RequestPhases], None] | None, phases: RequestPhases) -> None:
    """A request ended. A listener that fails must not cost a connection, nor the caller an answer."""
    if on_request is None:
        return
    try:
        on_request(phases)
    except Exception as error:
        logger.warning("on_request failed: %s", type(error).__name__)


class PhaseTrace:
    """The `trace` extension of one httpcore request; passes everything on to a trace that was there before."""

    def __init__(self, phases: RequestPhases, chained: Any = None) -> None:
        self.phases = phases
        self._chained = chained
        self._began = time.perf_counter()
        self._started: dict[str, float] = {}

    @property
    def now_ms(self) -> float:
        """Since the caller's call."""
        return (time.perf_counter() - self._began) * 1e3

    async def __call__(self, name: str, info: dict[str, Any]) -> None:
        """httpcore's hook: `name` is for example `http11.send_request_body.complete`."""
        _, step, moment = name.rsplit(".", 2)
        if moment == "started":
            self._started[step] = self.now_ms
        elif moment == "complete":
            self._completed(step, info.get("return_value"))
        if self._chained is not None:
            outcome = self._chained(name, info)
            if inspect.isawaitable(outcome):
                await outcome

    def _completed(self, step: str, value: Any) -> None:
        phases, now_ms = self.phases, self.now_ms
        if step == "send_request_body":
            phases.sent_at_ms = now_ms
        elif step == "receive_response_headers":
            phases.headers_at_ms = now_ms
            if isinstance(value[0], bytes):  # HTTP/1.1: (version, status, ...), HTTP/2: (status, headers)
                phases.http_version = value[0].decode("ascii")
            else:
                phases.http_version = "HTTP/2"
        elif step == "connect_tcp":
            phases.tcp_ms = now_ms - self._started.get(step, now_ms)
        elif step == "start_tls":
            phases.tls_ms = now_ms - self._started.get(step, now_ms)

    def first_byte(self) -> None:
        """The body began."""
        if self.phases.first_byte_at_ms is None:
            self.phases.first_byte_at_ms = self.now_ms

    def ended(self) -> None:
        """The body ended."""
        if self.phases.complete_at_ms is None:
            self.phases.complete_at_ms = self.now_ms
