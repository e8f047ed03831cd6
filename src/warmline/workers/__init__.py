"""Isolated worker processes, born warm: a template loads once, and forks a worker for whoever needs one.

A worker shares the template's memory (copy on write), is ready in milliseconds, talks raw frames with JSON control
over a socket pair of its own, and can be killed without harm to anybody else. Nothing is pickled.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from warmline.workers.channel import Channel
from warmline.workers.frames import Message

if TYPE_CHECKING:
    from warmline.workers.source import WorkerSource
    from warmline.workers.template import WorkerTemplate
    from warmline.workers.worker import Worker

__all__ = ["Channel", "Message", "Worker", "WorkerSource", "WorkerTemplate"]

_OWNERS = {"Worker": "worker", "WorkerSource": "source", "WorkerTemplate": "template"}


def __getattr__(name: str) -> object:
    # The owner's side needs asyncio. A worker does not, and would spend a third of its start on it.
    if name in _OWNERS:
        return getattr(import_module(f"warmline.workers.{_OWNERS[name]}"), name)
    raise AttributeError(f"module 'warmline.workers' has no attribute {name!r}")
