"""The voice agent: pipeline, server, page. `serve` runs it until it is told to stop."""

from warmline.agent.serve import serve

__all__ = ["serve"]
