"""Connections that stay warm: `http` for requests, `websocket` for parked sessions. Each needs its own extra."""

__all__: list[str] = []
