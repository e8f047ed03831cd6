"""What the kernel does for a connection that nobody uses: it finds out within seconds that the peer is gone."""

from __future__ import annotations

import contextlib
import socket
from dataclasses import dataclass
from typing import Any

from warmline.connections.http.congestion import INITIAL_WINDOW_BYTES, renew_rate, send_at_once

__all__ = ["LARGE_UPLOAD_BYTES", "SocketCare"]

LARGE_UPLOAD_BYTES = 32 * 1024
"""More than a receiver surely takes in before its application reads (Linux begins with a window of 64 KB)."""


@dataclass(frozen=True, slots=True)
class SocketCare:
    """TCP keep-alive, and how long sent bytes may stay unacknowledged.

    A router that has forgotten a flow says nothing: without these, the next request waits until it times out. With the
    defaults an idle connection is found dead 3 s after its last probe was answered, one lost probe allowed, and one
    with a request on it `user_timeout_ms` after the first retransmission. Options that the platform lacks are left out.

    Attributes:
        idle_sec, interval_sec, probes: before the first probe, between probes, unanswered ones.
        user_timeout_ms: TCP_USER_TIMEOUT (RFC 5482), Linux, where it also takes the place of `probes`; none during
            large uploads.
        bursts: on hosts with BBR, requests are not held back by its rate: see `congestion`.
    """

    idle_sec: int = 1
    interval_sec: int = 1
    probes: int = 2
    user_timeout_ms: int = 2500
    bursts: bool = True

    def before_connecting(self, sock: socket.socket) -> None:
        """What cannot be changed later."""
        if self.bursts:
            send_at_once(sock)

    def before_upload(self, sock: Any, size_bytes: int) -> None:
        """A request of that size is about to be sent over an idle connection."""
        if self.bursts and size_bytes > INITIAL_WINDOW_BYTES:
            renew_rate(sock)

    def let_wait(self, sock: Any, waits: bool) -> None:
        """Whether the peer may take its time to read. Probes of a closed window count as unacknowledged bytes.

        So a large upload has no limit of ours, only the caller's; smaller ones need no window but the first.
        """
        option = getattr(socket, "TCP_USER_TIMEOUT", None)
        if option is not None and sock is not None:
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.IPPROTO_TCP, option, 0 if waits else self.user_timeout_ms)

    def options(self) -> list[tuple[int, int, int]]:
        """(level, option, value) for `setsockopt`."""
        tcp = socket.IPPROTO_TCP
        wanted = [
            ("TCP_NODELAY", 1),
            ("TCP_KEEPIDLE", self.idle_sec),
            ("TCP_KEEPALIVE", self.idle_sec),  # its name on macOS
            ("TCP_KEEPINTVL", self.interval_sec),
            ("TCP_KEEPCNT", self.probes),
            ("TCP_USER_TIMEOUT", self.user_timeout_ms),
        ]
        known = [(tcp, int(getattr(socket, name)), value) for name, value in wanted if hasattr(socket, name)]
        return [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1), *known]

    def apply(self, sock: socket.socket) -> None:
        """Set what can be set; a socket that refuses one option is still a socket."""
        for option in self.options():
            with contextlib.suppress(OSError):
                sock.setsockopt(*option)
