"""A receptionist by rules alone: it answers callers from what the messages of a request say, and keeps nothing."""

from warmline.emulators.openai.receptionist.decision import Decision, decide

__all__ = ["Decision", "decide"]
