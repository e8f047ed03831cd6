"""Connections that stay warm: `http` for requests, `websocket` for parked sessions. Each needs its own extra."""

from warmline.connections.spent import Spent

__all__ = ["Spent"]
