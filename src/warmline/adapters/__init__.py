"""Warm things in someone else's agent; one folder a framework. Import the framework's own folder."""

__all__: list[str] = []
