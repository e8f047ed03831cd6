"""Addresses of the network: the server's tells how far away it is, and by which congestion control it is reached."""

from pathlib import Path

__all__ = ["CLIENT_ADDRESS", "available_controls", "server_address"]

CLIENT_ADDRESS = "10.77.255.1"
_FARTHEST_MS = 254
# None is whatever the machine is set to.
_LAST_BYTE: dict[str | None, int] = {None: 1, "cubic": 2, "bbr": 3}
_AVAILABLE = Path("/proc/sys/net/ipv4/tcp_available_congestion_control")


def available_controls() -> tuple[str, ...]:
    """Those of `cubic` and `bbr` that this kernel has."""
    try:
        known = _AVAILABLE.read_text().split()
    except OSError:
        return ()
    return tuple(control for control in ("cubic", "bbr") if control in known)


def server_address(rtt_ms: int, congestion_control: str | None = None) -> str:
    """Where a server is that is `rtt_ms` away, and to which clients send by this congestion control.

    Raises:
        ValueError: there is no address for that distance, or no such control.
    """
    if not 0 <= rtt_ms <= _FARTHEST_MS:
        raise ValueError(f"a round trip of {rtt_ms} ms is not between 0 and {_FARTHEST_MS}")
    if congestion_control not in _LAST_BYTE:
        raise ValueError(f"no address for congestion control {congestion_control}")
    return f"10.77.{rtt_ms}.{_LAST_BYTE[congestion_control]}"
