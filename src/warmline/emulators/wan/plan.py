"""Addresses of the network: the server's tells how far away it is."""

__all__ = ["CLIENT_ADDRESS", "server_address"]

CLIENT_ADDRESS = "10.77.255.1"
_FARTHEST_MS = 254


def server_address(rtt_ms: int) -> str:
    """Where a server is that is `rtt_ms` away.

    Raises:
        ValueError: there is no address for that distance.
    """
    if not 0 <= rtt_ms <= _FARTHEST_MS:
        raise ValueError(f"a round trip of {rtt_ms} ms is not between 0 and {_FARTHEST_MS}")
    return f"10.77.{rtt_ms}.1"
