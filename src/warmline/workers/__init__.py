"""Isolated worker processes, born warm: a template loads once, and forks a worker for whoever needs one.

A worker shares the template's memory (copy on write), is ready in milliseconds, talks raw frames with JSON control
over a socket pair of its own, and can be killed without harm to anybody else. Nothing is pickled.
"""

from warmline.workers.channel import Channel
from warmline.workers.frames import Message
from warmline.workers.source import WorkerSource
from warmline.workers.template import WorkerTemplate
from warmline.workers.worker import Worker

__all__ = ["Channel", "Message", "Worker", "WorkerSource", "WorkerTemplate"]
