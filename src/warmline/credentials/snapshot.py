"""A keeper's state as JSON, without a secret."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from warmline.credentials.gate import CredentialGate
    from warmline.credentials.refresher import Refresher

__all__ = ["snapshot_of"]


def snapshot_of(refresher: Refresher, gate: CredentialGate) -> dict[str, Any]:
    """Times in seconds from now."""
    with refresher.lock:
        kept, now = refresher.kept, refresher.clock.now()
        return {
            "name": refresher.name,
            "ready": gate.ready,
            "why_not": gate.why_not,
            "trouble": gate.trouble,
            "epoch": kept.token.epoch if kept.token else 0,
            "lasts_sec": _finite(kept.lasts_sec(now)),
            "next_fetch_in_sec": _finite(kept.due_in_sec(now)),
            "fetching": kept.fetching,
            "failures_in_a_row": kept.failures,
            "waiting": len(refresher.waiters),
            "subscribers": len(refresher.rotations),
            "failed_deliveries": refresher.rotations.failed,
            "counters": asdict(kept.counters),
        }


def _finite(seconds: float) -> float | None:
    return round(seconds, 3) if math.isfinite(seconds) else None
