"""Progress as plain lines, derived from the plan's own events: the counts are right however the plan changes."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from warmline.events import WarmUpFinished, WarmUpStepFinished, WarmUpStepRetrying
from warmline.startup.step import Criticality

if TYPE_CHECKING:
    from warmline.events import Event

__all__ = ["line_level", "progress_line"]


def progress_line(event: Event) -> str | None:
    """What a person reads of this event; None for those that say nothing worth a line."""
    if isinstance(event, WarmUpStepFinished):
        count = f"[{event.ended:>{len(str(event.total))}}/{event.total}]"
        return f"{count} {event.name:<20}{event.took_ms / 1000:7.2f} s  {_end(event)}"
    if isinstance(event, WarmUpStepRetrying):
        return f"{event.name}: attempt {event.attempt} failed ({event.error}), next in {event.delay_sec:.1f} s"
    if isinstance(event, WarmUpFinished):
        failed = f"; without {', '.join(event.failed)}" if event.failed else ""
        return f"{event.verified} of {event.total} steps verified in {event.took_ms / 1000:.2f} s{failed}"
    return None


def _end(event: WarmUpStepFinished) -> str:
    why = event.evidence if event.error is None else event.error
    return event.state if why is None else f"{event.state} ({why})"


def line_level(event: Event) -> int:
    """How loud the line is in a log: the loss of a critical step is an error, that of a wanted one a warning."""
    if not isinstance(event, WarmUpStepFinished) or event.error is None:
        return logging.INFO
    levels: dict[str, int] = {Criticality.CRITICAL: logging.ERROR, Criticality.OPTIONAL: logging.INFO}
    return levels.get(event.criticality, logging.WARNING)
