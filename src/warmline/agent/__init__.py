"""The voice agent: pipeline, server, page. `serve` runs it until it is told to stop."""

from warmline.agent.serve import explain_start, serve

__all__ = ["explain_start", "serve"]
