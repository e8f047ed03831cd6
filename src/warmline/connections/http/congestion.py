"""How fast a request leaves on a host whose congestion control is BBR: a small one at once, a large one at full width.

BBR sends at a rate that it has measured, and a conversation gives it little to measure: pauses, and requests that are
over before the first packet was acknowledged. It spreads 12 KB over 30 ms at a round trip of 100 ms, over 60 ms at 220
(Linux 6.18), though a new connection may send ten packets at once (RFC 6928).
But it alone keeps the congestion window over a pause, which large requests need: others begin anew (RFC 5681, 4.1).

So a connection begins without BBR. Before the first upload that the initial window does not take, it is given BBR, and
before each later one BBR anew, which then derives its rate from the window that the connection has proven.
Hosts with another congestion control are left alone, and so are routes that lock one.
"""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["INITIAL_WINDOW_BYTES", "renew_rate", "send_at_once"]

INITIAL_WINDOW_BYTES = 14_000
"""About ten packets of Ethernet, the overhead of TLS deducted."""

_OPTION: int | None = getattr(socket, "TCP_CONGESTION", None)
_PACES = "bbr"  # with its later versions: bbr2, bbr3
_UNPACED = ("cubic", "reno")
_NAME_BYTES = 16


def send_at_once(sock: socket.socket) -> None:
    """No pacing from the start. Before the socket connects: a socket that has been paced stays so."""
    if _congestion_control(sock).startswith(_PACES):
        _set_first(sock, _UNPACED)


def renew_rate(sock: Any) -> None:
    """A large upload is next, and nothing is in flight."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as untouched:
        hosts = _congestion_control(untouched)
    if hosts.startswith(_PACES):
        _set_first(sock, _UNPACED)
        _set_first(sock, (hosts,))


def _congestion_control(sock: socket.socket) -> str:
    if _OPTION is None:
        return ""
    try:
        return sock.getsockopt(socket.IPPROTO_TCP, _OPTION, _NAME_BYTES).rstrip(b"\0").decode("ascii")
    except OSError:
        return ""


def _set_first(sock: Any, names: Sequence[str]) -> None:
    """The first that this host has and allows; none, and the socket is as good as before."""
    for name in names:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, _OPTION, name.encode("ascii"))
            return
